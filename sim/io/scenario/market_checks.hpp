#pragma once

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/market_spec.hpp"

namespace tokenomics {

/// What the sections of a market say of each other: somebody asks, somebody is there, events find whom they concern.
void check_market(const MarketSpec& market, const nlohmann::json& file, const Reporter& report);

/// Every uncertain number at either end of its range is one that the file may have.
void check_draws(const nlohmann::json& file, const Reporter& report, const Catalogue& catalogue);

}  // namespace tokenomics
