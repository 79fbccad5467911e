#pragma once

#include "tokenomics/study/fleet_rule.hpp"

namespace tokenomics {

constexpr int kTrialInstances = 4;  ///< of a rule's trials: enough for the router to matter

/// Largest rate in (0, high] for which `holds` is true, to 0.2% of `high`, finer than whole units need; `holds` is true
/// below and false above some rate. 0: nowhere.
template <class Holds>
double largest_rate(double high, const Holds& holds) {
  double low = 0;
  for (int i = 0; i < 9; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

/// Requests per second that one mixed instance takes while it holds the rule's mean speed and, where the rule has one, its
/// p90 first token: found by simulating mixed instances. Throws Infeasible when none is held.
double mixed_capacity(const Scenario& scenario, const BuiltService& service);

}  // namespace tokenomics
