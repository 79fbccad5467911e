#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace tokenomics {

/// A field of a CSV line, quoted where it must be (RFC 4180).
std::string csv_field(const std::string& text);
/// A line with its line end.
std::string csv_line(const std::vector<std::string>& fields);
/// Fields of a line, with or without its line end; quotes are taken off (RFC 4180).
std::vector<std::string> csv_fields(std::string_view line);
/// A JSON scalar as a field: null is empty, text stands without quotes.
std::string csv_value(const nlohmann::ordered_json& scalar);

/// Scalars of an object with dotted names ("pools.0.gpus"), in order.
struct FlatValue {
  std::string name;
  nlohmann::ordered_json value;
};
std::vector<FlatValue> flattened(const nlohmann::ordered_json& value);

}  // namespace tokenomics
