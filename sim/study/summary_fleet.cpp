#include <algorithm>

#include <fmt/format.h>

#include "summaries.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/study/fleet_control.hpp"

namespace tokenomics {
namespace {

PoolControlSummary control_of(const PoolResult& r, const PoolFleet& fleet) {
  const double gpu_hours = fleet.gpus_per_instance / kSecondsPerHour;
  PoolControlSummary summary;
  summary.start_up_s = fleet.start_up.total_s();
  summary.load_s = fleet.start_up.load_s;
  summary.starts = static_cast<double>(r.starts);
  summary.stops = static_cast<double>(r.stops);
  summary.failures = static_cast<double>(r.failures);
  summary.starting_gpu_hours = r.starting_s * gpu_hours;
  summary.draining_gpu_hours = r.draining_s * gpu_hours;
  summary.down_gpu_hours = r.down_s * gpu_hours;
  if (!fleet.failures) return summary;
  summary.mtbf_instance_s = fleet.failures->mtbf_s;
  if (r.serving_s + r.down_s > 0) summary.availability = r.serving_s / (r.serving_s + r.down_s);
  return summary;
}

double nodes_of(const std::vector<int>& instances, const BuiltService& service) {
  double nodes = 0;
  for (std::size_t i = 0; i < instances.size(); ++i) nodes += instances[i] * service.pools[i].nodes_per_instance();
  return nodes;
}

/// Replications add up: the mean over them.
std::vector<FleetTimePoint> timeline_of(const RunResult& result) {
  std::vector<FleetTimePoint> timeline;
  const std::size_t parts = result.service.pools.front().timeline.size();
  const int replications = std::max(1, result.scenario.measure.replications);
  const double part_s = result.service.measured_s / replications / static_cast<double>(std::max<std::size_t>(1, parts));
  for (std::size_t k = 0; k < parts; ++k) {
    FleetTimePoint point{part_s * static_cast<double>(k), {}};
    for (const PoolResult& pool : result.service.pools)
      point.instances.push_back(pool.timeline.empty() ? 0.0 : pool.timeline[k] / (part_s * replications));
    timeline.push_back(std::move(point));
  }
  return timeline;
}

}  // namespace

void summarise_control(RunResult& result, const BuiltService& service) {
  const auto control = fleet_control(result.scenario, service);
  FleetSummary& fleet = result.fleet;
  if (control && result.service.fleet && result.represents_s > 0) {
    double paid_s = 0, held_s = 0, node_s = 0;
    for (std::size_t i = 0; i < service.pools.size(); ++i) {
      const PoolResult& r = result.service.pools[i];
      const double gpus = service.pools[i].gpus_per_instance();
      paid_s += r.provisioned_s * gpus;
      held_s += (r.serving_s + r.starting_s + r.down_s) * gpus;
      node_s += r.provisioned_s * service.pools[i].nodes_per_instance();
      fleet.control.push_back(control_of(r, control->pools[i]));
    }
    const FleetExtremes& extremes = *result.service.fleet;
    fleet.gpus_mean = paid_s / result.represents_s;
    fleet.gpus_peak = extremes.gpus_peak;
    fleet.nodes_mean = node_s / result.represents_s;
    fleet.nodes_peak = nodes_of(extremes.at_peak, service);
    fleet.nodes_trough = nodes_of(extremes.at_trough, service);
    fleet.gpu_hours = paid_s / kSecondsPerHour;
    const double owned = result.scenario.fleet.owned_gpus.value_or(fleet.gpus_peak);
    fleet.gpu_hours_released = std::max(0.0, owned * result.represents_s - held_s) / kSecondsPerHour;
    fleet.timeline = timeline_of(result);
  }
  const auto& owned = result.scenario.fleet.owned_gpus;
  if (owned && *owned < fleet.gpus_peak)
    throw Infeasible(fmt::format("fleet: {:.0f} GPUs are held at the peak, owned_gpus is {:.0f}", fleet.gpus_peak, *owned));
}

void summarise_research(RunResult& result) {
  const FleetSpec& spec = result.scenario.fleet;
  if (!spec.research_usd_per_gpu_hour) return;
  const FleetSummary& fleet = result.fleet;
  ResearchSummary research;
  research.owned = result.scenario.cost.total() * Seconds{spec.owned_gpus.value_or(fleet.gpus_peak) * result.represents_s};
  research.value = Usd{fleet.gpu_hours_released * *spec.research_usd_per_gpu_hour};
  research.net = research.owned - research.value;
  const double tokens = result.volume.input_computed + result.volume.input_cached + result.volume.output;
  if (tokens > 0) research.net_own_mix = UsdPerToken{research.net.value() / tokens};
  result.fleet.research = research;
}

}  // namespace tokenomics
