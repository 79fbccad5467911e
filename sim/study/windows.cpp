#include "windows.hpp"

#include <atomic>
#include <cmath>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"
#include "tokenomics/study/fleet_control.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {
namespace {

/// Mean rate at an hour: the day/night shape where the workload has one, else its mean rate.
double rate_at(const LoadedWorkload& workload, double hour) {
  const double mean = workload.mean_arrival_rate().value_or(0);
  const auto* day = std::get_if<DayNightArrivals>(&workload.spec().arrivals);
  if (day == nullptr || day->hourly_shape.empty()) return mean;
  double sum = 0;
  for (const double share : day->hourly_shape) sum += share;
  const auto n = day->hourly_shape.size();
  const auto at = static_cast<std::size_t>(std::floor(hour / 24.0 * static_cast<double>(n))) % n;
  return mean * day->hourly_shape[at] * static_cast<double>(n) / sum;
}

FleetSize fixed_fleet(const BuiltService& service) {
  FleetSize size;
  for (const BuiltPool& pool : service.pools) {
    size.instances.push_back(pool.config.instances);
    size.nodes += pool.config.instances * pool.nodes_per_instance();
  }
  return size;
}

/// The workload as a window of the day has it: one request a second, times the window's rate. Elsewhere as it is.
LoadedWorkload window_workload(const Scenario& scenario, const BuiltService& service, const std::vector<WindowPlan>& plans) {
  if (plans.empty() || plans.front().stands_for_s <= 0) return *service.workload;
  for (const WindowPlan& plan : plans) {
    if (plan.rate_per_s > 0) continue;
    throw ScenarioError(Problem{scenario.file, "/workload/arrivals",
                                fmt::format("{} requests/s at hour {:.2f}", plan.rate_per_s, plan.hour),
                                "a positive rate in every window", ""});
  }
  WorkloadSpec spec = service.workload->spec();
  if (plays_sessions(spec) || !spec.mix.empty()) {
    throw ScenarioError(Problem{scenario.file, "/measure/windows_per_day", std::to_string(scenario.measure.windows_per_day),
                                "0: the rate of sessions and of mixes is not one of single requests", ""});
  }
  if (auto* gamma = std::get_if<GammaArrivals>(&spec.arrivals)) gamma->rate_per_s = 1.0;
  else if (std::holds_alternative<PoissonArrivals>(spec.arrivals) || std::holds_alternative<DayNightArrivals>(spec.arrivals))
    spec.arrivals = PoissonArrivals{1.0};
  else
    throw ScenarioError(Problem{scenario.file, "/workload/arrivals/kind", "",
                                "poisson, gamma or day_night: windows of a day need a rate", ""});
  return LoadedWorkload(std::move(spec));
}

ServiceResult simulate_one(const Scenario& scenario, const BuiltService& service, const LoadedWorkload& workload,
                           const WindowPlan& plan, std::uint64_t window, std::uint64_t replication,
                           const RunOptions& options) {
  ServiceConfig config = service.config;
  for (std::size_t i = 0; i < config.pools.size(); ++i) config.pools[i].instances = plan.fleet.instances[i];
  config.replication = replication * 4096 + window;
  config.step_by_step = options.step_by_step;
  if (window == 0 && replication == 0) config.observer = options.observer;
  if (const auto control = fleet_control(scenario, service)) {
    config.fleet = control->pools;
    for (std::size_t i = 0; i < config.pools.size(); ++i) config.pools[i].instances = control->on_at_start[i];
  }
  if (scenario.measure.start == MeasureSpec::Start::Stationary)
    config.stationary = StationaryStart{service.lengths.get(), plan.rate_per_s};
  const auto source = workload.source(scenario.seed, config.replication, plan.stands_for_s > 0 ? plan.rate_per_s : 1.0);
  return simulate(config, *source);
}

}  // namespace

std::vector<WindowPlan> plan_windows(const Scenario& scenario, const BuiltService& service) {
  const int count = scenario.measure.windows_per_day;
  if (count <= 0) return {{0, service.workload->mean_arrival_rate().value_or(0), 0, fixed_fleet(service)}};
  std::optional<InstanceCapacity> capacity;
  if (scenario.fleet.kind == FleetSpec::Kind::HoldService) capacity = instance_capacity(scenario, service);
  std::vector<WindowPlan> plans;
  for (int i = 0; i < count; ++i) {
    WindowPlan plan;
    plan.hour = (i + 0.5) * 24.0 / count;
    plan.rate_per_s = rate_at(*service.workload, plan.hour);
    plan.stands_for_s = kSecondsPerDay / count;
    if (capacity) plan.fleet = hold_service(scenario.fleet, service, *capacity, plan.rate_per_s);
    else if (scenario.fleet.kind == FleetSpec::Kind::Schedule)
      plan.fleet = share_nodes(service, scheduled_nodes(scenario.fleet.schedule_nodes, plan.hour));
    else plan.fleet = fixed_fleet(service);
    plans.push_back(plan);
  }
  return plans;
}

std::vector<WindowOutcome> simulate_windows(const Scenario& scenario, const BuiltService& service,
                                            const std::vector<WindowPlan>& plans, const RunOptions& options) {
  const auto replications = static_cast<std::size_t>(std::max(1, scenario.measure.replications));
  const LoadedWorkload workload = window_workload(scenario, service, plans);
  std::vector<ServiceResult> results(plans.size() * replications);
  std::atomic<std::size_t> done{0};
  parallel_for(std::max(1U, options.jobs), results.size(), [&](std::size_t i) {
    results[i] =
        simulate_one(scenario, service, workload, plans[i / replications], i / replications, i % replications, options);
    if (options.progress) options.progress(static_cast<double>(++done) / static_cast<double>(results.size()));
  });
  std::vector<WindowOutcome> outcomes;
  for (std::size_t w = 0; w < plans.size(); ++w) {
    WindowOutcome outcome{plans[w], std::move(results[w * replications])};
    for (std::size_t r = 1; r < replications; ++r) outcome.result.merge(results[w * replications + r]);
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace tokenomics
