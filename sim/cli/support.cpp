#include "support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenomics::cli {
namespace {

namespace fs = std::filesystem;

std::string shipped_catalogue() {
  const char* chosen = std::getenv("TOKENOMICS_CATALOGUE");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  const fs::path installed = program.parent_path().parent_path() / TOKENOMICS_INSTALLED_CATALOGUE;
  if (!program.empty() && fs::is_directory(installed, none)) return installed.string();
  return TOKENOMICS_SOURCE_CATALOGUE;
}

/// "42 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

constexpr auto kBeforeFirst = std::chrono::seconds(1);
constexpr auto kBetween = std::chrono::milliseconds(100);

}  // namespace

Catalogue open_catalogue(const Options& options) {
  std::vector<std::string> directories{shipped_catalogue()};
  for (const std::string& directory : options.texts("catalogue")) directories.push_back(directory);
  return Catalogue(std::move(directories));
}

ReportOptions report_options(const Options& options) {
  ReportOptions report;
  report.version = TOKENOMICS_VERSION;
  report.color = wants_color(options);
  return report;
}

unsigned jobs_of(const Options& options) {
  constexpr unsigned kMostJobs = 1024;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(options.whole("jobs", 1, kMostJobs).value_or(std::min(cores, kMostJobs)));
}

std::optional<std::uint64_t> seed_of(const Options& options) {
  // JSON numbers are exact up to here, so that a seed survives in a result.
  constexpr std::uint64_t kLargestSeed = 9'007'199'254'740'991;
  return options.whole("seed", 0, kLargestSeed);
}

Format format_of(const Options& options) {
  const std::string format = options.choice("format", {"table", "json", "csv"});
  return format == "json" ? Format::Json : format == "csv" ? Format::Csv : Format::Table;
}

ResultOutput::ResultOutput(const Options& options) {
  const std::string path = options.text("out").value_or("-");
  if (path != "-") file_ = std::make_unique<OutputFile>(path);
}

void ResultOutput::finish(std::string_view text) {
  if (!file_) return write_standard_output(text);
  file_->write(text);
  file_->commit();
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Progress::Progress(const Options& options)
    : is_wanted_(!options.has("quiet") && isatty(STDERR_FILENO) == 1),
      next_(std::chrono::steady_clock::now() + kBeforeFirst) {}

Progress::~Progress() {
  if (is_shown_) fmt::print(stderr, "\r\x1b[K");
}

std::function<void(double)> Progress::listener() {
  if (!is_wanted_) return {};
  return [this](double share) { show([share] { return fmt::format("{:3.0f}%", 100.0 * share); }); };
}

std::function<void(std::uint64_t)> Progress::counter(std::uint64_t total, std::uint64_t before, const char* what) {
  if (!is_wanted_) return {};
  const auto start = std::chrono::steady_clock::now();
  return [=, this](std::uint64_t done) {
    show([=] {
      const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      const double rate = static_cast<double>(done - before) / passed;
      const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
      return fmt::format("{} of {} {}, {:.4g}/s, {} left", done, total, what, rate, duration_text(left));
    });
  };
}

void Progress::show(const std::function<std::string()>& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kBetween;
  is_shown_ = true;
  fmt::print(stderr, "\r{}\x1b[K", text());
  std::fflush(stderr);
}

}  // namespace tokenomics::cli
