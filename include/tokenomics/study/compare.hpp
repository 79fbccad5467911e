#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/study/result_points.hpp"

namespace tokenomics {

/// A metric moved when |new - base| > absolute + relative |base|, up to rounding.
struct Tolerance {
  double relative = 0.01;
  double absolute = 0;  ///< in the metric's own unit
};
/// On top of every tolerance, times the larger of the two values: 2.2 - 2 is a little more than 0.2. Far below the 9 digits
/// of a result.
inline constexpr double kRounding = 1e-12;
double allowed(const Tolerance& tolerance, double base, double now);
bool is_moved(const Tolerance& tolerance, double base, double now);

/// Names of metrics, where '*' stands for any characters; and where the pattern was written, for messages.
struct MetricPattern {
  std::string pattern;
  std::string from;  ///< "--tolerance", "tolerances.json"
};
bool matches(std::string_view pattern, std::string_view metric);

struct MetricTolerance {
  MetricPattern of;
  Tolerance tolerance;
};

struct CompareRules {
  Tolerance otherwise;
  std::vector<MetricTolerance> metrics;
  std::vector<MetricPattern> ignore;
  bool only_worse = false;  ///< moves for the better are counted, not found
};
/// That of the matching pattern with most literal characters (the later of two alike), else `otherwise`.
Tolerance tolerance_of(const CompareRules& rules, std::string_view metric);

/// Which way is better, known from a metric's name.
enum class Better { Unknown, Lower, Higher, NearZero };
Better better_of(std::string_view metric);

enum class FindingKind : std::uint8_t {
  MissingMetric,
  ExtraMetric,
  MissingPoint,
  ExtraPoint,
  StatusChanged,    ///< the point's metrics are then not compared
  Moved,            ///< a number, past its tolerance
  TextChanged,      ///< or a number became a text
  ValueVanished,    ///< a value became null
  ValueAppeared,    ///< null became a value
  NoLongerReached,  ///< of a frontier: no new point serves as a base point did
  NewlyReached,     ///< of a frontier: no base point serves as a new point does
};

struct Finding {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  FindingKind kind;
  std::uint32_t curve = kNone;   ///< in Comparison::curves; none for a column
  std::uint32_t metric = kNone;  ///< in Comparison::metrics
  std::uint32_t base_point = kNone;
  std::uint32_t new_point = kNone;
};

struct ComparedMetric {
  std::string name;
  Tolerance tolerance;
  Better better = Better::Unknown;
  std::optional<std::size_t> base_column, new_column;  ///< absent: only the other file has it
  std::optional<std::size_t> base_ci95, new_ci95;      ///< half-widths of a mean's 95% interval
  std::size_t within_noise = 0;                        ///< past the tolerance, inside the intervals
};

/// Points that share all axes but x.
struct ComparedCurve {
  std::vector<std::string> axis_values;  ///< of Comparison::curve_axes
  std::size_t points = 0;                ///< found in both files
  std::size_t moved = 0;                 ///< of them: with anything that moved or changed
  std::size_t findings = 0;
  std::size_t first = 0;             ///< of its findings, which stand together
  std::optional<std::size_t> worst;  ///< among all findings: furthest past its tolerance
};

struct Comparison {
  ResultPoints base, now;
  CompareRules rules;
  std::vector<std::size_t> curve_axes;  ///< all axes but x
  std::optional<std::size_t> x_axis;
  std::vector<ComparedMetric> metrics;  ///< without ignored ones and ci95
  std::vector<ComparedCurve> curves;    ///< in order of first appearance
  std::vector<Finding> findings;        ///< those of columns, then by curve
  std::size_t within_noise = 0;
  std::size_t better = 0;  ///< changes for the better that only_worse let pass
};

/// What differs between two results of the same kind with the same axes (in any order).
///
/// Points are matched by the values of their axes, numbers as numbers; points alike in order of occurrence. x is the
/// last axis that has numbers only and at least two of them; "sample" is x only when it stands alone. A mean with a 95%
/// half-width c in both files (column "ci95" beside it) has not moved while |new - base| <= sqrt(c_base^2 + c_new^2):
/// independent errors add in squares. A c_new above c_base counts as c_base: a result that has become noisier must not
/// hide its move behind that. Frontiers are compared by what they reach: see sim/study/compare/frontiers.cpp.
/// Throws ScenarioError for each pattern of the rules that no metric matches.
Comparison compare(ResultPoints base, ResultPoints now, CompareRules rules);

/// How far past its tolerance: |new - base| / allowed; infinite for what is not a number's move.
double severity(const Comparison& comparison, const Finding& finding);

}  // namespace tokenomics
