#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/sweep_plan.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics {

enum class RowFormat { Csv, JsonLines };
/// "csv", "jsonl": also the endings of files.
const char* to_string(RowFormat format);

/// Columns of a sweep's rows: `point`, `sample` where something is uncertain, the axes, the uncertain inputs, `status`
/// (ok, infeasible, error), `reason`, the metrics, the derived columns.
struct SweepColumns {
  explicit SweepColumns(const SweepSpec& spec);

  std::vector<std::string> names;
  bool has_sample = false;
  std::size_t axes = 0, inputs = 0;    ///< index of the first
  std::size_t status = 0, reason = 0;  ///< index
  std::size_t figures = 0;             ///< index of the first metric; derived columns follow the metrics
  [[nodiscard]] std::size_t index(const std::string& name) const;
};

/// A row as text, one field a column; empty for nothing.
using SweepFields = std::vector<std::string>;
/// Fields of a line of a rows file. Throws std::runtime_error when it is none with that many columns.
SweepFields fields_of_row(std::string_view line, RowFormat format, std::size_t columns);
/// A field as a number; NaN when it is none. true and false are 1 and 0.
double number_of(const std::string& field);

/// The line of names of a CSV file, with its line end; empty for JSON Lines.
std::string row_head(const std::vector<std::string>& columns, RowFormat format);

/// How every line of a row begins: tells it from the lines of other rows.
std::string row_beginning(const SweepPlan& plan, std::uint64_t row, RowFormat format);

/// Makes the rows of a sweep. What goes wrong in one point becomes that row's status and reason.
class SweepRows {
 public:
  /// Everything must outlive it. `jobs`: threads inside one point.
  SweepRows(const SweepSpec& spec, const SweepPlan& plan, const Catalogue& catalogue, RowFormat format, unsigned jobs = 1);
  ~SweepRows();

  /// Throws ScenarioError when the first, the middle and the last point all cannot be loaded: then it is the sweep that is
  /// wrong, and not some points.
  void check_loading() const;
  /// The line of a row, with its line end and no other. Safe from several threads.
  [[nodiscard]] std::string line(std::uint64_t row) const;
  [[nodiscard]] const SweepColumns& columns() const;
  /// Thread time that went into simulating or solving, over all rows so far: what is left of the whole is overhead.
  [[nodiscard]] double simulated_s() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenomics
