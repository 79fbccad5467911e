#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "line_reader.hpp"

namespace tokenomics {

/// Comma-separated lines under a header of column names, without quoting (none of the trace formats quotes). Every
/// refusal is a ScenarioError that names file and line.
class CsvReader {
 public:
  /// Reads the header; an empty file and a missing column throw.
  CsvReader(const std::string& path, std::vector<std::string> columns);

  /// The next row; false after the last. A row with another number of fields than the header throws.
  bool next();
  /// Throws when there was no row at all.
  void finish() const;

  /// Fields of the row by the position of their name in `columns`.
  [[nodiscard]] std::string_view text(std::size_t column) const { return fields_[where_[column]]; }
  [[nodiscard]] double number(std::size_t column) const;                                  ///< finite and not negative
  [[nodiscard]] std::int64_t count(std::size_t column, std::int64_t at_least = 0) const;  ///< whole, up to 1e9
  [[noreturn]] void fail(std::size_t column, const std::string& expected) const;
  [[noreturn]] void fail(std::string_view value, const std::string& expected) const { lines_.fail(value, expected); }

 private:
  void split(std::string_view line);

  LineReader lines_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> where_;
  std::vector<std::string_view> fields_;
  std::size_t width_ = 0;
  std::uint64_t rows_ = 0;
};

/// No trace counts more than this in one field.
inline constexpr std::int64_t kMostTokens = 1'000'000'000;

}  // namespace tokenomics
