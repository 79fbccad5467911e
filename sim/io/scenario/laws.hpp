#pragma once

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/workload/marginals.hpp"

namespace tokenomics {

/// Laws of one number that the schema has accepted, and back.
LengthMarginal marginal_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of_marginal(const LengthMarginal& marginal);
TimeMarginal time_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of_time(const TimeMarginal& marginal);

}  // namespace tokenomics
