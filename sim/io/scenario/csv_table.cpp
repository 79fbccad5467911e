#include "csv_table.hpp"

#include <charconv>
#include <cmath>
#include <fstream>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      const bool is_doubled = quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (is_doubled) cells.back() += line[i++];
      else quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

}  // namespace

CsvTable::CsvTable(std::string path) : path_(std::move(path)) {
  std::ifstream file(path_);
  if (!file) throw IoError(fmt::format("{}: cannot be read", path_));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> cells = cells_of(line);
    if (header_.empty()) {
      header_ = std::move(cells);
      for (std::size_t i = 0; i < header_.size(); ++i) where_[header_[i]] = i;
      continue;
    }
    if (cells.size() != header_.size()) {
      throw ScenarioError(Problem{fmt::format("{}:{}", path_, number), "", fmt::format("{} fields", cells.size()),
                                  fmt::format("{} fields as in the header", header_.size()), ""});
    }
    rows_.push_back({number, std::move(cells)});
  }
  if (rows_.empty()) throw ScenarioError(Problem{path_, "", "no rows", "a header and at least one row", ""});
}

void CsvTable::require(const std::vector<std::string>& columns) const {
  std::vector<Problem> problems;
  for (const std::string& column : columns) {
    if (!has(column))
      problems.push_back({path_, "", column + " (missing)", "a column of that name", nearest_name(column, header_)});
  }
  if (!problems.empty()) throw ScenarioError(std::move(problems));
}

const std::string& CsvTable::text(std::size_t row, const std::string& column) const {
  static const std::string kEmpty;
  const auto found = where_.find(column);
  return found == where_.end() ? kEmpty : rows_[row].cells[found->second];
}

std::optional<double> CsvTable::number(std::size_t row, const std::string& column) const {
  const std::string& cell = text(row, column);
  if (cell.empty()) return std::nullopt;
  double value = 0;
  const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || stop != cell.data() + cell.size() || !std::isfinite(value)) fail(row, column, "a number");
  return value;
}

std::optional<std::int64_t> CsvTable::whole(std::size_t row, const std::string& column) const {
  const auto value = number(row, column);
  if (!value) return std::nullopt;
  if (*value != std::floor(*value) || std::abs(*value) > 1e12) fail(row, column, "a whole number");
  return static_cast<std::int64_t>(*value);
}

void CsvTable::fail(std::size_t row, const std::string& column, const std::string& expected) const {
  throw ScenarioError(Problem{fmt::format("{}:{}", path_, line(row)), column, text(row, column), expected, ""});
}

}  // namespace tokenomics
