#include "csv.hpp"

namespace tokenomics {
namespace {

void flatten(const nlohmann::ordered_json& value, const std::string& name, std::vector<FlatValue>& out) {
  if (!value.is_structured()) {
    out.push_back({name, value});
    return;
  }
  for (const auto& [key, child] : value.items()) flatten(child, name.empty() ? key : name + "." + key, out);
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (&field != &fields.front()) line += ',';
    line += csv_field(field);
  }
  return line + '\n';
}

std::string csv_value(const nlohmann::ordered_json& scalar) {
  if (scalar.is_null()) return "";
  return scalar.is_string() ? scalar.get<std::string>() : scalar.dump();
}

std::vector<FlatValue> flattened(const nlohmann::ordered_json& value) {
  std::vector<FlatValue> out;
  flatten(value, "", out);
  return out;
}

}  // namespace tokenomics
