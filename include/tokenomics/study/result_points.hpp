#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenomics {

/// What a file of results holds. Only results of one kind are compared with each other.
enum class ResultKind { Points, Run, Solution, Frontier, Validation };
/// "sweep points", "a run" ...
const char* to_string(ResultKind kind);

/// One metric over all points. A cell is a number, a text, or nothing.
struct ResultColumn {
  std::string name;                          ///< dotted: "latency.ttft_s.p90"
  std::vector<double> numbers;               ///< [point]; NaN where there is no number
  std::map<std::size_t, std::string> texts;  ///< [point]; most columns have none

  [[nodiscard]] std::optional<double> number(std::size_t point) const;
  /// Null when the cell is a number or nothing.
  [[nodiscard]] const std::string* text(std::size_t point) const;
};

/// Columns of a Frontier's points, in this order; its axes are those that name a curve.
enum FrontierColumn : std::size_t { kFrontierPrice, kFrontierTtft, kFrontierInteractivity, kFrontierContext };

/// Results in one shape, wherever they come from: points with the axes that name them, a status and metrics. Held by
/// column: a hundred thousand points of forty metrics take some tens of megabytes.
struct ResultPoints {
  ResultKind kind = ResultKind::Points;
  std::vector<std::string> axes;                      ///< names
  std::vector<std::vector<std::string>> axis_values;  ///< [axis][point], as written
  std::vector<std::string> status;                    ///< [point]: ok, infeasible, error; empty where a file has none
  std::vector<std::string> reason;                    ///< [point]; told, not compared
  std::vector<ResultColumn> metrics;

  [[nodiscard]] std::size_t size() const { return status.size(); }
  /// Position of the metric, or nothing.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view metric) const;
};

/// The finite number that the whole text is, or nothing.
std::optional<double> number_in(std::string_view text);
/// One text for all ways to write a number: "4", "4.0" and "4e0" are "4". To 12 digits, since the last ones of numbers
/// that are drawn differ between machines. Other texts are left as they are.
std::string canonical(std::string_view axis_value);

}  // namespace tokenomics
