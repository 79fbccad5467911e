#include <algorithm>
#include <cmath>

#include "tokenomics/study/compare.hpp"

namespace tokenomics {
namespace {

using Patterns = std::vector<std::string_view>;

std::size_t literal_characters(std::string_view pattern) {
  return pattern.size() - static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
}

/// Whether one of the metric's dotted components matches one of the patterns.
bool has_component(std::string_view metric, const Patterns& patterns) {
  while (true) {
    const std::size_t dot = metric.find('.');
    const std::string_view component = metric.substr(0, dot);
    for (const std::string_view pattern : patterns) {
      if (matches(pattern, component)) return true;
    }
    if (dot == std::string_view::npos) return false;
    metric.remove_prefix(dot + 1);
  }
}

}  // namespace

double allowed(const Tolerance& tolerance, double base, double now) {
  const double rounding = kRounding * std::max(std::abs(base), std::abs(now));
  return tolerance.absolute + tolerance.relative * std::abs(base) + rounding;
}

bool is_moved(const Tolerance& tolerance, double base, double now) {
  return std::abs(now - base) > allowed(tolerance, base, now);
}

/// Goes back to the last '*' on a mismatch and lets it take one character more: enough, since what an earlier '*' took
/// need never change once a later one is reached.
bool matches(std::string_view pattern, std::string_view metric) {
  std::size_t at = 0, star = std::string_view::npos, taken_to = 0;
  for (std::size_t i = 0; i < metric.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken_to = i;
    } else if (at < pattern.size() && pattern[at] == metric[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++taken_to;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

Tolerance tolerance_of(const CompareRules& rules, std::string_view metric) {
  const MetricTolerance* chosen = nullptr;
  for (const MetricTolerance& candidate : rules.metrics) {
    if (!matches(candidate.of.pattern, metric)) continue;
    const bool is_as_specific =
        chosen == nullptr || literal_characters(candidate.of.pattern) >= literal_characters(chosen->of.pattern);
    if (is_as_specific) chosen = &candidate;
  }
  return chosen == nullptr ? rules.otherwise : chosen->tolerance;
}

/// The order matters: an error of a throughput is an error, an attainment of TTFT is an attainment, a margin stands
/// among prices, and revenue is no price that a user pays.
Better better_of(std::string_view metric) {
  static const Patterns kErrors{"mdape", "p90ape"};
  static const Patterns kUndecided{"revenue*", "shadow_prices", "evaluator_gap", "*percentile"};
  static const Patterns kHigher{"interactivity*", "*tok_s*", "throughput*", "goodput*", "margin*", "attainment*"};
  static const Patterns kLower{"usd*", "price*",      "cost*",     "ttft*",  "tpot*", "itl*",
                               "e2e*", "queue_wait*", "service_s", "joule*", "kWh"};
  if (has_component(metric, kErrors)) return Better::Lower;
  if (has_component(metric, {"bias"})) return Better::NearZero;
  if (has_component(metric, kUndecided)) return Better::Unknown;
  if (has_component(metric, kHigher)) return Better::Higher;
  return has_component(metric, kLower) ? Better::Lower : Better::Unknown;
}

}  // namespace tokenomics
