#include "tokenomics/study/rate_match.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tokenomics/base/error.hpp"
#include "tokenomics/study/fleet_rule.hpp"

namespace tokenomics {
namespace {

std::optional<double> speed_to_hold(const Scenario& scenario) {
  if (scenario.fleet.kind == FleetSpec::Kind::HoldService) return scenario.fleet.interactivity_tok_s_user;
  if (scenario.slo.interactivity_tok_s_user) return scenario.slo.interactivity_tok_s_user->value;
  return std::nullopt;
}

/// n sequences complete n / (E[steps] T(n)) requests/s: most with all places or the whole memory taken.
double full_rate(const BuiltService& service) {
  const PoolConfig& pool = service.decode().config;
  constexpr double kTooMany = 1e18;
  const StationaryBatch full = stationary_batch(pool, service.length_statistics, kTooMany);
  return full.sequences / (mean_steps(pool.mtp, service.length_statistics.mean_output - 1) * full.step.value());
}

}  // namespace

std::optional<RateMatch> match_rates(const InstanceLoad& prefill, const InstanceLoad& decode, double gpus) {
  RateMatch match{
      prefill.rate_per_s, decode.rate_per_s, std::nullopt, decode.rate_per_s / prefill.rate_per_s, gpus, 0, 0, 0};
  double used = std::numeric_limits<double>::infinity();
  for (int d = 1; d * decode.gpus + prefill.gpus <= gpus; ++d) {
    // No more prefill instances than the decode ones keep busy.
    const int most = static_cast<int>(std::floor((gpus - d * decode.gpus) / prefill.gpus));
    const int p = std::clamp(static_cast<int>(std::ceil(d * match.prefill_per_decode - 1e-9)), 1, most);
    const double rate = std::min(p * prefill.rate_per_s, d * decode.rate_per_s);
    const double taken = p * prefill.gpus + d * decode.gpus;
    if (rate < match.rate_per_s || (rate == match.rate_per_s && taken >= used)) continue;
    match.prefill = p;
    match.decode = d;
    match.rate_per_s = rate;
    used = taken;
  }
  if (match.prefill == 0) return std::nullopt;
  return match;
}

std::optional<RateMatch> rate_match(const Scenario& scenario, const BuiltService& service, double prefill_tok_s) {
  const LengthStatistics& lengths = service.length_statistics;
  const double computed = lengths.mean_input - lengths.mean_cached;
  if (service.pools.size() < 2 || lengths.mean_output <= 1 || computed <= 0 || prefill_tok_s <= 0) return std::nullopt;
  const std::optional<double> speed = speed_to_hold(scenario);
  double decode_rate = 0, gpus = 0;
  try {
    decode_rate = speed ? rate_at_speed(service, *speed) : full_rate(service);
  } catch (const Infeasible&) {
    return std::nullopt;
  }
  for (const BuiltPool& pool : service.pools) gpus += pool.config.instances * pool.gpus_per_instance();
  auto match = match_rates({prefill_tok_s / computed, service.pools.front().gpus_per_instance()},
                           {decode_rate, service.decode().gpus_per_instance()}, gpus);
  if (match) match->held_tok_s_user = speed;
  return match;
}

}  // namespace tokenomics
