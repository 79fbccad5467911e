#pragma once

#include "pricer.hpp"

namespace tokenomics {

/// The scenario that simulates a fleet of a candidate, one that `run` takes as well.
Scenario scenario_of(const Query& query, const Candidate& candidate, const Fleet& fleet);

/// Simulates it from its stationary state: one instance of each kind in the fleet's proportion suffices, at the load
/// that each of them has.
SimulatedPoint simulate_fleet(const Query& query, const Candidate& candidate, const Fleet& fleet, const Bounds& bounds,
                              const Pricer& pricer);

}  // namespace tokenomics
