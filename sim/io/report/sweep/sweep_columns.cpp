#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "../csv.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/sweep_rows.hpp"

namespace tokenomics {

const char* to_string(RowFormat format) { return format == RowFormat::Csv ? "csv" : "jsonl"; }

SweepColumns::SweepColumns(const SweepSpec& spec) {
  names.emplace_back("point");
  has_sample = !spec.inputs.empty();
  if (has_sample) names.emplace_back("sample");
  axes = names.size();
  for (const std::string& name : spec.axis_columns()) names.push_back(name);
  inputs = names.size();
  names.insert(names.end(), spec.inputs.begin(), spec.inputs.end());
  status = names.size();
  names.emplace_back("status");
  reason = names.size();
  names.emplace_back("reason");
  figures = names.size();
  names.insert(names.end(), spec.metrics.begin(), spec.metrics.end());
  for (const SweepDerived& derived : spec.derived) names.push_back(derived.name);
}

std::size_t SweepColumns::index(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  TOKENOMICS_CHECK(found != names.end(), name);
  return static_cast<std::size_t>(found - names.begin());
}

SweepFields fields_of_row(std::string_view line, RowFormat format, std::size_t columns) {
  SweepFields fields;
  if (format == RowFormat::Csv) {
    fields = csv_fields(line);
  } else {
    const auto row = nlohmann::ordered_json::parse(line, nullptr, false);
    if (row.is_object())
      for (const auto& [key, value] : row.items()) fields.push_back(csv_value(value));
  }
  if (fields.size() != columns)
    throw std::runtime_error(fmt::format("{} columns; expected {}: {}", fields.size(), columns, line.substr(0, 80)));
  return fields;
}

std::string row_beginning(const SweepPlan& plan, std::uint64_t row, RowFormat format) {
  const SweepPoint point = plan.at(row);
  const std::string sample = point.sample ? std::to_string(*point.sample) : "";
  if (format == RowFormat::Csv)
    return plan.is_uncertain() ? fmt::format("{},{},", point.design, sample) : fmt::format("{},", point.design);
  const std::string start = fmt::format("{{\"point\":{},", point.design);
  return plan.is_uncertain() ? fmt::format("{}\"sample\":{},", start, sample.empty() ? "null" : sample) : start;
}

double number_of(const std::string& field) {
  if (field == "true") return 1;
  if (field == "false") return 0;
  char* end = nullptr;
  const double value = std::strtod(field.c_str(), &end);
  return field.empty() || *end != '\0' ? std::numeric_limits<double>::quiet_NaN() : value;
}

std::string row_head(const std::vector<std::string>& columns, RowFormat format) {
  return format == RowFormat::Csv ? csv_line(columns) : "";
}

}  // namespace tokenomics
