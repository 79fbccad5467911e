#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenomics/base/range_law.hpp"

namespace tokenomics {

class Catalogue;

/// What each point of a sweep is.
enum class SweepSubject {
  Scenario,  ///< simulated, as `run` does
  Query      ///< answered by the steady-state evaluator, as `solve --no-simulation --no-shadow-prices` does
};

/// A field of which only a range is known.
struct SweepRange {
  std::string path;       ///< of the field, as in "POINTER=VALUE"
  std::size_t input = 0;  ///< index in SweepSpec::inputs
  RangeLaw law;
  bool is_whole = false;  ///< the field is a whole number: what is drawn is rounded
};

/// One of the values of an axis. Texts of JSON values throughout, so that nothing is lost between file and field.
struct SweepOption {
  std::vector<std::string> shown;  ///< a JSON scalar for each column of the axis
  std::vector<std::string> sets;   ///< "POINTER=VALUE"
  std::vector<SweepRange> ranges;
};

/// An axis applies only where an earlier one shows one of these values.
struct SweepCondition {
  std::size_t axis = 0;    ///< index of the earlier axis
  std::size_t column = 0;  ///< which of its columns
  std::vector<std::string> values;
};

/// A direction of the sweep: a list of options (grid, zip, list), or a box from which `count` points are drawn.
struct SweepAxis {
  enum class Kind { Options, Random, Sobol };
  Kind kind = Kind::Options;
  std::vector<std::string> columns;
  std::vector<SweepOption> options;
  std::uint64_t count = 0;      ///< Random, Sobol
  std::vector<SweepRange> box;  ///< Random, Sobol: one a column; `input` is the column
  std::vector<SweepCondition> when;

  [[nodiscard]] std::uint64_t size() const { return kind == Kind::Options ? options.size() : count; }
};

struct SweepDerived {
  std::string name;
  std::string expression;
};

struct SweepObjective {
  std::string expression;
  bool maximize = false;
  std::vector<std::string> where;
  std::size_t top = 10;
  std::vector<std::string> per;
};

/// Cost curves to be compared, see CostCurve.
struct SweepCurves {
  std::string name, x, y;
  std::vector<std::string> by, per;
  std::vector<std::pair<std::string, std::string>> reference;  ///< axis, JSON scalar
  std::string gpu_price;                                       ///< metric; empty: no break-even
};

/// A sweep as its file says it. Names and pointers have been checked; the points themselves have not been loaded.
struct SweepSpec {
  std::string name;
  std::string file;
  std::string description;
  std::vector<std::string> assumptions;
  SweepSubject subject = SweepSubject::Scenario;
  bool confirm = false;  ///< queries: let the simulation confirm
  std::vector<std::string> sets;
  std::vector<SweepRange> ranges;
  std::vector<SweepAxis> axes;
  std::vector<std::string> inputs;  ///< columns of the uncertain numbers
  std::uint64_t samples = 128;
  std::optional<int> replications;
  std::optional<std::uint64_t> seed;
  bool has_own_seeds = false;
  std::vector<std::string> metrics;
  std::vector<SweepDerived> derived;
  std::optional<SweepObjective> objective;
  std::vector<SweepCurves> curves;

  // What a result folder keeps, so that it can be gone on with anywhere: see load_sweep_parts().
  std::string text;       ///< the file with what the command line changed
  std::string base_text;  ///< the scenario or query, ranges taken out
  std::string base_file;

  /// Columns of the axes, in order.
  [[nodiscard]] std::vector<std::string> axis_columns() const;
  /// Columns that expressions may use: axes whose values are all numbers, uncertain numbers, metrics.
  [[nodiscard]] std::vector<std::string> numeric_columns() const;
};

/// What the command line says beside the file.
struct SweepOverrides {
  std::vector<std::string> sets;  ///< fields of the scenario or query, for all points
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> samples;
  std::optional<std::uint64_t> replications;
};

/// Reads a sweep: a path, "-" or the name of one in sweeps/. Throws ScenarioError with every problem: unknown fields,
/// columns, metrics and axes with the nearest known one; values that are no option; expressions that are none.
SweepSpec load_sweep(const std::string& path_or_name, const Catalogue& catalogue, const SweepOverrides& overrides = {});

/// The same from texts: of the sweep's file, and of the scenario or query that it names (empty: look it up).
SweepSpec load_sweep_parts(const std::string& text, const std::string& file, const std::string& base_text,
                           const std::string& base_file, const Catalogue& catalogue, const SweepOverrides& overrides = {});

}  // namespace tokenomics
