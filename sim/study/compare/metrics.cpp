#include <algorithm>

#include "parts.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

constexpr std::string_view kHalfWidth = "ci95";

std::string_view last_component(std::string_view metric) { return metric.substr(metric.rfind('.') + 1); }

/// Of a mean only: the column with its half-width.
std::optional<std::size_t> ci95_of(const ResultPoints& points, std::string_view metric) {
  const std::string_view last = last_component(metric);
  if (last != "mean") return std::nullopt;
  return points.find(std::string(metric.substr(0, metric.size() - last.size())) + std::string(kHalfWidth));
}

/// A frontier's context is a requirement without a tolerance: a network either takes the tokens or does not.
bool is_compared(const ResultPoints& points, std::size_t column) {
  if (points.kind == ResultKind::Frontier) return column != kFrontierContext;
  return last_component(points.metrics[column].name) != kHalfWidth;
}

std::vector<ComparedMetric> all_metrics(const ResultPoints& base, const ResultPoints& now) {
  std::vector<ComparedMetric> all;
  for (std::size_t column = 0; column < base.metrics.size(); ++column) {
    if (!is_compared(base, column)) continue;
    const std::string& name = base.metrics[column].name;
    all.push_back({name, {}, better_of(name), column, now.find(name), ci95_of(base, name), ci95_of(now, name)});
  }
  for (std::size_t column = 0; column < now.metrics.size(); ++column) {
    const std::string& name = now.metrics[column].name;
    if (!is_compared(now, column) || base.find(name)) continue;
    all.push_back({name, {}, better_of(name), std::nullopt, column, std::nullopt, std::nullopt});
  }
  return all;
}

void check_pattern(const MetricPattern& pattern, const std::vector<ComparedMetric>& metrics,
                   std::vector<Problem>& problems) {
  std::vector<std::string> names;
  for (const ComparedMetric& metric : metrics) {
    if (matches(pattern.pattern, metric.name)) return;
    names.push_back(metric.name);
  }
  std::string bare = pattern.pattern;
  bare.erase(std::remove(bare.begin(), bare.end(), '*'), bare.end());
  problems.push_back({pattern.from, "", '"' + pattern.pattern + '"', "a metric that is compared, or a pattern of some",
                      nearest_name(bare, names)});
}

}  // namespace

std::vector<ComparedMetric> compared_metrics(const ResultPoints& base, const ResultPoints& now, const CompareRules& rules) {
  std::vector<ComparedMetric> all = all_metrics(base, now);
  std::vector<Problem> problems;
  for (const MetricTolerance& tolerance : rules.metrics) check_pattern(tolerance.of, all, problems);
  for (const MetricPattern& pattern : rules.ignore) check_pattern(pattern, all, problems);
  if (!problems.empty()) throw ScenarioError(problems);
  std::vector<ComparedMetric> compared;
  for (ComparedMetric& metric : all) {
    const bool is_ignored = std::any_of(rules.ignore.begin(), rules.ignore.end(),
                                        [&](const MetricPattern& pattern) { return matches(pattern.pattern, metric.name); });
    if (is_ignored) continue;
    metric.tolerance = tolerance_of(rules, metric.name);
    compared.push_back(std::move(metric));
  }
  return compared;
}

}  // namespace tokenomics
