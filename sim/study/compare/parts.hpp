#pragma once

#include "tokenomics/study/compare.hpp"

namespace tokenomics {

/// The metrics of both files that are compared, in the order of BASE, then those of NEW alone. Throws ScenarioError for
/// patterns that match none.
std::vector<ComparedMetric> compared_metrics(const ResultPoints& base, const ResultPoints& now, const CompareRules& rules);

/// A point of each file, or of one.
struct MatchedPoint {
  std::uint32_t curve = 0;
  std::uint32_t base_point = Finding::kNone;
  std::uint32_t new_point = Finding::kNone;
};
/// Chooses x, makes the curves and matches the points: those of BASE in their order, then what only NEW has.
std::vector<MatchedPoint> match_points(Comparison& comparison);

/// Whether the change is for the better, as far as the metric's name tells.
bool is_better(Better better, double base, double now);

/// Notes a finding; one that is for the better is only counted when the rules say so.
void add_finding(Comparison& comparison, const Finding& finding, bool is_for_the_better = false);

void compare_values(Comparison& comparison);
void compare_frontiers(Comparison& comparison);

}  // namespace tokenomics
