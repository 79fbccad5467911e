#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "summaries.hpp"

namespace tokenomics {
namespace {

constexpr double kListed = 0.25;

void add(RunResult& result, const char* name, double strength, std::string detail) {
  if (strength >= kListed) result.binding.push_back({name, std::min(strength, 1.0), std::move(detail)});
}

/// Share of the mean decode step that each physical limit takes (time that the schedule does not hide).
void physical_limits(RunResult& result, const BuiltPool& pool, const PoolResult& r) {
  const DecodeLoad load = mean_decode_load(pool.config, r);
  if (load.sequences == 0) return;
  const StepExplanation step = pool.timer->explain(load, {});
  double compute = 0, hbm = 0, network = 0;
  for (const OperatorTime& op : step.operators) {
    const double share = op.time.value() * op.exposed_share / step.total.value();
    if (op.bound == "compute") compute += share;
    if (op.bound == "hbm") hbm += share;
    if (op.bound == "network") network += share;
  }
  add(result, "compute", compute, fmt::format("{:.0f}% of the mean decode step is bound by arithmetic", 100 * compute));
  add(result, "hbm_bandwidth", hbm, fmt::format("{:.0f}% of the mean decode step is bound by reading HBM", 100 * hbm));
  add(result, "network", network, fmt::format("{:.0f}% of the mean decode step is bound by links", 100 * network));
}

void service_limits(RunResult& result) {
  const Scenario& s = result.scenario;
  const ServiceResult& r = result.service;
  if (r.ttft.histogram().count() > 0) {
    const double p90 = r.ttft.histogram().quantile(0.9) * 1e-9;
    if (s.fleet.kind == FleetSpec::Kind::HoldService && s.fleet.ttft_p90_s > 0) {
      add(result, "ttft", p90 / s.fleet.ttft_p90_s,
          fmt::format("p90 {:.2f} s, the fleet rule holds {:.2f} s", p90, s.fleet.ttft_p90_s));
    } else if (s.slo.ttft_s) {
      const double seen = r.ttft.histogram().quantile(s.slo.ttft_s->percentile / 100) * 1e-9;
      add(result, "ttft", seen / s.slo.ttft_s->value,
          fmt::format("p{:g} {:.2f} s against {:.2f} s", s.slo.ttft_s->percentile, seen, s.slo.ttft_s->value));
    }
  }
  if (r.interactivity_count > 0) {
    const double mean = r.interactivity_sum / static_cast<double>(r.interactivity_count);
    if (s.fleet.kind == FleetSpec::Kind::HoldService) {
      add(result, "interactivity", s.fleet.interactivity_tok_s_user / mean,
          fmt::format("mean {:.1f} tok/s/user, the fleet rule holds {:.1f}", mean, s.fleet.interactivity_tok_s_user));
    } else if (s.slo.interactivity_tok_s_user) {
      const double seen = 1e9 / r.tpot.histogram().quantile(s.slo.interactivity_tok_s_user->percentile / 100);
      add(result, "interactivity", s.slo.interactivity_tok_s_user->value / seen,
          fmt::format("{:.1f} tok/s/user against {:.1f}", seen, s.slo.interactivity_tok_s_user->value));
    }
  }
  const double cut = static_cast<double>(r.requests.rejected_context_limit + r.requests.truncated) /
                     std::max(1.0, static_cast<double>(r.requests.arrived));
  if (cut >= 0.001)
    result.binding.push_back(
        {"context", std::min(1.0, 10 * cut),
         fmt::format("{:.2f}% of requests meet the limit of {} tokens", 100 * cut, result.max_context_tokens)});
}

}  // namespace

void find_binding_limits(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes) {
  const BuiltPool& pool = service.decode();
  const PoolResult& r = result.service.pools.back();
  physical_limits(result, pool, r);
  service_limits(result);
  const PoolSummary& summary = result.pools.back();
  if (summary.kv_occupancy_mean)
    add(result, "hbm_capacity", *summary.kv_occupancy_mean,
        fmt::format("KV memory {:.0f}% full on average", 100 * *summary.kv_occupancy_mean));
  double capped = 0;
  for (const WindowOutcome& outcome : outcomes)
    capped += outcome.plan.fleet.capped ? 1.0 / static_cast<double>(outcomes.size()) : 0.0;
  if (capped > 0)
    result.binding.push_back({"fleet", 1, fmt::format("the fleet is at its cap {:.0f}% of the time", 100 * capped)});
  // Room in the batch and in memory means that more load would be taken.
  const double filled = std::max(summary.kv_occupancy_mean.value_or(0),
                                 summary.batch_mean.value_or(0) / static_cast<double>(pool.config.batching.max_sequences));
  const double load =
      1 - std::max(filled, summary.busy_fraction.value_or(0) < 0.99 ? summary.busy_fraction.value_or(0) : filled);
  add(result, "load", load,
      fmt::format("batch {:.0f} of {} places", summary.batch_mean.value_or(0), pool.config.batching.max_sequences));
  std::stable_sort(result.binding.begin(), result.binding.end(),
                   [](const BindingLimit& a, const BindingLimit& b) { return a.strength > b.strength; });
}

}  // namespace tokenomics
