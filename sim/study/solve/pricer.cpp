#include "pricer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "tokenomics/study/build_service.hpp"

namespace tokenomics {
namespace {

constexpr int kMostInUnit = 8;  ///< instances of a pool in a unit that no demand sizes

int instances_for(double demand, double load) { return std::max(1, static_cast<int>(std::ceil(demand / load - 1e-9))); }

TokenVolume volume_of_request(const LengthStatistics& mean) {
  return {mean.mean_input - mean.mean_cached, mean.mean_cached, mean.mean_output};
}

TokenVolume times(const TokenVolume& volume, double factor) {
  return {volume.input_computed * factor, volume.input_cached * factor, volume.output * factor};
}

/// GPU-seconds of one second: a mixed pool's steps belong to prompts by their share of the time.
PoolUse use_of(const PoolOption& option, UsdPerSecond price, int instances, double busy, double prefill_share) {
  const double gpu_s = static_cast<double>(instances) * option.gpus();
  return {price,
          UsdPerSecond{0},
          Seconds{gpu_s},
          Seconds{gpu_s * std::min(1.0, busy)},
          Seconds{gpu_s * prefill_share},
          Seconds{gpu_s * (1 - prefill_share)}};
}

}  // namespace

bool follows_cost(const Query& query) {
  return query.price_ratios || query.objective == Objective::OwnMix || query.objective == Objective::PerAnswer;
}

Fleet Pricer::fleet(const Candidate& candidate, double prefill_load, double decode_load) const {
  if (candidate.is_mixed()) {
    if (!query_.demand_requests_per_s) return {0, 1, decode_load};
    return {0, instances_for(*query_.demand_requests_per_s, decode_load), *query_.demand_requests_per_s};
  }
  if (const auto& demand = query_.demand_requests_per_s)
    return {instances_for(*demand, prefill_load), instances_for(*demand, decode_load), *demand};
  Fleet best;
  double best_gpus = std::numeric_limits<double>::infinity();
  for (int p = 1; p <= kMostInUnit; ++p)
    for (int d = 1; d <= kMostInUnit; ++d) {
      const Fleet unit{p, d, std::min(p * prefill_load, d * decode_load)};
      const double per_request = gpus(candidate, unit) / unit.rate_per_s;
      if (per_request >= best_gpus * (1 - 1e-9) || !within_cap(candidate, unit)) continue;
      best_gpus = per_request;
      best = unit;
    }
  return best;
}

double Pricer::gpus(const Candidate& candidate, const Fleet& fleet) const {
  const double prefill = candidate.is_mixed() ? 0 : static_cast<double>(fleet.prefill) * candidate.prefill->gpus();
  return prefill + static_cast<double>(fleet.decode) * candidate.decode->gpus();
}

bool Pricer::within_cap(const Candidate& candidate, const Fleet& fleet) const {
  return !query_.fleet_cap_gpus || gpus(candidate, fleet) <= *query_.fleet_cap_gpus;
}

double Pricer::hand_over_s(const Candidate& candidate, const UnitPoint& decode) const {
  if (candidate.is_mixed()) return 0;
  const KvTransfer transfer = kv_transfer_of({}, candidate.prefill->spec.plan);
  return transfer.latency.value() + transfer.per_token.value() * evaluator_.workload().mean.mean_input +
         decode.decode.step_s / 2;
}

OperatingPoint Pricer::point(const Candidate& candidate, const Fleet& fleet, bool with_first_tokens) const {
  const double decode_rate = fleet.rate_per_s / fleet.decode;
  const bool whole = with_first_tokens && candidate.is_mixed();
  const UnitPoint unit =
      whole ? evaluator_.whole(*candidate.decode, decode_rate) : evaluator_.decode(*candidate.decode, decode_rate);
  UnitPoint prompts = unit;
  if (!candidate.is_mixed()) {
    prompts = {};
    if (with_first_tokens) prompts = evaluator_.prefill(*candidate.prefill, fleet.rate_per_s / fleet.prefill);
    prompts.ttft_s += hand_over_s(candidate, unit);
    prompts.ttft_mean_s += hand_over_s(candidate, unit);
  }
  const UsdPerSecond price = query_.hardware[candidate.hardware()].price;
  OperatingPoint point;
  point.requests_per_s = fleet.rate_per_s;
  point.gpus = gpus(candidate, fleet);
  point.cost_rate = price * point.gpus;
  point.ttft = Seconds{prompts.ttft_s};
  point.ttft_mean = Seconds{prompts.ttft_mean_s};
  point.interactivity = Tokens{unit.speed} / Seconds{1};
  point.interactivity_mean = Tokens{unit.speed_mean} / Seconds{1};
  point.batch_per_instance = unit.decode.sequences;
  point.kv_occupancy = unit.decode.kv_share;
  point.busy = std::max(unit.busy, prompts.busy);
  point.per_request = volume_of_request(evaluator_.workload().mean);
  std::vector<PoolUse> uses;
  if (!candidate.is_mixed()) uses.push_back(use_of(*candidate.prefill, price, fleet.prefill, prompts.busy, 1));
  const double share = candidate.is_mixed() ? unit.decode.prompt_share : 0;
  uses.push_back(use_of(*candidate.decode, price, fleet.decode, unit.busy, share));
  point.cost = cost_breakdown(uses, times(point.per_request, fleet.rate_per_s), fleet.rate_per_s);
  point.prefill_share = point.cost.parts.input_computed / point.cost.having;
  return point;
}

double Pricer::objective(const OperatingPoint& point) const {
  const auto prices = prices_of(point, query_.margin_over_revenue, query_.price_ratios);
  return prices ? objective_of(point, *prices, query_.objective) : std::numeric_limits<double>::infinity();
}

double Pricer::bound(const Candidate& candidate, double prefill_load, double decode_load) const {
  if (!follows_cost(query_)) return 0;
  double gpu_s = candidate.decode->gpus() / decode_load;
  if (!candidate.is_mixed()) gpu_s += candidate.prefill->gpus() / prefill_load;
  const Usd per_request = query_.hardware[candidate.hardware()].price * Seconds{gpu_s} / (1 - query_.margin_over_revenue);
  const TokenVolume one = volume_of_request(evaluator_.workload().mean);
  const double tokens = one.input_computed + one.input_cached + one.output;
  // Just below, so that rounding never puts a bound above the price itself.
  const double lowest = per_request.value() * (1 - 1e-9);
  if (query_.objective == Objective::PerAnswer) return lowest;
  return query_.objective == Objective::OwnMix ? lowest / tokens : 0;
}

std::string Pricer::priced_name(const Candidate& candidate) const {
  return candidate.is_mixed() ? candidate.decode->name() : candidate.prefill->name() + " + " + candidate.decode->name();
}

PricedDeployment Pricer::priced(const Candidate& candidate, const Fleet& fleet) const {
  PricedDeployment deployment;
  deployment.hardware = query_.hardware[candidate.hardware()].gpu.name;
  deployment.context_tokens = query_.context_tokens;
  if (!candidate.is_mixed()) {
    deployment.name = fmt::format("{} of {} + {} of ", fleet.prefill, candidate.prefill->name(), fleet.decode);
    deployment.deployment.pools.push_back(candidate.prefill->spec);
    deployment.deployment.pools.back().instances = fleet.prefill;
  } else if (fleet.decode > 1) {
    deployment.name = fmt::format("{} of ", fleet.decode);
  }
  deployment.name += candidate.decode->name();
  deployment.deployment.pools.push_back(candidate.decode->spec);
  deployment.deployment.pools.back().instances = fleet.decode;
  deployment.deployment.router = RouterPolicy::LeastLoaded;
  deployment.point = point(candidate, fleet, true);
  const auto prices = prices_of(deployment.point, query_.margin_over_revenue, query_.price_ratios);
  if (prices) deployment.prices = *prices;
  deployment.objective = objective(deployment.point);
  return deployment;
}

}  // namespace tokenomics
