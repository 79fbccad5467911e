#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "options.hpp"
#include "output.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics::cli {

/// The shipped catalogue ($TOKENOMICS_CATALOGUE, else beside the installed program, else the source tree) and those of
/// --catalogue. Reads nothing yet.
Catalogue open_catalogue(const Options& options);

/// Version and colour for reports.
ReportOptions report_options(const Options& options);

/// --jobs, or the cores.
unsigned jobs_of(const Options& options);
/// --seed.
std::optional<std::uint64_t> seed_of(const Options& options);

/// --format.
enum class Format { Table, Json, Csv };
Format format_of(const Options& options);

/// Where the result goes: --out FILE, or standard output. Made before the work, so that a place that cannot be written
/// is noticed first; nothing appears before finish().
class ResultOutput {
 public:
  explicit ResultOutput(const Options& options);
  void finish(std::string_view text);

 private:
  std::unique_ptr<OutputFile> file_;
};

/// JSON in the program's layout, with a line end.
std::string json_text(const nlohmann::ordered_json& value);

/// One rewritten line on standard error, at most ten times a second, once the work has taken a second; only on a
/// terminal and without --quiet.
class Progress {
 public:
  explicit Progress(const Options& options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Empty when nobody looks. May be called from any thread.
  [[nodiscard]] std::function<void(double)> listener();
  /// Told how many of `total` are done, of which `before` were when the work began: shows the rate and the time left.
  [[nodiscard]] std::function<void(std::uint64_t)> counter(std::uint64_t total, std::uint64_t before, const char* what);

 private:
  void show(const std::function<std::string()>& text);

  bool is_wanted_;
  bool is_shown_ = false;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace tokenomics::cli
