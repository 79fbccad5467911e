#include "tokenomics/cost/accounting.hpp"

#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

void check_pool(const PoolUse& pool) {
  const Seconds none{0};
  TOKENOMICS_CHECK(pool.provisioned >= none && pool.busy >= none && pool.prefill >= none && pool.decode >= none,
                   "provisioned " + std::to_string(pool.provisioned.value()) + " s, busy " +
                       std::to_string(pool.busy.value()) + " s, prefill " + std::to_string(pool.prefill.value()) +
                       " s, decode " + std::to_string(pool.decode.value()) + " s");
  TOKENOMICS_CHECK(pool.busy <= pool.provisioned * (1.0 + 1e-9),
                   "busy " + std::to_string(pool.busy.value()) + " s of " + std::to_string(pool.provisioned.value()) + " s");
}

void check_volume(const TokenVolume& volume) {
  TOKENOMICS_CHECK(volume.input_computed >= 0.0 && volume.input_cached >= 0.0 && volume.output >= 0.0,
                   std::to_string(volume.input_computed) + " computed, " + std::to_string(volume.input_cached) +
                       " cached, " + std::to_string(volume.output) + " output tokens");
}

void move_cost(Usd& from, Usd& to) {
  to += from;
  from = Usd{0};
}

/// Cost of classes without tokens goes to the nearest class with some. Needs at least one class with tokens.
void hand_over(ClassCosts& parts, const TokenVolume& volume) {
  const bool computed = volume.input_computed > 0.0;
  const bool cached = volume.input_cached > 0.0;
  const bool output = volume.output > 0.0;
  if (!cached) move_cost(parts.input_cached, computed ? parts.input_computed : parts.output);
  if (!computed) move_cost(parts.input_computed, cached ? parts.input_cached : parts.output);
  if (!output) move_cost(parts.output, computed ? parts.input_computed : parts.input_cached);
}

struct Allocation {
  ClassCosts parts;
  Usd without_steps{0};
};

/// c_prefill = c t_prefill / (t_prefill + t_decode) of each pool's GPU cost c, and the rest to decode.
Allocation allocate(const std::vector<PoolUse>& pools) {
  Allocation allocation;
  for (const PoolUse& pool : pools) {
    const Usd gpus = pool.gpu * pool.provisioned;
    const Seconds steps = pool.prefill + pool.decode;
    allocation.parts.input_cached += pool.kv_storage * pool.provisioned + pool.kv_loads;
    if (steps > Seconds{0}) {
      const Usd prefill = gpus * (pool.prefill / steps);
      allocation.parts.input_computed += prefill;
      allocation.parts.output += gpus - prefill;
    } else {
      allocation.without_steps += gpus;
    }
  }
  return allocation;
}

/// Pools without a step follow the others; when none took a step the cost stays with computed input (and from there
/// goes to whatever class has tokens).
void share_stepless(Allocation& allocation) {
  const Usd with_steps = allocation.parts.input_computed + allocation.parts.output;
  const double to_output = with_steps > Usd{0} ? (allocation.parts.output / with_steps).value() : 0.0;
  allocation.parts.output += to_output * allocation.without_steps;
  allocation.parts.input_computed += (1.0 - to_output) * allocation.without_steps;
}

std::optional<UsdPerToken> over(Usd cost, double tokens) {
  if (tokens <= 0.0) return std::nullopt;
  return cost / Tokens{tokens};
}

double price_factor(double margin) {
  if (margin >= 1.0) {
    throw Infeasible("no price leaves a margin over revenue of " + std::to_string(margin) + ": it must be below 1");
  }
  return 1.0 / (1.0 - margin);
}

}  // namespace

PerToken per_token(const ClassCosts& parts, const TokenVolume& volume) {
  const double all_input = volume.input_computed + volume.input_cached;
  PerToken result;
  result.input = over(parts.input_computed + parts.input_cached, all_input);
  result.input_computed = over(parts.input_computed, volume.input_computed);
  result.input_cached = over(parts.input_cached, volume.input_cached);
  result.output = over(parts.output, volume.output);
  if (result.input && result.output) result.blended_3_1 = (3.0 * *result.input + *result.output) / 4.0;
  result.own_mix = over(parts.total(), all_input + volume.output);
  return result;
}

CostBreakdown cost_breakdown(const std::vector<PoolUse>& pools, const TokenVolume& volume, double answers) {
  check_volume(volume);
  CostBreakdown result;
  Seconds provisioned{0};
  for (const PoolUse& pool : pools) {
    check_pool(pool);
    provisioned += pool.provisioned;
    result.having += (pool.gpu + pool.kv_storage) * pool.provisioned + pool.kv_loads;
    result.in_use += (pool.gpu + pool.kv_storage) * pool.busy + pool.kv_loads;
  }
  if (provisioned > Seconds{0}) result.per_gpu = result.having / provisioned;
  if (answers > 0.0) result.per_answer = result.having / answers;
  if (volume.input_computed + volume.input_cached + volume.output <= 0.0) {
    result.unallocated = result.having;
    return result;
  }
  Allocation allocation = allocate(pools);
  share_stepless(allocation);
  hand_over(allocation.parts, volume);
  result.parts = allocation.parts;
  result.per_token = per_token(result.parts, volume);
  return result;
}

std::optional<double> margin_over_cost(Usd revenue, Usd cost) {
  if (cost == Usd{0}) return std::nullopt;
  return (revenue - cost) / cost;
}

std::optional<double> margin_over_revenue(Usd revenue, Usd cost) {
  if (revenue == Usd{0}) return std::nullopt;
  return (revenue - cost) / revenue;
}

UsdPerToken price_from_cost(UsdPerToken cost, double margin) { return cost * price_factor(margin); }

std::optional<TokenPrices> prices_from_costs(const PerToken& costs, double margin) {
  const double factor = price_factor(margin);
  if (!costs.input_computed || !costs.output) return std::nullopt;
  TokenPrices prices{*costs.input_computed * factor, std::nullopt, *costs.output * factor};
  if (costs.input_cached) prices.input_cached = *costs.input_cached * factor;
  return prices;
}

std::optional<TokenPrices> prices_in_ratios(const TokenPrices& shape, Usd cost, const TokenVolume& volume, double margin) {
  const Usd wanted = cost * price_factor(margin);
  const Usd at_shape = revenue(shape, volume);
  if (at_shape <= Usd{0}) return std::nullopt;
  const double scale = wanted / at_shape;
  TokenPrices prices{shape.input * scale, std::nullopt, shape.output * scale};
  if (shape.input_cached) prices.input_cached = *shape.input_cached * scale;
  return prices;
}

}  // namespace tokenomics
