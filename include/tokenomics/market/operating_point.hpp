#pragma once

#include <optional>
#include <string>

#include "tokenomics/cost/accounting.hpp"
#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// What a price is compared by.
enum class Objective {
  OwnMix,     ///< revenue over all tokens of the workload, USD per token
  Blended31,  ///< (3 input + output) / 4, USD per token
  Output,     ///< USD per output token
  PerAnswer   ///< USD per request
};
const char* to_string(Objective objective);

/// Which constraint keeps a deployment from a heavier load, and so from a lower price.
enum class Constraint { None, Ttft, Interactivity, Context, HbmCapacity, Compute, Places, Fleet, Load };
/// Names of INTERFACE's `binding`: "ttft", "hbm_capacity", "batch_limit" ...
const char* to_string(Constraint constraint);

/// A service at one load: what its users get and what it costs to provide.
struct OperatingPoint {
  double requests_per_s = 0;
  double gpus = 0;
  UsdPerSecond cost_rate{0};
  Seconds ttft{0};  ///< at the percentile asked for, as are the speeds
  Seconds ttft_mean{0};
  TokensPerSecond interactivity{0};
  TokensPerSecond interactivity_mean{0};
  double batch_per_instance = 0;  ///< decoding sequences
  double kv_occupancy = 0;
  double busy = 0;           ///< of the pool that is busiest
  double prefill_share = 0;  ///< of busy GPU time
  TokenVolume per_request;   ///< mean tokens of a request by class
  CostBreakdown cost;        ///< of one second
};

/// Prices that bring `margin_over_revenue` on the costs of each class; `ratios`, when given, sets the proportions of the
/// three prices instead. Absent when the point serves no input or no output.
std::optional<TokenPrices> prices_of(const OperatingPoint& point, double margin_over_revenue,
                                     const std::optional<TokenPrices>& ratios = std::nullopt);

/// The figure that `objective` names, of such prices: USD per token, or per request.
double objective_of(const OperatingPoint& point, const TokenPrices& prices, Objective objective);

}  // namespace tokenomics
