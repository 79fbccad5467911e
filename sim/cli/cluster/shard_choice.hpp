#pragma once

#include <cstdint>
#include <optional>

#include "../sweep_work.hpp"

namespace tokenomics::cli {

/// How long rows take on this machine, found by making some.
struct RowTiming {
  std::uint64_t rows = 0;  ///< made
  double seconds = 0;      ///< of one row, on one thread: the mean
};

/// Makes rows spread over the sweep, one after the other, until `budget_s` has passed or there are enough.
RowTiming time_rows(const SweepWork& work, RowFormat format, double budget_s);

/// Shards so that a task of `cpus` threads takes about two minutes: Slurm needs about 0.3 s to start one. Of a large
/// sweep a thousand shards that take longer; of a very large one as many as take an hour, so that each fits a short queue.
std::uint64_t choose_shards(std::uint64_t rows, double row_s, std::uint64_t cpus);

/// --shards, or chosen by timing rows; says on standard error what was measured and chosen, and warns of tasks that are
/// shorter than a minute.
std::uint64_t shards_of(const SweepWork& work, RowFormat format, std::uint64_t cpus, const Options& options);

}  // namespace tokenomics::cli
