#pragma once

#include <vector>

#include "options.hpp"
#include "tokenomics/report/validation_report.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/study/benchmark_set.hpp"

namespace tokenomics::cli {

/// Arguments, --flags and --calibration of the commands that read measured points.
ValidationInputs point_inputs(const Options& options);

/// Points of all files, with drafts relabelled and flags joined.
std::vector<MeasuredPoint> measured_points(const ValidationInputs& inputs);

/// Each point as it was run. `measured` must outlive the set.
BenchmarkSet benchmark_set(const std::vector<MeasuredPoint>& measured, const Catalogue& catalogue);

}  // namespace tokenomics::cli
