#pragma once

#include <optional>
#include <vector>

#include "tokenomics/sim/fleet.hpp"
#include "tokenomics/study/build_service.hpp"

namespace tokenomics {

/// A scenario's fleet as a run sees it, by pool in the engine's order.
struct FleetControl {
  std::vector<PoolFleet> pools;
  std::vector<int> on_at_start;
};

/// Time of day at the start of a run: that of day/night arrivals (of a mix: of the first part that has them), midnight under
/// a schedule of nodes. Nothing: no clock.
std::optional<double> hour_at_start(const Scenario& scenario);

/// Nothing where the instances of a run stay as they are: fixed fleets without failures, and windows of a day.
std::optional<FleetControl> fleet_control(const Scenario& scenario, const BuiltService& service);

/// From the order of an instance to its first request. Loading takes a GPU's weights over its bandwidth: GPUs load at once.
StartUp start_up_of(const StartUpSpec& spec, const BuiltPool& pool);

}  // namespace tokenomics
