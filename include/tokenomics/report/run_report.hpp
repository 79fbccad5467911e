#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/study/run_result.hpp"

namespace tokenomics {

/// What a report says besides the result itself.
struct ReportOptions {
  std::string version;              ///< of the program
  bool color = false;               ///< terminal escapes in tables
  std::optional<double> wall_s;     ///< given: `performance` is reported, and the bytes differ from run to run
  std::vector<std::string> only{};  ///< dotted names: JSON of a run has just the blocks that these lie in; empty: all
  bool with_scenario = true;        ///< false: JSON leaves out the resolved scenario, most of its bytes and time
};

/// A run as "tokenomics.result/1". Numbers have 9 significant digits; null stands where something does not apply; keys
/// come in a fixed order. The scenario is not rounded: loading it again gives the same run.
nlohmann::ordered_json result_json(const RunResult& result, const ReportOptions& options = {});

/// One line of names and one of values: the scalars of result_json() with dotted names, pools by number, without the
/// resolved scenario, the windows and the notes. Null is an empty field.
std::string result_csv(const RunResult& result, const ReportOptions& options = {});

/// A page for people, at most 100 characters wide: a verdict in one line, then blocks.
std::string result_table(const RunResult& result, const ReportOptions& options = {});

/// Whether the objectives were met, each at its percentile of all arrived requests; nothing without objectives.
std::optional<bool> slo_met(const RunResult& result);

}  // namespace tokenomics
