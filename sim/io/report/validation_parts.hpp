#pragma once

#include <string>
#include <vector>

#include "tokenomics/report/validation_report.hpp"

namespace tokenomics {

/// "predicted", "relabelled" (predicted, against its label), "infeasible" or "invalid".
std::string outcome_of(const ValidatedPoint& point);

/// How near the calibration of a point is to it: a name of ServedFit, "given", or nothing where the point never got one.
std::string nearness_of(const BenchmarkPoint& point, const ValidationInputs& inputs);

/// Points that were not predicted for the same reason.
struct ReasonCount {
  std::string outcome, reason;  ///< that of the first
  std::size_t points = 0;
  std::string first;  ///< "file:line"
};
/// Most frequent first; reasons that differ in free-standing numbers only are one. Relabelled points have a line too.
std::vector<ReasonCount> reasons_of(const BenchmarkSet& set, const Validation& validation);

/// Points of a GPU under an engine that were predicted with the same calibration.
struct CalibrationUse {
  std::string gpu, engine, calibration, nearness;
  std::size_t points = 0;
};
/// By GPU and engine, as the points name them.
std::vector<CalibrationUse> calibrations_of(const BenchmarkSet& set, const Validation& validation,
                                            const ValidationInputs& inputs);

/// A row of --predictions and of "predictions".
nlohmann::ordered_json prediction_row(const BenchmarkSet& set, const ValidatedPoint& point, const ValidationInputs& inputs);

}  // namespace tokenomics
