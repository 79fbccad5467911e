#include "shard_choice.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace tokenomics::cli {
namespace {

constexpr double kStart_s = 0.3;      ///< Slurm's own time for a task, measured with empty ones
constexpr double kShortTask_s = 60;   ///< below this it is more than half a percent
constexpr double kGoodTask_s = 120;   ///< twice that, as the few rows that were timed may be the slow ones
constexpr double kLongTask_s = 3600;  ///< fits a short queue
constexpr double kManyShards = 1000;  ///< as many as one array takes by default
constexpr std::uint64_t kMostShards = 1'000'000;

/// Row number i of a sequence that spreads evenly whenever it is ended: multiples of the golden ratio.
std::uint64_t spread_row(std::uint64_t i, std::uint64_t rows) {
  constexpr double kGolden = 0.618033988749895;
  const double place = std::fmod(0.5 + static_cast<double>(i) * kGolden, 1.0);
  return std::min(rows - 1, static_cast<std::uint64_t>(place * static_cast<double>(rows)));
}

std::string time_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.3g} ms", 1e3 * seconds);
  if (seconds < 120) return fmt::format("{:.3g} s", seconds);
  return seconds < 7200 ? fmt::format("{:.3g} min", seconds / 60) : fmt::format("{:.3g} h", seconds / 3600);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

RowTiming time_rows(const SweepWork& work, RowFormat format, double budget_s) {
  constexpr std::uint64_t kEnough = 200;
  const auto start = std::chrono::steady_clock::now();
  const SweepRows rows(work.spec, work.plan, work.catalogue, format);
  const std::uint64_t count = work.plan.rows();
  if (count == 0) return {};
  // The first row also reads the catalogue; it counts only where there is no time for another.
  (void)rows.line(spread_row(0, count));
  RowTiming timing{1, seconds_since(start)};
  const auto second = std::chrono::steady_clock::now();
  for (std::uint64_t i = 1; i <= std::min(kEnough, count - 1) && seconds_since(start) < budget_s; ++i) {
    (void)rows.line(spread_row(i, count));
    timing = {i, seconds_since(second) / static_cast<double>(i)};
  }
  return timing;
}

std::uint64_t choose_shards(std::uint64_t rows, double row_s, std::uint64_t cpus) {
  const double all_s = static_cast<double>(rows) * row_s / static_cast<double>(cpus);
  const double wanted = std::max(std::min(all_s / kGoodTask_s, kManyShards), all_s / kLongTask_s);
  const std::uint64_t most = std::min(std::max<std::uint64_t>(rows, 1), kMostShards);
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, most);
}

std::uint64_t shards_of(const SweepWork& work, RowFormat format, std::uint64_t cpus, const Options& options) {
  constexpr double kToChoose_s = 5, kToWarn_s = 2;
  const auto given = options.whole("shards", 1, kMostShards);
  if (given && options.has("quiet")) return *given;
  const RowTiming timing = time_rows(work, format, given ? kToWarn_s : kToChoose_s);
  const std::uint64_t rows = work.plan.rows();
  const std::uint64_t shards = given ? *given : choose_shards(rows, timing.seconds, cpus);
  const double all_s = static_cast<double>(rows) * timing.seconds;
  const double task_s = all_s / static_cast<double>(shards * cpus);
  if (!options.has("quiet"))
    fmt::print(stderr, "tokenomics: {} rows timed: {} each, {} for all {} on one core; {} shard{} of {}\n", timing.rows,
               time_text(timing.seconds), time_text(all_s), rows, shards, shards == 1 ? "" : "s", time_text(task_s));
  const std::uint64_t better = choose_shards(rows, timing.seconds, cpus);
  if (shards > better && task_s < kShortTask_s)
    fmt::print(stderr,
               "tokenomics: warning: that is short for a task, which takes Slurm about {} s to start; better: --shards {}\n",
               kStart_s, better);
  return shards;
}

}  // namespace tokenomics::cli
