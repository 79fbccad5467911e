#pragma once

#include <memory>
#include <optional>
#include <string>

#include "options.hpp"
#include "support.hpp"
#include "tokenomics/base/ordered_lines.hpp"
#include "tokenomics/report/sweep_folder.hpp"
#include "tokenomics/report/sweep_rows.hpp"
#include "tokenomics/report/sweep_summary.hpp"
#include "tokenomics/scenario/sweep_plan.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics::cli {

/// A sweep that has been read, with everything that making its rows needs. Not moved: its parts refer to each other.
struct SweepWork {
  const Catalogue& catalogue;
  SweepSpec spec;
  SweepPlan plan;
  SweepColumns columns;

  SweepWork(const Catalogue& all, SweepSpec read) : catalogue(all), spec(std::move(read)), plan(spec), columns(spec) {}
  SweepWork(const SweepWork&) = delete;
  SweepWork& operator=(const SweepWork&) = delete;

  [[nodiscard]] SweepManifest manifest(RowFormat format) const;
  /// Throws ScenarioError when it is the sweep that is wrong: before anything is written.
  void check_loading() const { SweepRows(spec, plan, catalogue, RowFormat::Csv).check_loading(); }
  [[nodiscard]] RowBeginning beginning(RowFormat format) const {
    return [this, format](std::uint64_t row) { return row_beginning(plan, row, format); };
  }
};

/// The sweep that the argument names, with --set, --seed, --samples and --replications.
SweepSpec sweep_of(const Options& options, const Catalogue& catalogue);
/// The sweep that a result folder holds; refuses one of another program or catalogue.
std::unique_ptr<SweepWork> sweep_in(const SweepFolder& folder, const Catalogue& catalogue);

/// Threads inside a point: more than one only when there are fewer rows than threads.
unsigned inner_jobs(unsigned jobs, std::uint64_t rows);

/// Hands over rows [first, last) that are missing, in order, on --jobs threads; with --timing, says how long it took.
void run_rows(const SweepWork& work, RowFormat format, OrderedLines lines, const Options& options);

/// Makes the rows of a shard that are missing in its file (all rows when `of` is 1), on --jobs threads.
void make_rows(const SweepWork& work, const SweepFolder& folder, std::uint64_t index, std::uint64_t of,
               const Options& options);

/// Writes summary.json (and intervals.csv) from the points file, says that the folder is complete, and prints the summary.
/// Returns the exit code: 1 when some point ended with an error.
int finish_sweep(const SweepWork& work, SweepFolder& folder, const Options& options);

/// Merges the shards and finishes; when some are missing, names them on standard error, merges nothing and returns 1.
int merge_sweep(const SweepWork& work, SweepFolder& folder, const Options& options);

/// Shards of the folder that are not there, not whole, or not what they should be: (index, why).
std::vector<std::pair<std::uint64_t, std::string>> missing_shards(const SweepWork& work, const SweepFolder& folder);

/// The page, or with --format json the JSON, of what was found.
void print_summary(const SweepSummary& summary, const Options& options);

/// The exit code of rows that have been counted; tells of errors on standard error.
int exit_code_of(const SweepSummary& summary);

inline constexpr OptionRow kIndex{"index", "I", "number of the shard, from 0"};
inline constexpr OptionRow kOf{"of", "N", "number of shards that the sweep is cut into"};
inline constexpr OptionRow kSweepSet{"set", "POINTER=VALUE",
                                     "a field of the scenario or query, the same in all points; may be repeated", true};
inline constexpr OptionRow kSamples{"samples", "N", "draws of the uncertain numbers, instead of the file's"};
inline constexpr OptionRow kReplications{"replications", "K",
                                         "independent repetitions of each point, instead of the file's"};
inline constexpr OptionRow kTiming{"timing", "",
                                   "say on standard error how long it took, and how much of that beside simulating"};
inline constexpr OptionRow kSummaryFormat{"format", "FORMAT", "table (default) or json: of the summary"};
inline constexpr OptionRow kRowFormat{"format", "FORMAT",
                                      "table (default), json: the summary; csv, jsonl: the points, in order, as they come"};

}  // namespace tokenomics::cli
