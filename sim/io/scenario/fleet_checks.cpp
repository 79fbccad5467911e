// What contradicts the fleet's section in the rest of a scenario.
#include <algorithm>
#include <set>

#include "sections.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

std::string text(double number) { return json(number).dump(); }
std::string text(int number) { return json(number).dump(); }

const PoolSpec* pool_named(const std::vector<PoolSpec>& pools, const std::string& name) {
  if (name.empty()) return pools.size() == 1 ? &pools.front() : nullptr;
  const auto found = std::find_if(pools.begin(), pools.end(), [&](const PoolSpec& pool) { return pool.name == name; });
  return found == pools.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<PoolSpec>& pools) {
  std::string names;
  for (const PoolSpec& pool : pools) names += (names.empty() ? "" : ", ") + pool.name;
  return names;
}

void check_size(const AutoscaleSpec& spec, const PoolSpec& pool, const Reporter& report) {
  const Scaling& scaling = spec.scaling;
  if (pool.instances < scaling.min_instances)
    report.at("min_instances")
        .add(text(scaling.min_instances),
             "at most the " + text(pool.instances) + " instances that pool " + pool.name + " starts with");
  if (pool.instances > scaling.max_instances)
    report.at("max_instances")
        .add(text(scaling.max_instances),
             "at least the " + text(pool.instances) + " instances that pool " + pool.name + " starts with");
}

/// A pool is steered by what it does itself: first tokens by prefill, speed by decode.
void check_signal(const AutoscaleSpec& spec, const PoolSpec& pool, const json& file, const Reporter& report) {
  if (const auto* rule = std::get_if<TargetUtilization>(&spec.scaling.rule)) {
    if (pool.role == PoolRole::Prefill && rule->signal == UtilizationSignal::Batch)
      report.at("signal").add("\"batch\"", "\"busy\": a prefill pool decodes nothing");
  }
  if (const auto* rule = std::get_if<SloTarget>(&spec.scaling.rule)) {
    if (pool.role == PoolRole::Prefill && rule->interactivity_tok_s_user)
      report.at("interactivity_tok_s_user")
          .add(file["interactivity_tok_s_user"].dump(), "ttft_s: a prefill pool decodes nothing");
    if (pool.role == PoolRole::Decode && rule->ttft_s)
      report.at("ttft_s").add(file["ttft_s"].dump(), "interactivity_tok_s_user: a decode pool makes no first tokens");
  }
}

void check_autoscale(const Scenario& scenario, const json& file, const Reporter& report) {
  const auto& pools = scenario.deployment.pools;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < scenario.fleet.autoscale.size(); ++i) {
    const AutoscaleSpec& spec = scenario.fleet.autoscale[i];
    const Reporter at = report.at("autoscale").at(std::to_string(i));
    const PoolSpec* pool = pool_named(pools, spec.pool);
    if (pool == nullptr) {
      at.at("pool").add(spec.pool.empty() ? "" : json(spec.pool).dump(), "one of the pools " + names_of(pools));
      continue;
    }
    if (!seen.insert(pool->name).second) at.at("pool").add(json(pool->name).dump(), "a pool that has no rule yet");
    check_size(spec, *pool, at);
    check_signal(spec, *pool, file["autoscale"][i], at);
  }
}

/// Instances come and go only inside runs that have a beginning.
void check_time(const Scenario& scenario, const Reporter& report) {
  const FleetSpec& fleet = scenario.fleet;
  const bool is_windowed = scenario.measure.windows_per_day > 0;
  const bool is_stationary = scenario.measure.start == MeasureSpec::Start::Stationary;
  const std::string reason = is_windowed ? "windows of a day are too short for instances to come, go or fail"
                                         : "a stationary start has no instances that come, go or fail";
  if (!is_windowed && !is_stationary) return;
  if (fleet.kind == FleetSpec::Kind::Autoscale)
    report.at("kind").add("\"autoscale\"", "a run from an empty start: " + reason);
  if (fleet.failures) report.at("failures").add("", "a run from an empty start: " + reason);
  if (!is_windowed && fleet.kind == FleetSpec::Kind::Schedule)
    report.at("kind").add("\"schedule\"", "windows of a day, or a run from an empty start: " + reason);
}

bool instances_start(const Scenario& scenario) {
  const FleetSpec& fleet = scenario.fleet;
  return fleet.kind == FleetSpec::Kind::Autoscale || fleet.failures ||
         (fleet.kind == FleetSpec::Kind::Schedule && scenario.measure.windows_per_day == 0);
}

/// GPUs that a fleet of known bounds holds at most; 0: not known before it runs.
int most_gpus(const Scenario& scenario) {
  if (scenario.fleet.kind == FleetSpec::Kind::HoldService || scenario.fleet.kind == FleetSpec::Kind::Schedule) return 0;
  int gpus = 0;
  for (const PoolSpec& pool : scenario.deployment.pools) {
    int instances = pool.instances;
    for (const AutoscaleSpec& spec : scenario.fleet.autoscale) {
      if (pool_named(scenario.deployment.pools, spec.pool) == &pool) instances = spec.scaling.max_instances;
    }
    gpus += instances * pool.plan.parallelism.gpus();
  }
  return gpus;
}

void check_lending(const Scenario& scenario, const Reporter& report) {
  const FleetSpec& fleet = scenario.fleet;
  const int most = most_gpus(scenario);
  if (fleet.owned_gpus && *fleet.owned_gpus < most)
    report.at("owned_gpus").add(text(*fleet.owned_gpus), "at least the " + text(most) + " GPUs that the pools may hold");
  if (fleet.research_usd_per_gpu_hour && fleet.kind == FleetSpec::Kind::Fixed && !fleet.owned_gpus) {
    report.at("research_usd_per_gpu_hour")
        .add(text(*fleet.research_usd_per_gpu_hour),
             "owned_gpus beside it: a fixed fleet holds all that it has and lends nothing");
  }
}

}  // namespace

void check_fleet(const Scenario& scenario, const Reporter& report) {
  const auto& pools = scenario.deployment.pools;
  const bool has_prefill =
      std::any_of(pools.begin(), pools.end(), [](const PoolSpec& pool) { return pool.role == PoolRole::Prefill; });
  if (scenario.fleet.kind == FleetSpec::Kind::HoldService && has_prefill && scenario.fleet.ttft_p90_s <= 0) {
    report.at("ttft_p90_s").add("", "the first-token time that prefill units hold (missing)");
  }
}

void check_fleet_run(const Scenario& scenario, const json& file, const Reporter& report) {
  if (scenario.deployment.pools.empty()) return;
  check_autoscale(scenario, file, report);
  check_time(scenario, report);
  check_lending(scenario, report);
  if (scenario.fleet.start_up && !instances_start(scenario))
    report.at("start_up").add("", "nothing: no instance starts in this fleet");
  if (scenario.fleet.kind == FleetSpec::Kind::Autoscale && scenario.fleet.max_nodes)
    report.at("max_nodes")
        .add(text(*scenario.fleet.max_nodes), "max_instances of each pool: autoscaling has no cap on nodes");
}

}  // namespace tokenomics
