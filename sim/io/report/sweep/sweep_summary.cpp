#include "tokenomics/report/sweep_summary.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/sensitivity.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Fewer samples than this say nothing about which input drives a figure.
constexpr std::size_t kFewestForDrivers = 16;

/// The values whose `mask` is finite; where a value itself is not (an input that does not apply here), 0.
std::vector<double> kept(const std::vector<double>& values, const std::vector<double>& mask) {
  std::vector<double> list;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(mask[i])) list.push_back(std::isfinite(values[i]) ? values[i] : 0);
  return list;
}

void find_driver(FigureSpread& spread, const std::vector<double>& values, const std::vector<std::vector<double>>& inputs) {
  for (const Driver& driver : drivers(inputs, values)) {
    if (spread.driver && driver.first_order <= spread.driver_share) continue;
    spread.driver = driver.input;
    spread.driver_share = driver.first_order;
    spread.driver_sign = driver.rank_correlation;
  }
}

/// A figure over the samples that are ok and have a number; inputs are [input][sample].
FigureSpread spread_of(const std::vector<double>& all, const std::vector<std::vector<double>>& inputs) {
  const std::vector<double> values = kept(all, all);
  FigureSpread spread{kNaN, kNaN, kNaN, values.size(), std::nullopt, 0, 0};
  if (values.empty()) return spread;
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  spread.p10 = sorted_quantile(sorted, 0.1);
  spread.p50 = sorted_quantile(sorted, 0.5);
  spread.p90 = sorted_quantile(sorted, 0.9);
  if (values.size() < kFewestForDrivers || sorted.front() == sorted.back()) return spread;
  std::vector<std::vector<double>> matching;
  for (const std::vector<double>& input : inputs) matching.push_back(kept(input, all));
  find_driver(spread, values, matching);
  return spread;
}

/// Keeps what all samples agree on; `texts` is empty before the first.
void merge_texts(SweepFields& texts, const SweepFields& sample, std::size_t figures) {
  const bool is_first = texts.empty();
  for (std::size_t c = figures; c < sample.size(); ++c) {
    const std::string text = std::isnan(number_of(sample[c])) ? sample[c] : "";
    if (is_first) texts.push_back(text);
    else if (texts[c - figures] != text) texts[c - figures] = "mixed";
  }
}

std::string without_digits(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isdigit(c) != 0; });
  return text;
}

/// Points of a curve with the cheapest of each x.
template <typename Point, typename Cost>
std::vector<std::pair<double, double>> envelope_of(const std::vector<Point>& points, Cost cost) {
  std::vector<std::pair<double, double>> list;
  for (const Point& point : points) list.emplace_back(point.x, cost(point));
  return lower_envelope(std::move(list));
}

/// Columns [begin, end) of the samples that are ok, column by column.
std::vector<std::vector<double>> numbers_in(const std::vector<SweepFields>& samples, const SweepColumns& columns,
                                            std::size_t begin, std::size_t end) {
  std::vector<std::vector<double>> numbers(end - begin);
  for (const SweepFields& sample : samples) {
    if (sample[columns.status] != "ok") continue;
    for (std::size_t c = begin; c < end; ++c) numbers[c - begin].push_back(number_of(sample[c]));
  }
  return numbers;
}

std::string joined(const SweepFields& fields) {
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : " ") + (field.empty() ? "-" : field);
  return text;
}

}  // namespace

SweepSummary::SweepSummary(const SweepSpec& spec)
    : spec_(&spec), columns_(spec), names_(spec.numeric_columns()), curves_(spec.curves.size()), order_(spec.curves.size()) {
  for (const SweepDerived& derived : spec.derived) names_.push_back(derived.name);
  if (!spec.objective) return;
  objective_.emplace_back(spec.objective->expression, names_);
  for (const std::string& text : spec.objective->where) where_.emplace_back(text, names_);
}

void SweepSummary::add(const SweepFields& row) {
  if (!samples_.empty() && samples_.front().front() != row.front()) close_design();
  ++rows_;
  ++statuses_[row[columns_.status]];
  const std::string& reason = row[columns_.reason];
  if (!reason.empty()) count_reason(reason);
  samples_.push_back(row);
}

void SweepSummary::count_reason(const std::string& reason) {
  const std::string kind = without_digits(reason);
  if (reasons_.size() >= kMostReasons && !reasons_.contains(kind)) return;
  Reason& known = reasons_[kind];
  if (known.rows++ == 0) known.text = reason;
}

void SweepSummary::close() {
  if (!samples_.empty()) close_design();
}

void SweepSummary::close_design() {
  DesignSummary design;
  const SweepFields& row = samples_.front();
  design.point = std::stoull(row.front());
  design.axes.assign(row.begin() + static_cast<std::ptrdiff_t>(columns_.axes),
                     row.begin() + static_cast<std::ptrdiff_t>(columns_.inputs));
  for (const SweepFields& sample : samples_) {
    const std::string& status = sample[columns_.status];
    ++(status == "ok" ? design.ok : status == "infeasible" ? design.infeasible : design.errors);
    if (design.reason.empty()) design.reason = sample[columns_.reason];
    if (status == "ok") merge_texts(design.texts, sample, columns_.figures);
  }
  const auto inputs = numbers_in(samples_, columns_, columns_.inputs, columns_.status);
  for (const std::vector<double>& input : inputs) design.inputs.push_back(input.empty() ? kNaN : spread_of(input, {}).p50);
  for (const auto& figure : numbers_in(samples_, columns_, columns_.figures, columns_.names.size()))
    design.figures.push_back(spread_of(figure, inputs));
  samples_.clear();
  ++designs_;
  if (design.ok > 0) {
    offer(design);
    add_to_curves(design);
  }
  if (first_.size() < kShown) first_.push_back(design);
  if (on_design) on_design(design);
}

double SweepSummary::value_of(const DesignSummary& design, const std::string& column) const {
  const std::size_t index = columns_.index(column);
  if (index >= columns_.figures) return design.figures[index - columns_.figures].p50;
  if (index >= columns_.inputs) return design.inputs[index - columns_.inputs];
  return number_of(design.axes[index - columns_.axes]);
}

std::vector<double> SweepSummary::numbers_of(const DesignSummary& design) const {
  std::vector<double> numbers;
  for (const std::string& name : names_) numbers.push_back(value_of(design, name));
  return numbers;
}

SweepFields SweepSummary::axes_of(const DesignSummary& design, const std::vector<std::string>& names) const {
  SweepFields fields;
  for (const std::string& name : names) fields.push_back(design.axes[columns_.index(name) - columns_.axes]);
  return fields;
}

/// Keeps the design if it is among the best of its group. Where most samples have no result, the others' median says
/// little. A condition on a figure that there is none of does not hold.
void SweepSummary::offer(const DesignSummary& design) {
  if (objective_.empty() || design.ok <= design.infeasible + design.errors) return;
  const SweepObjective& wanted = *spec_->objective;
  const std::vector<double> numbers = numbers_of(design);
  for (const Expression& condition : where_) {
    const double holds = condition.evaluate(numbers);
    if (std::isnan(holds) || holds == 0) return;
  }
  const double value = objective_.front().evaluate(numbers);
  if (!std::isfinite(value)) return;
  const SweepFields per = axes_of(design, wanted.per);
  auto group = std::find_if(best_.begin(), best_.end(), [&](const Group& one) { return one.per == per; });
  if (group == best_.end()) group = best_.insert(best_.end(), {per, {}, 0});
  ++group->candidates;
  // Behind those that are as good: the first of equals stays first.
  const auto place = std::upper_bound(group->best.begin(), group->best.end(), value, [&](double a, const Best& b) {
    return wanted.maximize ? a > b.objective : a < b.objective;
  });
  group->best.insert(place, {value, design});
  if (group->best.size() > wanted.top) group->best.pop_back();
}

void SweepSummary::add_to_curves(const DesignSummary& design) {
  for (std::size_t i = 0; i < spec_->curves.size(); ++i) {
    const SweepCurves& wanted = spec_->curves[i];
    const double x = value_of(design, wanted.x), y = value_of(design, wanted.y);
    if (!(x > 0) || !(y > 0) || !std::isfinite(x) || !std::isfinite(y)) continue;
    const std::pair key(axes_of(design, wanted.per), axes_of(design, wanted.by));
    if (!curves_[i].contains(key)) order_[i].push_back(key);
    curves_[i][key].push_back({x, y, wanted.gpu_price.empty() ? 0 : value_of(design, wanted.gpu_price)});
  }
}

std::vector<SweepSummary::CurveAnswer> SweepSummary::curves() const {
  std::vector<CurveAnswer> answers;
  for (std::size_t i = 0; i < spec_->curves.size(); ++i) {
    const SweepCurves& wanted = spec_->curves[i];
    const std::size_t first = answers.size();
    std::vector<std::vector<CurvePoints>> points;
    for (const auto& key : order_[i]) {
      auto answer = std::find_if(answers.begin() + static_cast<std::ptrdiff_t>(first), answers.end(),
                                 [&](const CurveAnswer& one) { return one.per == key.first; });
      if (answer == answers.end()) {
        answer = answers.insert(answers.end(), {&wanted, key.first, {}, {}, {}});
        points.emplace_back();
      }
      const CurvePoints& curve = curves_[i].at(key);
      answer->curves.push_back({joined(key.second), envelope_of(curve, [](const CurvePoint& p) { return p.y; })});
      points[static_cast<std::size_t>(answer - answers.begin()) - first].push_back(curve);
    }
    SweepFields reference;
    for (const std::string& axis : wanted.by)
      for (const auto& [name, value] : wanted.reference)
        if (name == axis) reference.push_back(value.starts_with('"') ? value.substr(1, value.size() - 2) : value);
    for (std::size_t a = first; a < answers.size(); ++a) compare(answers[a], points[a - first], joined(reference));
  }
  return answers;
}

/// The break-even is found from the cost at 1 USD a GPU-hour, so that a curve's points may have several prices.
void SweepSummary::compare(CurveAnswer& answer, const std::vector<CurvePoints>& points, const std::string& reference) {
  const std::vector<CostCurve>& curves = answer.curves;
  for (std::size_t a = 0; a < curves.size(); ++a)
    for (std::size_t b = a + 1; b < curves.size(); ++b)
      answer.pairs.push_back({curves[a].name, curves[b].name, crossings(curves[a], curves[b])});
  const auto base =
      std::find_if(curves.begin(), curves.end(), [&](const CostCurve& curve) { return curve.name == reference; });
  if (base == curves.end() || answer.spec->gpu_price.empty()) return;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    if (&curves[c] == &*base) continue;
    const double price = points[c].front().gpu_price;
    const auto is_other = [&](const CurvePoint& p) { return p.gpu_price != price; };
    const bool is_one = std::none_of(points[c].begin(), points[c].end(), is_other);
    const CostCurve at_one_usd{curves[c].name,
                               envelope_of(points[c], [](const CurvePoint& p) { return p.y / p.gpu_price; })};
    answer.break_even.push_back({curves[c].name, is_one ? price : kNaN, break_even(*base, at_one_usd, 1)});
  }
}

}  // namespace tokenomics
