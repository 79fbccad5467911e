#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/study/validation_gate.hpp"

namespace tokenomics {

/// What a report of a validation says besides the errors.
struct ValidationInputs {
  std::vector<std::string> points, flags;  ///< files
  std::string calibration;                 ///< that was given for all points; empty: the catalogue's best for each
};

/// How quantities are defined and points were run, in one sentence.
std::string validation_conventions(const BenchmarkRules& rules);

/// "tokenomics.validation/1": groups, totals, calibrations, what could not be predicted, and every prediction. Errors in
/// percent; null where no point has the quantity.
nlohmann::ordered_json validation_json(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs,
                                       const ReportOptions& options = {});

/// One row a group, then all, DeepSeek alone and the mean over GPU x engine x network, told apart by `scope`.
std::string validation_csv(const Validation& validation);

/// A page for people.
std::string validation_table(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs,
                             const ReportOptions& options = {});

/// Reads a file of thresholds (thresholds.schema.json). Throws ScenarioError with every problem.
std::vector<ErrorGate> read_thresholds(const std::string& path, const Catalogue& catalogue);

/// One row a point, in order of the files.
std::string predictions_csv(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs);

}  // namespace tokenomics
