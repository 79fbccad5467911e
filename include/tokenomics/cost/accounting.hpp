#pragma once

#include <optional>
#include <vector>

#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// What a pool of GPUs did in the measured time. Its time is in GPU-seconds: two GPUs for three seconds are six.
struct PoolUse {
  UsdPerSecond gpu{0};         ///< cost of one GPU of this pool, without KV storage
  UsdPerSecond kv_storage{0};  ///< per GPU
  Seconds provisioned{0};      ///< GPU-seconds held, idle ones included
  Seconds busy{0};             ///< GPU-seconds in a step
  /// Time of the pool's steps spent on each phase; only their ratio counts. A prefill pool has decode = 0 and a decode
  /// pool prefill = 0; a mixed pool's idle time is shared in the same ratio as its steps.
  Seconds prefill{0};
  Seconds decode{0};
  Usd kv_loads{0};  ///< of bringing stored KV back
};

/// Cost that each class of tokens bears. The parts add up to the whole.
struct ClassCosts {
  Usd input_computed{0};
  Usd input_cached{0};
  Usd output{0};

  [[nodiscard]] Usd total() const { return input_computed + input_cached + output; }
};

/// USD per token of each class; absent where there are no such tokens.
struct PerToken {
  std::optional<UsdPerToken> input;  ///< all input, cached and computed together
  std::optional<UsdPerToken> input_computed;
  std::optional<UsdPerToken> input_cached;
  std::optional<UsdPerToken> output;
  /// Three input tokens at this workload's cache hits and one output token: (3 input + output) / 4.
  std::optional<UsdPerToken> blended_3_1;
  std::optional<UsdPerToken> own_mix;  ///< the whole over all tokens, input (cached too) and output
};

struct CostBreakdown {
  std::optional<UsdPerSecond> per_gpu;  ///< mean over provisioned GPU-seconds, storage included
  Usd having{0};                        ///< all provisioned GPU-seconds; prices are made from this one
  Usd in_use{0};                        ///< the busy ones only
  ClassCosts parts;                     ///< of `having`
  Usd unallocated{0};                   ///< the whole when nothing was served, else 0
  PerToken per_token;
  std::optional<Usd> per_answer;
};

/// Cost of the pools by token class: prefill time to computed input, decode time to output, KV storage and loads to
/// cached input.
/// A pool that took no step shares its cost as the other pools do. The cost of a class without tokens is borne by the
/// nearest class that has some (cached <-> computed input first, then output), so that prices still pay for the whole.
/// `answers` is the number of completed requests. Needs volumes and times >= 0, busy <= provisioned up to rounding.
CostBreakdown cost_breakdown(const std::vector<PoolUse>& pools, const TokenVolume& volume, double answers);

/// Costs or revenues of each class over its tokens.
PerToken per_token(const ClassCosts& parts, const TokenVolume& volume);

/// (revenue - cost) / cost: 545% for DeepSeek's published day. Absent when the cost is 0.
std::optional<double> margin_over_cost(Usd revenue, Usd cost);
/// (revenue - cost) / revenue: 84.5% for the same day. Absent when the revenue is 0.
std::optional<double> margin_over_revenue(Usd revenue, Usd cost);

/// price = cost / (1 - margin over revenue). A margin of 1 or more has no price: throws Infeasible. A negative margin
/// sells below cost.
UsdPerToken price_from_cost(UsdPerToken cost, double margin_over_revenue);

/// Each class at its own cost / (1 - margin). Absent unless computed input and output both have a cost per token.
std::optional<TokenPrices> prices_from_costs(const PerToken& costs, double margin_over_revenue);

/// Prices in the ratios of `shape` (only ratios count) whose revenue on this volume is cost / (1 - margin).
/// Absent when the shape earns nothing on this volume.
std::optional<TokenPrices> prices_in_ratios(const TokenPrices& shape, Usd cost, const TokenVolume& volume,
                                            double margin_over_revenue);

}  // namespace tokenomics
