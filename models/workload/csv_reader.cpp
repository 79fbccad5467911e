#include "csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

CsvReader::CsvReader(const std::string& path, std::vector<std::string> columns)
    : lines_(path), columns_(std::move(columns)) {
  std::string_view header;
  if (!lines_.next(header)) {
    throw ScenarioError(
        Problem{path, "line 1", "an empty file", fmt::format("a header with {}", fmt::join(columns_, ", ")), ""});
  }
  split(header);
  width_ = fields_.size();
  for (const std::string& column : columns_) {
    const auto found = std::find(fields_.begin(), fields_.end(), column);
    if (found == fields_.end()) lines_.fail(header, fmt::format("a column named {}", column));
    where_.push_back(static_cast<std::size_t>(found - fields_.begin()));
  }
}

void CsvReader::split(std::string_view line) {
  fields_.clear();
  std::size_t begin = 0;
  for (std::size_t comma = line.find(','); comma != std::string_view::npos; comma = line.find(',', begin)) {
    fields_.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  fields_.push_back(line.substr(begin));
}

bool CsvReader::next() {
  std::string_view line;
  if (!lines_.next(line)) return false;
  split(line);
  if (fields_.size() != width_) lines_.fail(line, fmt::format("{} fields as in the header", width_));
  ++rows_;
  return true;
}

void CsvReader::finish() const {
  if (rows_ > 0) return;
  throw ScenarioError(Problem{lines_.path(), "line 2", "no rows", "at least one row under the header", ""});
}

void CsvReader::fail(std::size_t column, const std::string& expected) const {
  lines_.fail(fmt::format("{} = \"{}\"", columns_[column], text(column)), expected);
}

double CsvReader::number(std::size_t column) const {
  const std::string_view field = text(column);
  double value = 0;
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || stop != field.data() + field.size() || !std::isfinite(value) || value < 0) {
    fail(column, "a number that is at least 0");
  }
  return value;
}

std::int64_t CsvReader::count(std::size_t column, std::int64_t at_least) const {
  const std::string_view field = text(column);
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || stop != field.data() + field.size() || value < at_least || value > kMostTokens) {
    fail(column, fmt::format("a whole number from {} to {}", at_least, kMostTokens));
  }
  return value;
}

}  // namespace tokenomics
