#pragma once

#include <vector>

#include "tokenomics/study/fleet_rule.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics {

/// A part of the run that is simulated on its own: a window of the day, or the whole run.
struct WindowPlan {
  double hour = 0;          ///< local time of its middle
  double rate_per_s = 0;    ///< 0: as the workload says (closed loop, trace)
  double stands_for_s = 0;  ///< 0: for itself
  FleetSize fleet;
};

struct WindowOutcome {
  WindowPlan plan;
  ServiceResult result;  ///< replications merged
};

/// The windows of a scenario with their fleets. One window with the deployment's own instances when it has none.
std::vector<WindowPlan> plan_windows(const Scenario& scenario, const BuiltService& service);

/// Simulates all windows and replications on `options.jobs` threads; the outcome does not depend on how many.
std::vector<WindowOutcome> simulate_windows(const Scenario& scenario, const BuiltService& service,
                                            const std::vector<WindowPlan>& plans, const RunOptions& options);

}  // namespace tokenomics
