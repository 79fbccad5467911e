#include "tokenomics/scenario/sweep_plan.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

/// What is drawn at u, as the field takes it. Whole numbers of a uniform range are equally likely, the ends too.
std::string drawn_text(const SweepRange& range, double u) {
  if (!range.is_whole) return nlohmann::json(quantile(range.law, u)).dump();
  RangeLaw law = range.law;
  if (law.kind == RangeLaw::Kind::Uniform) {
    law.low = std::ceil(law.low) - 0.5;
    law.high = std::floor(law.high) + 0.5;
  }
  return nlohmann::json(static_cast<std::int64_t>(std::llround(quantile(law, u)))).dump();
}

bool options_differ_in_certainty(const SweepAxis& axis) {
  const auto has_ranges = [](const SweepOption& option) { return !option.ranges.empty(); };
  const auto with = std::count_if(axis.options.begin(), axis.options.end(), has_ranges);
  return with != 0 && with != static_cast<std::ptrdiff_t>(axis.options.size());
}

/// Whether all that a column shows are JSON numbers.
bool is_numeric(const SweepAxis& axis, std::size_t column) {
  return std::all_of(axis.options.begin(), axis.options.end(), [&](const SweepOption& option) {
    const char first = option.shown[column].front();
    return first == '-' || (first >= '0' && first <= '9');
  });
}

}  // namespace

std::vector<std::string> SweepSpec::axis_columns() const {
  std::vector<std::string> columns;
  for (const SweepAxis& axis : axes) columns.insert(columns.end(), axis.columns.begin(), axis.columns.end());
  return columns;
}

std::vector<std::string> SweepSpec::numeric_columns() const {
  std::vector<std::string> names;
  for (const SweepAxis& axis : axes)
    for (std::size_t column = 0; column < axis.columns.size(); ++column)
      if (is_numeric(axis, column)) names.push_back(axis.columns[column]);
  names.insert(names.end(), inputs.begin(), inputs.end());
  names.insert(names.end(), metrics.begin(), metrics.end());
  return names;
}

SweepPlan::SweepPlan(const SweepSpec& spec) : spec_(&spec), later_(spec.axes.size() + 1) {
  const std::uint64_t seed = spec.seed.value_or(1);
  for (std::size_t axis = spec.axes.size(); axis-- > 0;) {
    later_[axis] = later_[axis + 1];
    for (const SweepCondition& condition : spec.axes[axis].when) later_[axis].push_back(condition.axis);
    std::sort(later_[axis].begin(), later_[axis].end());
    later_[axis].erase(std::unique(later_[axis].begin(), later_[axis].end()), later_[axis].end());
  }
  for (const SweepAxis& axis : spec.axes) {
    const bool is_sobol = axis.kind == SweepAxis::Kind::Sobol;
    boxes_.push_back(is_sobol ? std::make_unique<SobolPoints>(axis.box.size(), seed) : nullptr);
  }
  if (!spec.inputs.empty()) uncertain_ = std::make_unique<SobolPoints>(spec.inputs.size(), seed);
  const Count all = tally({{}, !spec.ranges.empty()});
  rows_ = all.rows;
  designs_ = all.designs;
}

bool SweepPlan::applies(std::size_t axis, const Choice& choice) const {
  const auto& when = spec_->axes[axis].when;
  return std::all_of(when.begin(), when.end(), [&](const SweepCondition& condition) {
    const std::uint64_t option = choice.options[condition.axis];
    if (option == kNone) return false;
    const std::string& shown = spec_->axes[condition.axis].options[option].shown[condition.column];
    return std::find(condition.values.begin(), condition.values.end(), shown) != condition.values.end();
  });
}

SweepPlan::Choice SweepPlan::with(const Choice& choice, std::uint64_t option) const {
  Choice next = choice;
  const SweepAxis& axis = spec_->axes[choice.options.size()];
  if (option != kNone && axis.kind == SweepAxis::Kind::Options)
    next.is_uncertain = next.is_uncertain || !axis.options[option].ranges.empty();
  next.options.push_back(option);
  return next;
}

bool SweepPlan::is_alike(std::size_t axis) const {
  const auto& named = later_[axis + 1];
  return std::find(named.begin(), named.end(), axis) == named.end() && !options_differ_in_certainty(spec_->axes[axis]);
}

/// What the number of rows under a choice depends on.
std::vector<std::uint64_t> SweepPlan::key(const Choice& choice) const {
  const std::size_t level = choice.options.size();
  std::vector<std::uint64_t> key{level, choice.is_uncertain ? 1U : 0U};
  for (const std::size_t axis : later_[level])
    if (axis < level) key.push_back(choice.options[axis]);
  return key;
}

SweepPlan::Count SweepPlan::tally(const Choice& choice) {
  const std::size_t level = choice.options.size();
  if (level == spec_->axes.size()) return {choice.is_uncertain ? spec_->samples : 1, 1};
  const std::vector<std::uint64_t> known = key(choice);
  if (const auto found = counts_.find(known); found != counts_.end()) return found->second;
  Count sum;
  const auto add = [&](std::uint64_t option, std::uint64_t times) {
    const Count one = tally(with(choice, option));
    if (one.rows > 0 && times > (kMostRows - sum.rows) / one.rows)
      throw ScenarioError(Problem{spec_->file, "/axes", "", fmt::format("at most {} rows", kMostRows), ""});
    sum.rows += times * one.rows;
    sum.designs += times * one.designs;
  };
  if (!applies(level, choice)) add(kNone, 1);
  else if (is_alike(level)) add(0, spec_->axes[level].size());
  else
    for (std::uint64_t option = 0; option < spec_->axes[level].size(); ++option) add(option, 1);
  return counts_[known] = sum;
}

SweepPlan::Count SweepPlan::count(const Choice& choice) const {
  if (choice.options.size() == spec_->axes.size()) return {choice.is_uncertain ? spec_->samples : 1, 1};
  return counts_.at(key(choice));
}

/// The option under which the row `rest` of this choice lies; `rest` becomes its number there.
std::uint64_t SweepPlan::choose(SweepPoint& point, const Choice& choice, std::uint64_t& rest) const {
  Count under = count(with(choice, 0));
  std::uint64_t option = is_alike(choice.options.size()) ? rest / under.rows : 0;
  rest -= option * under.rows;
  point.design += option * under.designs;
  while (rest >= under.rows) {
    rest -= under.rows;
    point.design += under.designs;
    under = count(with(choice, ++option));
  }
  return option;
}

SweepPoint SweepPlan::at(std::uint64_t row) const {
  TOKENOMICS_CHECK(row < rows_, fmt::format("row {} of {}", row, rows_));
  SweepPoint point;
  point.row = row;
  point.sets = spec_->sets;
  Choice choice{{}, !spec_->ranges.empty()};
  std::uint64_t rest = row;
  for (std::size_t axis = 0; axis < spec_->axes.size(); ++axis) {
    const std::uint64_t option = applies(axis, choice) ? choose(point, choice, rest) : kNone;
    choice = with(choice, option);
    add_option(point, axis, option);
  }
  if (choice.is_uncertain) point.sample = rest;
  add_draws(point, choice);
  if (spec_->seed) point.seed = *spec_->seed;
  if (spec_->has_own_seeds) point.seed = RandomStream(spec_->seed.value_or(1), "sweep point", row).bits() >> 11;
  return point;
}

void SweepPlan::add_option(SweepPoint& point, std::size_t index, std::uint64_t option) const {
  const SweepAxis& axis = spec_->axes[index];
  if (option == kNone) {
    point.shown.insert(point.shown.end(), axis.columns.size(), "null");
    return;
  }
  if (axis.kind == SweepAxis::Kind::Options) {
    const SweepOption& chosen = axis.options[option];
    point.shown.insert(point.shown.end(), chosen.shown.begin(), chosen.shown.end());
    point.sets.insert(point.sets.end(), chosen.sets.begin(), chosen.sets.end());
    return;
  }
  RandomStream random(spec_->seed.value_or(1), fmt::format("sweep box {}", index), option);
  const std::vector<double> even = boxes_[index] ? boxes_[index]->point(option) : std::vector<double>{};
  for (const SweepRange& range : axis.box) {
    const double u = boxes_[index] ? even[range.input] : random.uniform();
    point.shown.push_back(drawn_text(range, u));
    point.sets.push_back(range.path + "=" + point.shown.back());
  }
}

void SweepPlan::add_draws(SweepPoint& point, const Choice& choice) const {
  point.drawn.assign(spec_->inputs.size(), "null");
  if (!choice.is_uncertain) return;
  const std::vector<double> u = uncertain_->point(*point.sample);
  const auto draw = [&](const SweepRange& range) {
    point.drawn[range.input] = drawn_text(range, u[range.input]);
    point.sets.push_back(range.path + "=" + point.drawn[range.input]);
  };
  for (const SweepRange& range : spec_->ranges) draw(range);
  for (std::size_t axis = 0; axis < spec_->axes.size(); ++axis) {
    if (choice.options[axis] == kNone || spec_->axes[axis].kind != SweepAxis::Kind::Options) continue;
    for (const SweepRange& range : spec_->axes[axis].options[choice.options[axis]].ranges) draw(range);
  }
}

}  // namespace tokenomics
