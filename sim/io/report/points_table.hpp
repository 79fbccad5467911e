#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/base/error.hpp"
#include "tokenomics/study/result_points.hpp"

namespace tokenomics {

/// Rows of a table of sweep points, cell by cell, into columns. Collects what is wrong and throws it all at the end, or
/// as soon as there is more than anybody reads.
class PointsTable {
 public:
  /// Knows from the names what each column is: `axes` when given, else the columns before `status` but for `point`.
  /// Throws ScenarioError when they do not tell.
  PointsTable(std::string file, std::vector<std::string> names, const std::vector<std::string>& axes);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  void begin_row(std::size_t line);
  void put_number(std::size_t column, double value, std::string_view written);
  /// Empty text is null.
  void put_text(std::size_t column, std::string_view text);
  /// A field that may be a number.
  void put_field(std::size_t column, std::string_view field);

  void add_problem(std::size_t line, const std::string& value, const std::string& expected, const std::string& nearest = "");
  /// Throws ScenarioError when anything was wrong or there was no row.
  ResultPoints finish();

 private:
  enum class Role { Index, Axis, Status, Reason, Metric };
  struct Column {
    Role role;
    std::size_t at = 0;  ///< among the axes or metrics
  };
  void assign_roles(const std::vector<std::string>& axes);
  void check_names(const std::vector<std::string>& axes) const;
  void put_status(std::string_view text);

  std::string file_;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
  bool has_status_;
  std::size_t line_ = 0;
  ResultPoints points_;
  std::vector<Problem> problems_;
};

/// Tables of sweep points. `file` is for messages; lines are counted from 1.
ResultPoints points_from_csv(const std::string& text, const std::string& file, const std::vector<std::string>& axes);
ResultPoints points_from_jsonl(const std::string& text, const std::string& file, const std::vector<std::string>& axes);

/// The JSON of `run`, `solve`, `frontier` and `validate`.
ResultPoints points_from_json(const std::string& text, const std::string& file);

}  // namespace tokenomics
