#include "tokenomics/market/operating_point.hpp"

#include "tokenomics/base/error.hpp"

namespace tokenomics {

const char* to_string(Objective objective) {
  switch (objective) {
    case Objective::OwnMix: return "own_mix";
    case Objective::Blended31: return "blended_3_1";
    case Objective::Output: return "output";
    case Objective::PerAnswer: return "per_answer";
  }
  TOKENOMICS_CHECK(false, "unnamed objective");
}

const char* to_string(Constraint constraint) {
  switch (constraint) {
    case Constraint::None: return "none";
    case Constraint::Ttft: return "ttft";
    case Constraint::Interactivity: return "interactivity";
    case Constraint::Context: return "context";
    case Constraint::HbmCapacity: return "hbm_capacity";
    case Constraint::Compute: return "compute";
    case Constraint::Places: return "batch_limit";
    case Constraint::Fleet: return "fleet";
    case Constraint::Load: return "load";
  }
  TOKENOMICS_CHECK(false, "unnamed constraint");
}

std::optional<TokenPrices> prices_of(const OperatingPoint& point, double margin_over_revenue,
                                     const std::optional<TokenPrices>& ratios) {
  if (!ratios) return prices_from_costs(point.cost.per_token, margin_over_revenue);
  const TokenVolume& one = point.per_request;
  if (one.output <= 0 || one.input_computed + one.input_cached <= 0) return std::nullopt;
  return prices_in_ratios(*ratios, point.cost.having,
                          {one.input_computed * point.requests_per_s, one.input_cached * point.requests_per_s,
                           one.output * point.requests_per_s},
                          margin_over_revenue);
}

double objective_of(const OperatingPoint& point, const TokenPrices& prices, Objective objective) {
  const TokenVolume& one = point.per_request;
  const double per_request = revenue(prices, one).value();
  const double input = one.input_computed + one.input_cached;
  switch (objective) {
    case Objective::OwnMix: return per_request / (input + one.output);
    case Objective::Output: return prices.output.value();
    case Objective::PerAnswer: return per_request;
    case Objective::Blended31: break;
  }
  // Input at this workload's cache hits, as in CostBreakdown.
  const double per_input = revenue(prices, {one.input_computed, one.input_cached, 0}).value() / input;
  return (3 * per_input + prices.output.value()) / 4;
}

}  // namespace tokenomics
