#include "tokenomics/study/fleet_control.hpp"

#include <algorithm>

#include "tokenomics/study/fleet_rule.hpp"

namespace tokenomics {
namespace {

/// Of one instance: any of its GPUs ends it, at the rate of all of them.
FailureLaw failure_law(const FailureSpec& spec, const BuiltPool& pool) {
  return {.mtbf_s = spec.mtbf_gpu_hours * kSecondsPerHour / pool.gpus_per_instance(),
          .repair_s = spec.repair_s,
          .detect_s = spec.detect_s,
          .retry = spec.retry,
          .paid_while_down = spec.paid_while_down};
}

PoolFleet steady(const Scenario& scenario, const BuiltPool& pool) {
  PoolFleet fleet;
  fleet.scaling.min_instances = fleet.scaling.max_instances = pool.config.instances;
  fleet.start_up = start_up_of(scenario.fleet.start_up.value_or(StartUpSpec{}), pool);
  if (scenario.fleet.failures) fleet.failures = failure_law(*scenario.fleet.failures, pool);
  fleet.gpus_per_instance = pool.gpus_per_instance();
  return fleet;
}

std::optional<double> hour_at_start(const WorkloadSpec& workload) {
  if (const auto* day = std::get_if<DayNightArrivals>(&workload.arrivals); day != nullptr && workload.mix.empty())
    return day->start_hour;
  for (const WorkloadSpec& part : workload.mix) {
    if (const auto hour = hour_at_start(part)) return hour;
  }
  return std::nullopt;
}

/// Nodes by the hour -> instances of each pool by the hour.
void follow_schedule(FleetControl& control, const Scenario& scenario, const BuiltService& service) {
  const auto& nodes = scenario.fleet.schedule_nodes;
  const double start = *hour_at_start(scenario);
  control.on_at_start = share_nodes(service, scheduled_nodes(nodes, start)).instances;
  for (std::size_t i = 0; i < control.pools.size(); ++i) {
    InstanceSchedule schedule{{}, start};
    int most = 0;
    for (const auto& [hour, count] : nodes) {
      schedule.instances.emplace_back(hour, share_nodes(service, count).instances[i]);
      most = std::max(most, schedule.instances.back().second);
    }
    Scaling& scaling = control.pools[i].scaling;
    scaling.rule = schedule;
    scaling.min_instances = 1;
    scaling.max_instances = most;
    scaling.stabilization_s = 0;
  }
}

}  // namespace

std::optional<double> hour_at_start(const Scenario& scenario) {
  if (const auto hour = hour_at_start(scenario.workload)) return hour;
  return scenario.fleet.kind == FleetSpec::Kind::Schedule ? std::optional(0.0) : std::nullopt;
}

StartUp start_up_of(const StartUpSpec& spec, const BuiltPool& pool) {
  const double load_s = pool.memory.weights().value() / (spec.load_GBps_per_gpu * 1e9);
  return {.provisioning_s = spec.provisioning_s, .load_s = load_s, .warm_up_s = spec.warm_up_s};
}

std::optional<FleetControl> fleet_control(const Scenario& scenario, const BuiltService& service) {
  const FleetSpec& spec = scenario.fleet;
  const bool scheduled = spec.kind == FleetSpec::Kind::Schedule;
  if (scenario.measure.windows_per_day > 0) return std::nullopt;
  if (spec.kind != FleetSpec::Kind::Autoscale && !scheduled && !spec.failures) return std::nullopt;
  FleetControl control;
  for (const BuiltPool& pool : service.pools) {
    control.pools.push_back(steady(scenario, pool));
    control.on_at_start.push_back(pool.config.instances);
    for (const AutoscaleSpec& one : spec.autoscale) {
      if (one.pool.empty() || one.pool == pool.spec->name) control.pools.back().scaling = one.scaling;
    }
  }
  if (scheduled) follow_schedule(control, scenario, service);
  return control;
}

}  // namespace tokenomics
