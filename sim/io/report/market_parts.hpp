#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/study/market_run.hpp"

namespace tokenomics {

std::string date_text(Date date);
/// Whether the provider's cost in that period's accounts means anything: by the service that is in force.
bool has_known_cost(const MarketResult& result, const std::string& provider, const MarketPeriod& period);
/// True when each value is below the one before.
bool falls_every_period(const std::vector<std::optional<double>>& values);

}  // namespace tokenomics
