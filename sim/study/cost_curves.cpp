#include "tokenomics/study/cost_curves.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {
namespace {

/// log y = log y0 + (log y1 - log y0) (log x - log x0) / (log x1 - log x0); the points themselves exactly. x within the
/// range of the points.
double value_at(const CurvePoints& points, double x) {
  const auto after =
      std::lower_bound(points.begin(), points.end(), x, [](const auto& p, double at) { return p.first < at; });
  if (after->first == x) return after->second;
  const auto& [x0, y0] = *(after - 1);
  const auto& [x1, y1] = *after;
  return y0 * std::pow(y1 / y0, std::log(x / x0) / std::log(x1 / x0));
}

/// The x of either curve in the range that both cover, rising; empty where they do not overlap.
std::vector<double> common_x(const CurvePoints& a, const CurvePoints& b) {
  if (a.empty() || b.empty()) return {};
  const double low = std::max(a.front().first, b.front().first), high = std::min(a.back().first, b.back().first);
  std::vector<double> xs;
  for (const CurvePoints* points : {&a, &b})
    for (const auto& [x, y] : *points)
      if (x >= low && x <= high) xs.push_back(x);
  std::sort(xs.begin(), xs.end());
  xs.erase(std::unique(xs.begin(), xs.end()), xs.end());
  return xs;
}

/// log(y_a / y_b); 0 where they are the same but for rounding.
double gap_of(double a, double b) {
  const double gap = std::log(a / b);
  return std::abs(gap) <= 1e-12 ? 0 : gap;
}

/// Between two x without a point in between both curves, and so their gap, are straight in log x: the gap is 0 at the share
/// g0 / (g0 - g1) of the way.
double zero_between(double x0, double gap0, double x1, double gap1) { return x0 * std::pow(x1 / x0, gap0 / (gap0 - gap1)); }

}  // namespace

CurvePoints lower_envelope(CurvePoints points) {
  for (const auto& [x, y] : points)
    TOKENOMICS_CHECK(x > 0 && y > 0 && std::isfinite(x) && std::isfinite(y), fmt::format("x = {}, y = {}", x, y));
  // By x, then y: the first of each x is its lowest.
  std::sort(points.begin(), points.end());
  const auto same_x = [](const auto& p, const auto& q) { return p.first == q.first; };
  points.erase(std::unique(points.begin(), points.end(), same_x), points.end());
  return points;
}

std::vector<Crossing> crossings(const CostCurve& a, const CostCurve& b) {
  const CurvePoints pa = lower_envelope(a.points), pb = lower_envelope(b.points);
  std::vector<Crossing> all;
  double last_x = 0, last_gap = 0;  // of the point before
  double order = 0;                 // the last gap that was not 0
  for (const double x : common_x(pa, pb)) {
    const double gap = gap_of(value_at(pa, x), value_at(pb, x));
    if (gap * order < 0) {
      const double at = zero_between(last_x, last_gap, x, gap);
      all.push_back({at, value_at(pa, at), gap < 0});
    }
    last_x = x, last_gap = gap;
    if (gap != 0) order = gap;
  }
  return all;
}

std::optional<CurveBreakEven> break_even(const CostCurve& reference, const CostCurve& other, double other_price) {
  TOKENOMICS_CHECK(other_price > 0 && std::isfinite(other_price), fmt::format("other_price = {}", other_price));
  const CurvePoints ref = lower_envelope(reference.points), oth = lower_envelope(other.points);
  const std::vector<double> xs = common_x(ref, oth);
  if (xs.empty()) return std::nullopt;
  CurveBreakEven found{xs.front(), xs.back(), {}, 0, 0, 0};
  std::vector<double> prices;
  for (const double x : xs) {
    prices.push_back(other_price * value_at(ref, x) / value_at(oth, x));
    found.price.emplace_back(x, prices.back());
  }
  std::sort(prices.begin(), prices.end());
  found.low = prices.front(), found.high = prices.back();
  found.median = sorted_quantile(prices, 0.5);
  return found;
}

}  // namespace tokenomics
