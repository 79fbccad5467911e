#include "points_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "../scenario/document.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "nan", "inf", "1e999": a number that no metric can have.
bool is_not_finite(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return false;
  return error == std::errc::result_out_of_range || (error == std::errc{} && !std::isfinite(value));
}

}  // namespace

PointsTable::PointsTable(std::string file, std::vector<std::string> names, const std::vector<std::string>& axes)
    : file_(std::move(file)), names_(std::move(names)), has_status_(contains(names_, "status")) {
  check_names(axes);
  assign_roles(axes);
}

void PointsTable::check_names(const std::vector<std::string>& axes) const {
  std::vector<Problem> problems;
  std::set<std::string> seen;
  const std::string head = file_ + ":1";
  for (const std::string& name : names_) {
    if (name.empty()) problems.push_back({head, "", "\"\"", "a name for each column", ""});
    if (!name.empty() && !seen.insert(name).second)
      problems.push_back({head, "", shown(name), "a column that stands once", ""});
  }
  for (const std::string& axis : axes) {
    if (!contains(names_, axis))
      problems.push_back({"--axes", "", shown(axis), "a column of " + file_, nearest_name(axis, names_)});
  }
  if (!has_status_ && axes.empty())
    problems.push_back({head, "", fmt::format("no column \"status\" among {} columns", names_.size()),
                        "the columns point, the axes, status, reason, then metrics; or --axes to name the axes",
                        nearest_name("status", names_)});
  if (!problems.empty()) throw ScenarioError(problems);
}

void PointsTable::assign_roles(const std::vector<std::string>& axes) {
  bool is_before_status = has_status_;
  for (const std::string& name : names_) {
    Column column{Role::Metric};
    const bool is_named = contains(axes, name);
    if (is_named || (axes.empty() && is_before_status && name != "point" && name != "status")) {
      column = {Role::Axis, points_.axes.size()};
      points_.axes.push_back(name);
    } else if (name == "point") {
      column.role = Role::Index;
    } else if (has_status_ && name == "status") {
      column.role = Role::Status;
    } else if (has_status_ && name == "reason") {
      column.role = Role::Reason;
    } else {
      column.at = points_.metrics.size();
      points_.metrics.push_back({name, {}, {}});
    }
    if (name == "status") is_before_status = false;
    columns_.push_back(column);
  }
  points_.axis_values.resize(points_.axes.size());
}

void PointsTable::begin_row(std::size_t line) {
  line_ = line;
  for (auto& values : points_.axis_values) values.emplace_back();
  points_.status.emplace_back();
  points_.reason.emplace_back();
  for (ResultColumn& metric : points_.metrics) metric.numbers.push_back(kNone);
}

void PointsTable::put_number(std::size_t column, double value, std::string_view written) {
  const Column& to = columns_[column];
  if (to.role != Role::Metric) return put_text(column, written);
  points_.metrics[to.at].numbers.back() = value;
}

void PointsTable::put_text(std::size_t column, std::string_view text) {
  const Column& to = columns_[column];
  switch (to.role) {
    case Role::Index: return;
    case Role::Axis: points_.axis_values[to.at].back() = text; return;
    case Role::Status: return put_status(text);
    case Role::Reason: points_.reason.back() = text; return;
    case Role::Metric: break;
  }
  if (!text.empty()) points_.metrics[to.at].texts.emplace_hint(points_.metrics[to.at].texts.end(), points_.size() - 1, text);
}

void PointsTable::put_field(std::size_t column, std::string_view field) {
  if (columns_[column].role != Role::Metric) return put_text(column, field);
  if (const auto number = number_in(field)) return put_number(column, *number, field);
  if (is_not_finite(field)) {
    return add_problem(line_, std::string(field), "a finite number in column " + names_[column] + ", or nothing");
  }
  put_text(column, field);
}

void PointsTable::put_status(std::string_view text) {
  static const std::vector<std::string> kKnown{"ok", "infeasible", "error"};
  points_.status.back() = text;
  if (contains(kKnown, points_.status.back())) return;
  add_problem(line_, shown(points_.status.back()), "ok, infeasible or error in column status", nearest_name(text, kKnown));
}

void PointsTable::add_problem(std::size_t line, const std::string& value, const std::string& expected,
                              const std::string& nearest) {
  problems_.push_back({fmt::format("{}:{}", file_, line), "", value, expected, nearest});
  if (problems_.size() >= kMostProblems) throw ScenarioError(problems_);
}

ResultPoints PointsTable::finish() {
  if (!problems_.empty()) throw ScenarioError(problems_);
  if (points_.size() == 0) throw ScenarioError({file_, "", "", "at least one point", ""});
  if (points_.metrics.empty()) throw ScenarioError({file_ + ":1", "", "", "at least one metric", ""});
  return std::move(points_);
}

}  // namespace tokenomics
