#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenomics {

/// Comma-separated text with a header; fields may be quoted (RFC 4180, no line breaks inside). Read whole: for tables of
/// some thousand rows.
class CsvTable {
 public:
  /// Throws IoError when the file cannot be read; ScenarioError for an empty file and a row of another width.
  explicit CsvTable(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] bool has(const std::string& column) const { return where_.contains(column); }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  /// Throws ScenarioError with the nearest column when one is missing.
  void require(const std::vector<std::string>& columns) const;
  [[nodiscard]] int line(std::size_t row) const { return rows_[row].line; }

  /// Empty where the column is missing.
  [[nodiscard]] const std::string& text(std::size_t row, const std::string& column) const;
  /// Nothing where the cell is empty; throws ScenarioError where it is not a finite number.
  [[nodiscard]] std::optional<double> number(std::size_t row, const std::string& column) const;
  [[nodiscard]] std::optional<std::int64_t> whole(std::size_t row, const std::string& column) const;
  [[noreturn]] void fail(std::size_t row, const std::string& column, const std::string& expected) const;

 private:
  struct Row {
    int line;
    std::vector<std::string> cells;
  };
  std::string path_;
  std::vector<std::string> header_;
  std::map<std::string, std::size_t, std::less<>> where_;
  std::vector<Row> rows_;
};

}  // namespace tokenomics
