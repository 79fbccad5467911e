#include "tokenomics/study/fleet_rule.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fleet_trials.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

constexpr double kTrialWarmUpS = 40;  // near saturation long prompts keep a prefill queue's memory for many passes
constexpr double kTrialWindowS = 40;

double prompt_p90_s(const Scenario& scenario, const BuiltService& service, double rate_per_instance) {
  ServiceConfig trial = service.config;
  trial.pools = {service.pools.front().config};
  trial.pools[0].role = PoolRole::Mixed;
  trial.pools[0].instances = kTrialInstances;
  trial.queue_limit_requests.reset();  // the wait itself is what the rule looks at
  trial.admission = {};
  trial.measure = {};
  // Counted by requests, not by time: the run goes on until the last measured prompt is through.
  trial.measure.warm_up_requests =
      static_cast<std::uint64_t>(std::ceil(rate_per_instance * kTrialInstances * kTrialWarmUpS));
  trial.measure.requests = static_cast<std::uint64_t>(std::ceil(rate_per_instance * kTrialInstances * kTrialWindowS));
  WorkloadSpec workload = scenario.workload;
  workload.arrivals = PoissonArrivals{rate_per_instance * kTrialInstances};
  const auto requests = make_request_source(workload, scenario.seed, 0);
  PromptsOnly prompts(*requests);
  return simulate(trial, prompts).ttft.histogram().quantile(0.9) * 1e-9;
}

double decode_speed(const BuiltService& service, double rate_per_instance) {
  const BuiltPool& pool = service.decode();
  const StationaryBatch batch = stationary_batch(pool.config, service.length_statistics, rate_per_instance);
  if (batch.saturated) return 0;
  const double tokens_per_step = 1 / mean_steps(pool.config.mtp, 1e6) * 1e6;
  return tokens_per_step / batch.step.value();
}

double hold_ttft(const Scenario& scenario, const BuiltService& service, double decode_rate) {
  const KvTransfer& transfer = service.config.kv_transfer;
  const StationaryBatch decode = stationary_batch(service.decode().config, service.length_statistics, decode_rate);
  // After prefill: the KV transfer and at most one decode step until the request joins the batch.
  const double after_s =
      transfer.latency.value() + service.length_statistics.mean_input * transfer.per_token.value() + decode.step.value();
  const double bound_s = scenario.fleet.ttft_p90_s - after_s;
  const double computed = service.length_statistics.mean_input - service.length_statistics.mean_cached;
  const double saturated = saturated_prefill_tok_s(scenario, service, service.pools.front()) / computed;
  const auto holds = [&](double rate) { return bound_s > 0 && prompt_p90_s(scenario, service, rate) <= bound_s; };
  const double rate = largest_rate(1.1 * saturated, holds);
  if (rate <= 0) {
    throw Infeasible(
        fmt::format("ttft: the fleet rule wants a p90 of {:.3f} s; KV transfer and one decode step take {:.3f} s and a "
                    "prompt alone longer than the rest",
                    scenario.fleet.ttft_p90_s, after_s));
  }
  return rate;
}

}  // namespace

double rate_at_speed(const BuiltService& service, double tok_s_user) {
  const auto holds = [&](double rate) { return decode_speed(service, rate) >= tok_s_user; };
  double high = 1e-3;
  if (!holds(high)) {
    throw Infeasible(fmt::format(
        "interactivity: an instance of pool \"{}\" reaches {:.2f} tok/s/user when nearly empty, the fleet rule wants {:.2f}",
        service.decode().spec->name, decode_speed(service, high), tok_s_user));
  }
  while (holds(high) && high < 1e9) high *= 2;
  double low = high / 2;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

InstanceCapacity instance_capacity(const Scenario& scenario, const BuiltService& service) {
  InstanceCapacity capacity;
  if (service.decode().config.role == PoolRole::Mixed) {
    capacity.decode_rate_per_s = mixed_capacity(scenario, service);
    return capacity;
  }
  capacity.decode_rate_per_s = rate_at_speed(service, scenario.fleet.interactivity_tok_s_user);
  capacity.prefill_rate_per_s = hold_ttft(scenario, service, capacity.decode_rate_per_s);
  return capacity;
}

FleetSize hold_service(const FleetSpec& rule, const BuiltService& service, const InstanceCapacity& capacity,
                       double rate_per_s) {
  const auto units = [&](double per_unit) { return std::max(1, static_cast<int>(std::ceil(rate_per_s / per_unit - 1e-9))); };
  FleetSize size;
  if (service.pools.size() > 1) size.instances.push_back(units(capacity.prefill_rate_per_s));
  int decode = units(capacity.decode_rate_per_s);
  const double prefill_nodes = size.instances.empty() ? 0 : size.instances[0] * service.pools.front().nodes_per_instance();
  const double per_decode = service.decode().nodes_per_instance();
  if (rule.max_nodes && prefill_nodes + decode * per_decode > *rule.max_nodes) {
    decode = std::max(1, static_cast<int>(std::floor((*rule.max_nodes - prefill_nodes) / per_decode)));
    size.capped = true;
  }
  size.instances.push_back(decode);
  size.nodes = prefill_nodes + decode * per_decode;
  return size;
}

FleetSize share_nodes(const BuiltService& service, double nodes) {
  double weight = 0;
  for (const BuiltPool& pool : service.pools) weight += pool.config.instances * pool.nodes_per_instance();
  const auto units = [](double wanted) { return std::max(1, static_cast<int>(std::floor(wanted + 1e-9))); };
  const BuiltPool& decode = service.decode();
  const double decode_share = nodes * decode.config.instances / weight;
  FleetSize size;
  if (service.pools.size() == 1) {
    size.instances = {units(decode_share)};
  } else {
    const int decodes = std::max(1, static_cast<int>(std::lround(decode_share)));
    const double left = nodes - decodes * decode.nodes_per_instance();
    size.instances = {units(left / service.pools.front().nodes_per_instance()), decodes};
  }
  for (std::size_t i = 0; i < service.pools.size(); ++i)
    size.nodes += size.instances[i] * service.pools[i].nodes_per_instance();
  return size;
}

double scheduled_nodes(const std::vector<std::pair<double, int>>& schedule, double hour) {
  TOKENOMICS_CHECK(!schedule.empty(), "empty schedule");
  int nodes = schedule.back().second;  // before the first change the last one of the day before holds
  for (const auto& [from, count] : schedule) {
    if (from <= hour) nodes = count;
  }
  return nodes;
}

double mean_scheduled_nodes(const std::vector<std::pair<double, int>>& schedule) {
  TOKENOMICS_CHECK(!schedule.empty(), "empty schedule");
  double node_hours = schedule.front().first * schedule.back().second;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const double until = i + 1 < schedule.size() ? schedule[i + 1].first : 24.0;
    node_hours += (until - schedule[i].first) * schedule[i].second;
  }
  return node_hours / 24;
}

}  // namespace tokenomics
