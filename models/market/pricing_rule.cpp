#include "tokenomics/market/pricing_rule.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

TokenPrices scaled(const TokenPrices& prices, double factor) {
  TokenPrices result = prices;
  result.input *= factor;
  if (result.input_cached) *result.input_cached *= factor;
  result.output *= factor;
  return result;
}

TokenPrices step_towards(const TokenPrices& prices, UsdPerToken target, const PricingRule& rule) {
  TOKENOMICS_CHECK(rule.damping > 0.0 && rule.damping <= 1.0, "damping = " + std::to_string(rule.damping));
  TOKENOMICS_CHECK(rule.floor <= rule.ceiling, "floor = " + std::to_string(rule.floor.value()));
  TOKENOMICS_CHECK(target.value() > 0.0, "target = " + std::to_string(target.value()));
  const UsdPerToken now = blended_3_1(prices);
  if (now.value() == 0.0) return prices;
  const UsdPerToken wanted = now * std::pow(target / now, rule.damping);
  return scaled(prices, std::clamp(wanted, rule.floor, rule.ceiling) / now);
}

}  // namespace tokenomics
