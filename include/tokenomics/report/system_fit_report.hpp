#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/study/system_fit.hpp"

namespace tokenomics {

/// "tokenomics.calibration_fit/1": each fit with its numbers, standard errors, correlations, errors and points.
nlohmann::ordered_json system_fit_json(const HierarchyFit& fit, const BenchmarkSet& set, const ReportOptions& options = {});
/// A page for people: the numbers of each fit with standard errors, what hit a bound, and errors by fit.
std::string system_fit_table(const HierarchyFit& fit, const ReportOptions& options = {});
/// A line a number of a fit.
std::string system_fit_csv(const HierarchyFit& fit);

}  // namespace tokenomics
