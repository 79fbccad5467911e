#pragma once

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics {

/// Reads what a sweep keeps and asks of its points: metrics, derived columns, objective and curves. The axes have been
/// read; every name is checked against them and against the schema of the result.
void read_columns(SweepSpec& spec, const nlohmann::json& file, const Reporter& report, const Catalogue& catalogue);

/// Metrics that are kept when the file names none.
std::vector<std::string> usual_metrics(SweepSubject subject);

}  // namespace tokenomics
