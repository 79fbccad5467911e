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

std::vector<std::string> csv_fields(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      const bool is_doubled = is_quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (is_doubled) fields.back() += line[i++];
      if (!is_doubled) is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
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
