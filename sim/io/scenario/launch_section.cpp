#include <algorithm>

#include "serving_rules.hpp"

namespace tokenomics {

using nlohmann::json;

void read_launch(PoolSpec& pool, const json& file) {
  EngineLaunch& launch = pool.plan.launch;
  launch.graph_batch_sizes = file.value("graph_batch_sizes", launch.graph_batch_sizes);
  launch.overlaps_host = file.value("overlap_scheduling", launch.overlaps_host);
  pool.batching.releases_late = file.value("releases_late", pool.batching.releases_late);
  pool.batching.poll_steps = file.value("poll_steps", pool.batching.poll_steps);
}

void write_launch(json& file, const PoolSpec& pool) {
  const EngineLaunch& launch = pool.plan.launch;
  if (!launch.graph_batch_sizes.empty()) file["graph_batch_sizes"] = launch.graph_batch_sizes;
  if (launch.overlaps_host) file["overlap_scheduling"] = true;
  if (pool.batching.releases_late) file["releases_late"] = true;
  if (pool.batching.poll_steps != 1) file["poll_steps"] = pool.batching.poll_steps;
}

void check_launch(const PoolSpec& pool, const json& file, const Reporter& report) {
  const auto& sizes = pool.plan.launch.graph_batch_sizes;
  if (std::adjacent_find(sizes.begin(), sizes.end(), std::greater_equal<>()) != sizes.end())
    report.at("graph_batch_sizes").add(shown(file["graph_batch_sizes"]), "sizes that rise");
  const BatchingSpec& batching = pool.batching;
  if (batching.poll_steps <= 1) return;
  const auto refuse = [&](const char* why) { report.at("poll_steps").add(file["poll_steps"].dump(), why); };
  if (batching.queue != QueueOrder::Fcfs)
    refuse("1: looking for arrivals now and then is modelled for the queue \"fcfs\" only");
  if (batching.batch_tier) refuse("1: looking for arrivals now and then is modelled without a batch tier only");
  if (batching.schedules_ahead) refuse("1: looking for arrivals now and then is modelled without schedules_ahead only");
}

}  // namespace tokenomics
