#include "tokenomics/report/sweep_summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/sensitivity.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Fewer samples than this say nothing about which input drives a figure.
constexpr std::size_t kFewestForDrivers = 8;

/// A figure over the samples that are ok; inputs are [input][sample].
FigureSpread spread_of(const std::vector<double>& values, const std::vector<std::vector<double>>& inputs) {
  FigureSpread spread{kNaN, kNaN, kNaN, std::nullopt, 0, 0};
  if (values.empty() || !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) return spread;
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  spread.p10 = sorted_quantile(sorted, 0.1);
  spread.p50 = sorted_quantile(sorted, 0.5);
  spread.p90 = sorted_quantile(sorted, 0.9);
  if (values.size() < kFewestForDrivers || sorted.front() == sorted.back()) return spread;
  for (const Driver& driver : drivers(inputs, values)) {
    if (spread.driver && driver.first_order <= spread.driver_share) continue;
    spread.driver = driver.input;
    spread.driver_share = driver.first_order;
    spread.driver_sign = driver.rank_correlation;
  }
  return spread;
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
  if (!reason.empty() && (reasons_.size() < kMostReasons || reasons_.contains(reason))) ++reasons_[reason];
  samples_.push_back(row);
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
    if (status == "ok" && design.texts.empty())
      design.texts.assign(sample.begin() + static_cast<std::ptrdiff_t>(columns_.figures), sample.end());
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

/// Keeps the design if it is among the best of its group. A condition on a figure that there is none of does not hold.
void SweepSummary::offer(const DesignSummary& design) {
  if (objective_.empty()) return;
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
    CurvePoints& curve = curves_[i][key];
    curve.points.emplace_back(x, y);
    if (!wanted.gpu_price.empty()) curve.gpu_price = value_of(design, wanted.gpu_price);
  }
}

std::vector<SweepSummary::CurveAnswer> SweepSummary::curves() const {
  std::vector<CurveAnswer> answers;
  for (std::size_t i = 0; i < spec_->curves.size(); ++i) {
    const SweepCurves& wanted = spec_->curves[i];
    const std::size_t first = answers.size();
    std::vector<std::vector<double>> prices;
    for (const auto& key : order_[i]) {
      auto answer = std::find_if(answers.begin() + static_cast<std::ptrdiff_t>(first), answers.end(),
                                 [&](const CurveAnswer& one) { return one.per == key.first; });
      if (answer == answers.end()) {
        answer = answers.insert(answers.end(), {&wanted, key.first, {}, {}, {}});
        prices.emplace_back();
      }
      const CurvePoints& curve = curves_[i].at(key);
      answer->curves.push_back({joined(key.second), lower_envelope(curve.points)});
      prices[static_cast<std::size_t>(answer - answers.begin()) - first].push_back(curve.gpu_price);
    }
    SweepFields reference;
    for (const std::string& axis : wanted.by)
      for (const auto& [name, value] : wanted.reference)
        if (name == axis) reference.push_back(value.starts_with('"') ? value.substr(1, value.size() - 2) : value);
    for (std::size_t a = first; a < answers.size(); ++a) compare(answers[a], prices[a - first], joined(reference));
  }
  return answers;
}

void SweepSummary::compare(CurveAnswer& answer, const std::vector<double>& prices, const std::string& reference) {
  const std::vector<CostCurve>& curves = answer.curves;
  for (std::size_t a = 0; a < curves.size(); ++a)
    for (std::size_t b = a + 1; b < curves.size(); ++b)
      answer.pairs.push_back({curves[a].name, curves[b].name, crossings(curves[a], curves[b])});
  const auto base =
      std::find_if(curves.begin(), curves.end(), [&](const CostCurve& curve) { return curve.name == reference; });
  if (base == curves.end() || answer.spec->gpu_price.empty()) return;
  for (std::size_t c = 0; c < curves.size(); ++c)
    if (&curves[c] != &*base)
      answer.break_even.push_back({curves[c].name, prices[c], break_even(*base, curves[c], prices[c])});
}

}  // namespace tokenomics
