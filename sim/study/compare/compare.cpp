#include "tokenomics/study/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parts.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

/// The axes of NEW in the order of BASE.
void align_axes(const ResultPoints& base, ResultPoints& now) {
  std::vector<std::vector<std::string>> values;
  for (const std::string& axis : base.axes) {
    const auto found = std::find(now.axes.begin(), now.axes.end(), axis);
    TOKENOMICS_CHECK(found != now.axes.end() && now.axes.size() == base.axes.size(), axis);
    values.push_back(std::move(now.axis_values[static_cast<std::size_t>(found - now.axes.begin())]));
  }
  now.axes = base.axes;
  now.axis_values = std::move(values);
}

void compare_columns(Comparison& comparison) {
  for (std::uint32_t index = 0; index < comparison.metrics.size(); ++index) {
    const ComparedMetric& metric = comparison.metrics[index];
    if (!metric.new_column) add_finding(comparison, {FindingKind::MissingMetric, Finding::kNone, index});
    if (!metric.base_column) add_finding(comparison, {FindingKind::ExtraMetric, Finding::kNone, index});
  }
}

bool is_of_one_file(FindingKind kind) {
  return kind == FindingKind::MissingPoint || kind == FindingKind::ExtraPoint || kind == FindingKind::NoLongerReached ||
         kind == FindingKind::NewlyReached;
}

/// Puts the findings of a curve together and counts them. Those of one point stand next to each other.
void sum_up(Comparison& comparison) {
  std::vector<Finding>& findings = comparison.findings;
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return a.curve + 1 < b.curve + 1;  // none comes first
  });
  for (std::size_t at = 0; at < findings.size(); ++at) {
    const Finding& finding = findings[at];
    if (finding.curve == Finding::kNone) continue;
    ComparedCurve& curve = comparison.curves[finding.curve];
    if (curve.findings++ == 0) curve.first = at;
    const bool is_same_point = curve.findings > 1 && findings[at - 1].base_point == finding.base_point &&
                               findings[at - 1].new_point == finding.new_point;
    if (!is_of_one_file(finding.kind) && !is_same_point) ++curve.moved;
    const bool is_worse = !curve.worst || severity(comparison, finding) > severity(comparison, findings[*curve.worst]);
    if (is_worse) curve.worst = at;
  }
}

}  // namespace

double severity(const Comparison& comparison, const Finding& finding) {
  if (finding.kind != FindingKind::Moved) return std::numeric_limits<double>::infinity();
  const ComparedMetric& metric = comparison.metrics[finding.metric];
  const double base = comparison.base.metrics[*metric.base_column].numbers[finding.base_point];
  const double now = comparison.now.metrics[*metric.new_column].numbers[finding.new_point];
  return std::abs(now - base) / allowed(metric.tolerance, base, now);
}

Comparison compare(ResultPoints base, ResultPoints now, CompareRules rules) {
  TOKENOMICS_CHECK(base.kind == now.kind, to_string(now.kind));
  align_axes(base, now);
  Comparison comparison;
  comparison.metrics = compared_metrics(base, now, rules);
  comparison.base = std::move(base);
  comparison.now = std::move(now);
  comparison.rules = std::move(rules);
  compare_columns(comparison);
  if (comparison.base.kind == ResultKind::Frontier) {
    compare_frontiers(comparison);
  } else {
    compare_values(comparison);
  }
  sum_up(comparison);
  return comparison;
}

}  // namespace tokenomics
