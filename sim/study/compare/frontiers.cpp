#include <cmath>
#include <limits>
#include <map>

#include "parts.hpp"

namespace tokenomics {
namespace {

// Pareto points move along their curve whenever anything changes, so the n-th point of one file is not the n-th of the
// other. What a frontier promises is: this price buys at least this context, at least this interactivity, at most this
// TTFT. Each point of one curve is therefore put as a question to the other curve:
//
//   price(other | c, s, t) = least price of the other's points with context >= c, interactivity >= s (1 - r_s) - a_s,
//                            TTFT <= t (1 + r_t) + a_t                   (r, a: tolerances of those two metrics)
//
//   dearer            a base point p:  price(new | p) is past its tolerance above p's price
//   no longer reached a base point p:  no new point fits p's bounds
//   cheaper           a new point q:   price(base | q) is past its tolerance above q's price
//   newly reached     a new point q:   no base point fits q's bounds
//
// Cheaper is asked at new points, not where price(new | p) lies below p's price: the bounds are relaxed, so a neighbour
// that is a little slower and cheaper always fits, and a curve would be cheaper than itself.

/// What must be met; a metric that is ignored asks for nothing.
struct Bounds {
  std::optional<Tolerance> ttft, interactivity;
};

/// An ignored or one-sided metric stands in no list.
std::optional<std::size_t> compared(const Comparison& comparison, FrontierColumn column) {
  for (std::size_t index = 0; index < comparison.metrics.size(); ++index) {
    const ComparedMetric& metric = comparison.metrics[index];
    if (metric.base_column == column && metric.new_column == column) return index;
  }
  return std::nullopt;
}

double value(const ResultPoints& points, FrontierColumn column, std::size_t point) {
  return points.metrics[column].numbers[point];
}

/// Points of each curve.
using Members = std::map<std::uint32_t, std::vector<std::uint32_t>>;

bool is_reached(const ResultPoints& own, std::uint32_t asked, const ResultPoints& other, std::uint32_t point,
                const Bounds& bounds) {
  const double ttft = value(own, kFrontierTtft, asked), interactivity = value(own, kFrontierInteractivity, asked);
  if (value(other, kFrontierContext, point) < value(own, kFrontierContext, asked)) return false;
  if (bounds.ttft && value(other, kFrontierTtft, point) > ttft + allowed(*bounds.ttft, ttft, ttft)) return false;
  return !bounds.interactivity || value(other, kFrontierInteractivity, point) >=
                                      interactivity - allowed(*bounds.interactivity, interactivity, interactivity);
}

/// The cheapest of the other curve's points within the bounds of `asked`; kNone when there is none.
std::uint32_t cheapest(const ResultPoints& own, std::uint32_t asked, const ResultPoints& other,
                       const std::vector<std::uint32_t>& members, const Bounds& bounds) {
  std::uint32_t best = Finding::kNone;
  double least = std::numeric_limits<double>::infinity();
  for (const std::uint32_t point : members) {
    const double price = value(other, kFrontierPrice, point);
    if (price >= least || !is_reached(own, asked, other, point, bounds)) continue;
    least = price;
    best = point;
  }
  return best;
}

/// Asks the points of one file of the other.
class Questions {
 public:
  explicit Questions(Comparison& comparison) : comparison_(comparison), price_(compared(comparison, kFrontierPrice)) {
    if (const auto ttft = compared(comparison, kFrontierTtft)) bounds_.ttft = comparison.metrics[*ttft].tolerance;
    if (const auto speed = compared(comparison, kFrontierInteractivity))
      bounds_.interactivity = comparison.metrics[*speed].tolerance;
  }

  /// Dearer, and no longer reached.
  void ask_base(std::uint32_t curve, std::uint32_t asked, const std::vector<std::uint32_t>& members) {
    const std::uint32_t found = cheapest(comparison_.base, asked, comparison_.now, members, bounds_);
    Finding finding{FindingKind::NoLongerReached, curve, Finding::kNone, asked, found};
    if (found == Finding::kNone) return add_finding(comparison_, finding);
    answer(finding, false);
  }
  /// Cheaper, and newly reached.
  void ask_new(std::uint32_t curve, std::uint32_t asked, const std::vector<std::uint32_t>& members) {
    const std::uint32_t found = cheapest(comparison_.now, asked, comparison_.base, members, bounds_);
    Finding finding{FindingKind::NewlyReached, curve, Finding::kNone, found, asked};
    if (found == Finding::kNone) return add_finding(comparison_, finding, true);
    answer(finding, true);
  }

 private:
  void answer(Finding finding, bool wants_cheaper) {
    ++comparison_.curves[finding.curve].points;
    if (!price_) return;
    const double base = value(comparison_.base, kFrontierPrice, finding.base_point);
    const double now = value(comparison_.now, kFrontierPrice, finding.new_point);
    if ((now < base) != wants_cheaper || !is_moved(comparison_.metrics[*price_].tolerance, base, now)) return;
    finding.kind = FindingKind::Moved;
    finding.metric = static_cast<std::uint32_t>(*price_);
    add_finding(comparison_, finding, wants_cheaper);
  }

  Comparison& comparison_;
  std::optional<std::size_t> price_;
  Bounds bounds_;
};

}  // namespace

void compare_frontiers(Comparison& comparison) {
  Members base, now;
  for (const MatchedPoint& at : match_points(comparison)) {
    if (at.base_point != Finding::kNone) base[at.curve].push_back(at.base_point);
    if (at.new_point != Finding::kNone) now[at.curve].push_back(at.new_point);
  }
  Questions questions(comparison);
  for (std::uint32_t curve = 0; curve < comparison.curves.size(); ++curve) {
    for (const std::uint32_t point : base[curve]) questions.ask_base(curve, point, now[curve]);
    for (const std::uint32_t point : now[curve]) questions.ask_new(curve, point, base[curve]);
  }
}

}  // namespace tokenomics
