#include <algorithm>
#include <unordered_map>

#include "parts.hpp"

namespace tokenomics {
namespace {

/// Cannot stand in a value that anybody writes on purpose.
constexpr char kSeparator = '\x1f';

std::string key_of(const ResultPoints& points, const std::vector<std::size_t>& axes, std::size_t point) {
  std::string key;
  for (const std::size_t axis : axes) key += canonical(points.axis_values[axis][point]) + kSeparator;
  return key;
}

/// Numbers only, and at least two of them, in both files together.
bool is_numeric_axis(const Comparison& comparison, std::size_t axis) {
  std::optional<double> first;
  bool varies = false;
  for (const ResultPoints* points : {&comparison.base, &comparison.now}) {
    for (const std::string& text : points->axis_values[axis]) {
      const auto number = number_in(text);
      if (!number) return false;
      if (!first) first = number;
      varies = varies || *number != *first;
    }
  }
  return varies;
}

void choose_x(Comparison& comparison) {
  const std::vector<std::string>& axes = comparison.base.axes;
  const bool may_have_x = comparison.base.kind != ResultKind::Frontier;  // whose axes name a curve
  for (std::size_t axis = axes.size(); may_have_x && axis-- > 0 && !comparison.x_axis;) {
    // A sample is one of many alike, not a quantity that a curve runs along.
    if (axes[axis] == "sample" && axes.size() > 1) continue;
    if (is_numeric_axis(comparison, axis)) comparison.x_axis = axis;
  }
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (axis != comparison.x_axis) comparison.curve_axes.push_back(axis);
  }
}

/// Finds or opens the curve of a point.
class Curves {
 public:
  explicit Curves(Comparison& comparison) : comparison_(comparison) {}

  std::uint32_t of(const ResultPoints& points, std::size_t point) {
    const auto next = static_cast<std::uint32_t>(comparison_.curves.size());
    const auto [found, is_new] = known_.emplace(key_of(points, comparison_.curve_axes, point), next);
    if (!is_new) return found->second;
    ComparedCurve curve;
    for (const std::size_t axis : comparison_.curve_axes) curve.axis_values.push_back(points.axis_values[axis][point]);
    comparison_.curves.push_back(std::move(curve));
    return next;
  }

 private:
  Comparison& comparison_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

}  // namespace

std::vector<MatchedPoint> match_points(Comparison& comparison) {
  choose_x(comparison);
  const ResultPoints &base = comparison.base, &now = comparison.now;
  std::vector<std::size_t> axes(base.axes.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = axis;

  std::unordered_map<std::string, std::vector<std::uint32_t>> waiting;  // last first, so that the first is taken first
  for (std::size_t point = now.size(); point-- > 0;)
    waiting[key_of(now, axes, point)].push_back(static_cast<std::uint32_t>(point));

  Curves curves(comparison);
  std::vector<MatchedPoint> matched;
  std::vector<bool> is_taken(now.size());
  for (std::size_t point = 0; point < base.size(); ++point) {
    MatchedPoint one{curves.of(base, point), static_cast<std::uint32_t>(point)};
    const auto found = waiting.find(key_of(base, axes, point));
    if (found != waiting.end() && !found->second.empty()) {
      one.new_point = found->second.back();
      found->second.pop_back();
      is_taken[one.new_point] = true;
    }
    matched.push_back(one);
  }
  for (std::size_t point = 0; point < now.size(); ++point) {
    if (!is_taken[point]) matched.push_back({curves.of(now, point), Finding::kNone, static_cast<std::uint32_t>(point)});
  }
  return matched;
}

}  // namespace tokenomics
