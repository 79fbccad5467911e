#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "tokenomics/study/build_service.hpp"

namespace tokenomics {

/// Instances per pool for one window.
struct FleetSize {
  std::vector<int> instances;
  double nodes = 0;
  bool capped = false;  ///< the rule asked for more than the cap allows
};

/// The most requests per second that one instance of each pool takes while it holds the service of a rule.
struct InstanceCapacity {
  double prefill_rate_per_s = 0;  ///< p90 TTFT held (found by simulating prefill instances); 0 without a prefill pool
  /// Mean interactivity held (stationary batch of the step timer). Of mixed instances: that, and the p90 TTFT where the rule
  /// has one (found by simulating them).
  double decode_rate_per_s = 0;
};

/// Requests/s at which one decode instance has this mean speed: of tokens, in a stationary batch. Throws Infeasible when
/// even a single request at a time is slower.
double rate_at_speed(const BuiltService& service, double tok_s_user);

/// Throws Infeasible when even a single request at a time misses the service.
InstanceCapacity instance_capacity(const Scenario& scenario, const BuiltService& service);

/// As many units as the rule needs at this rate: prefill units first (first tokens), decode units get what the cap
/// leaves. At least one of each.
FleetSize hold_service(const FleetSpec& rule, const BuiltService& service, const InstanceCapacity& capacity,
                       double rate_per_s);

/// Whole units in a given number of nodes: decode units by their share of the deployment's nodes, to the nearest; prefill
/// units in what is left. At least one of each.
FleetSize share_nodes(const BuiltService& service, double nodes);

/// Nodes at an hour of a stepped daily schedule [(from hour, nodes)], which wraps midnight.
double scheduled_nodes(const std::vector<std::pair<double, int>>& schedule, double hour);
/// Exact time average over the day of the same schedule.
double mean_scheduled_nodes(const std::vector<std::pair<double, int>>& schedule);

}  // namespace tokenomics
