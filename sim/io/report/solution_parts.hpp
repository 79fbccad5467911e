#pragma once

#include <nlohmann/json.hpp>

#include "tokenomics/study/solve.hpp"

namespace tokenomics {

// Blocks that solutions and frontiers share.

nlohmann::ordered_json price_block(const PricedDeployment& deployment, double margin_over_revenue);
nlohmann::ordered_json cost_block(const PricedDeployment& deployment);
nlohmann::ordered_json service_block(const PricedDeployment& deployment, const Query& query);
nlohmann::ordered_json deployment_block(const PricedDeployment& deployment);

/// An objective as it is written: USD per million tokens, or USD an answer.
double written(double objective, Objective kind);
const char* unit_of(Objective kind);

}  // namespace tokenomics
