#include <algorithm>
#include <cmath>

#include "parts.hpp"

namespace tokenomics {
namespace {

/// One metric at one matched point.
struct Pair {
  const ResultPoints& base;
  const ResultPoints& now;
  const MatchedPoint& at;
};

bool is_within_noise(const ComparedMetric& metric, const Pair& pair, double base, double now) {
  if (!metric.base_ci95 || !metric.new_ci95) return false;
  const auto ci_base = pair.base.metrics[*metric.base_ci95].number(pair.at.base_point);
  const auto ci_new = pair.now.metrics[*metric.new_ci95].number(pair.at.new_point);
  if (!ci_base || !ci_new) return false;
  const double width = std::max(*ci_base, 0.0);
  return std::abs(now - base) <= std::hypot(width, std::clamp(*ci_new, 0.0, width));
}

void compare_numbers(Comparison& comparison, ComparedMetric& metric, const Pair& pair, double base, double now,
                     Finding finding) {
  if (!is_moved(metric.tolerance, base, now)) return;
  if (is_within_noise(metric, pair, base, now)) {
    ++metric.within_noise;
    ++comparison.within_noise;
    return;
  }
  finding.kind = FindingKind::Moved;
  add_finding(comparison, finding, is_better(metric.better, base, now));
}

void compare_metric(Comparison& comparison, std::size_t index, const MatchedPoint& at) {
  ComparedMetric& metric = comparison.metrics[index];
  if (!metric.base_column || !metric.new_column) return;
  const ResultColumn& base_column = comparison.base.metrics[*metric.base_column];
  const ResultColumn& new_column = comparison.now.metrics[*metric.new_column];
  const auto base = base_column.number(at.base_point), now = new_column.number(at.new_point);
  Finding finding{FindingKind::TextChanged, at.curve, static_cast<std::uint32_t>(index), at.base_point, at.new_point};
  if (base && now) {
    return compare_numbers(comparison, metric, {comparison.base, comparison.now, at}, *base, *now, finding);
  }
  const std::string *base_text = base_column.text(at.base_point), *new_text = new_column.text(at.new_point);
  const bool has_base = base || base_text != nullptr, has_new = now || new_text != nullptr;
  if (!has_base && !has_new) return;
  if (has_base && has_new && base_text != nullptr && new_text != nullptr && *base_text == *new_text) return;
  if (!has_new) finding.kind = FindingKind::ValueVanished;
  if (!has_base) finding.kind = FindingKind::ValueAppeared;
  add_finding(comparison, finding);
}

void compare_point(Comparison& comparison, const MatchedPoint& at) {
  Finding finding{FindingKind::MissingPoint, at.curve, Finding::kNone, at.base_point, at.new_point};
  if (at.new_point == Finding::kNone) return add_finding(comparison, finding);
  finding.kind = FindingKind::ExtraPoint;
  if (at.base_point == Finding::kNone) return add_finding(comparison, finding);
  ++comparison.curves[at.curve].points;
  finding.kind = FindingKind::StatusChanged;
  const std::string &before = comparison.base.status[at.base_point], &after = comparison.now.status[at.new_point];
  // Metrics of a point that has none any more would only say the same again.
  if (before != after) return add_finding(comparison, finding, after == "ok");
  for (std::size_t index = 0; index < comparison.metrics.size(); ++index) compare_metric(comparison, index, at);
}

}  // namespace

bool is_better(Better better, double base, double now) {
  switch (better) {
    case Better::Lower: return now < base;
    case Better::Higher: return now > base;
    case Better::NearZero: return std::abs(now) < std::abs(base);
    case Better::Unknown: break;
  }
  return false;
}

void add_finding(Comparison& comparison, const Finding& finding, bool is_for_the_better) {
  if (is_for_the_better && comparison.rules.only_worse) {
    ++comparison.better;
  } else {
    comparison.findings.push_back(finding);
  }
}

void compare_values(Comparison& comparison) {
  for (const MatchedPoint& at : match_points(comparison)) compare_point(comparison, at);
}

}  // namespace tokenomics
