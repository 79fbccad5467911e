#include "schema_view.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  return value.is_number();
}

/// The forms of `if` that our schemas use: a type, required names, and properties that are a constant or one of several.
bool holds(const json& condition, const json& value) {
  if (condition.contains("type") && !has_type(value, condition["type"].get<std::string>())) return false;
  if (condition.contains("required")) {
    for (const json& name : condition["required"]) {
      if (!value.is_object() || !value.contains(name.get<std::string>())) return false;
    }
  }
  if (!condition.contains("properties") || !value.is_object()) return true;
  for (const auto& [name, rule] : condition["properties"].items()) {
    if (!value.contains(name)) continue;
    if (rule.contains("const") && value[name] != rule["const"]) return false;
    if (rule.contains("enum") && std::find(rule["enum"].begin(), rule["enum"].end(), value[name]) == rule["enum"].end())
      return false;
  }
  return true;
}

void collect(const json& root, const json& node, const json& value, SchemaNodes& nodes) {
  if (!node.is_object()) return;
  if (node.contains("$ref")) {
    const std::string reference = node["$ref"].get<std::string>();
    nodes.push_back(&node);  // its description and default; draft 7 ignores anything else beside a reference
    collect(root, root.at(json::json_pointer(reference.substr(1))), value, nodes);
    return;
  }
  nodes.push_back(&node);
  for (const char* every : {"allOf", "anyOf", "oneOf"}) {
    if (!node.contains(every)) continue;
    for (const json& part : node[every]) collect(root, part, value, nodes);
  }
  if (!node.contains("if")) return;
  const char* branch = holds(node["if"], value) ? "then" : "else";
  if (node.contains(branch)) collect(root, node[branch], value, nodes);
}

bool is_index(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// 0.5, 24, 1e9.
std::string number_text(const json& number) {
  std::string text = fmt::format("{:.15g}", number.get<double>());
  if (text.size() > 6 && text.find_first_not_of("0", 1) == std::string::npos)
    text = text.substr(0, 1) + "e" + std::to_string(text.size() - 1);
  return text;
}

/// A keyword of the first node that has it.
const json* keyword(const SchemaNodes& nodes, const char* name) {
  for (const json* node : nodes) {
    if (node->contains(name)) return &(*node)[name];
  }
  return nullptr;
}

std::string type_words(const std::string& type) {
  static const std::map<std::string, std::string> words{
      {"integer", "a whole number"}, {"number", "a number"}, {"string", "text"}, {"boolean", "true or false"},
      {"object", "an object"},       {"array", "a list"},    {"null", "null"}};
  const auto found = words.find(type);
  return found == words.end() ? type : found->second;
}

std::string type_text(const SchemaNodes& nodes) {
  const json* type = keyword(nodes, "type");
  if (type == nullptr) return "another value";
  if (type->is_string()) return type_words(type->get<std::string>());
  std::string text;
  for (const json& one : *type) text += (text.empty() ? "" : " or ") + type_words(one.get<std::string>());
  return text;
}

/// " of at least 1 and at most 8", " above 0".
std::string range_text(const SchemaNodes& nodes) {
  struct Word {
    const char* key;
    const char* before;
    const char* after;
  };
  static constexpr std::array<Word, 7> words{{{"exclusiveMinimum", "above ", ""},
                                              {"minimum", "at least ", ""},
                                              {"exclusiveMaximum", "below ", ""},
                                              {"maximum", "at most ", ""},
                                              {"minItems", "at least ", " items"},
                                              {"maxItems", "at most ", " items"},
                                              {"minLength", "at least ", " character"}}};
  std::string text;
  for (const Word& word : words) {
    const json* limit = keyword(nodes, word.key);
    if (limit == nullptr) continue;
    const bool needs_of = text.empty() && word.before[1] == 't';  // "of at least", "above"
    text += (text.empty() ? (needs_of ? " of " : " ") : " and ") + (word.before + number_text(*limit)) + word.after;
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// Splits a key into what it says and its units: "bandwidth_GBps_per_gpu" -> "bandwidth per gpu", "gbps".
std::pair<std::string, std::string> stem_and_units(const std::string& key) {
  static const std::set<std::string> units{
      "ns",    "us",   "ms",   "s",     "sec",    "seconds", "min",    "minutes", "h",       "hour",  "hours",
      "day",   "days", "kb",   "mb",    "mib",    "gb",      "gib",    "tb",      "tib",     "bytes", "gbps",
      "gbits", "mbps", "tbps", "gibps", "tflops", "gflops",  "pflops", "w",       "kw",      "mw",    "usd",
      "eur",   "cent", "mtok", "ktok",  "tok",    "tokens",  "kwh",    "mwh",     "percent", "pct",   "gt"};
  std::string stem;
  std::string unit;
  std::size_t begin = 0;
  while (begin <= key.size()) {
    const std::size_t end = std::min(key.find('_', begin), key.size());
    const std::string word = lower(std::string_view(key).substr(begin, end - begin));
    (units.contains(word) ? unit : stem) += word + " ";
    begin = end + 1;
  }
  return {stem, unit};
}

}  // namespace

const json& member(const json& value, const std::string& key) {
  static const json none;
  if (value.is_object() && value.contains(key)) return value[key];
  if (value.is_array() && is_index(key) && key.size() < 9 && std::stoul(key) < value.size()) return value[std::stoul(key)];
  return none;
}

SchemaNodes nodes_about(const json& root, const json& node, const json& value) {
  SchemaNodes nodes;
  collect(root, node, value, nodes);
  return nodes;
}

SchemaNodes nodes_beneath(const json& root, const SchemaNodes& about_parent, const std::string& key, const json& value) {
  SchemaNodes nodes;
  for (const json* node : about_parent) {
    if (node->contains("properties") && (*node)["properties"].contains(key)) {
      const json& child = (*node)["properties"][key];
      if (child.is_boolean()) {
        static const json anything = json::object();
        nodes.push_back(&anything);
      } else {
        collect(root, child, value, nodes);
      }
    } else if (node->contains("additionalProperties") && (*node)["additionalProperties"].is_object()) {
      collect(root, (*node)["additionalProperties"], value, nodes);
    } else if (node->contains("items") && is_index(key)) {
      const json& items = (*node)["items"];
      if (!items.is_array()) {
        collect(root, items, value, nodes);
      } else if (key.size() < 9 && std::stoul(key) < items.size()) {
        collect(root, items[std::stoul(key)], value, nodes);
      }
    }
  }
  return nodes;
}

SchemaNodes nodes_at(const json& root, const json& document, const std::vector<std::string>& keys) {
  const json* value = &document;
  SchemaNodes nodes = nodes_about(root, root, document);
  for (const std::string& key : keys) {
    value = &member(*value, key);
    nodes = nodes_beneath(root, nodes, key, *value);
  }
  return nodes;
}

KnownKeys known_keys(const SchemaNodes& about_object) {
  std::set<std::string> names;
  KnownKeys known;
  for (const json* node : about_object) {
    if (node->contains("properties")) {
      for (const auto& item : (*node)["properties"].items()) names.insert(item.key());
    }
    if (node->contains("additionalProperties") && (*node)["additionalProperties"] == false) known.closed = true;
  }
  names.erase("$schema");
  known.names.assign(names.begin(), names.end());
  return known;
}

std::vector<std::string> allowed_texts(const SchemaNodes& nodes) {
  std::vector<std::string> texts;
  if (const json* values = keyword(nodes, "enum")) {
    for (const json& value : *values) {
      if (value.is_string()) texts.push_back(value.get<std::string>());
    }
  }
  return texts;
}

std::string expected_by(const SchemaNodes& nodes) {
  if (const json* said = keyword(nodes, "x-expected")) return said->get<std::string>();
  if (const json* values = keyword(nodes, "enum")) {
    std::string text;
    for (const json& value : *values) text += (text.empty() ? "one of " : ", ") + value.dump();
    return text;
  }
  return type_text(nodes) + range_text(nodes);
}

KeyHint hint_for_unknown_key(const std::string& key, const std::vector<std::string>& known) {
  const auto [stem, units] = stem_and_units(key);
  for (const std::string& name : known) {
    const auto [known_stem, known_units] = stem_and_units(name);
    if (stem == known_stem && units != known_units) return {"a known key (wrong unit?)", name};
  }
  const std::string nearest = nearest_name(key, known);
  if (!nearest.empty() || known.size() > 12) return {"a known key", nearest};
  std::string text;
  for (const std::string& name : known) text += (text.empty() ? "one of the keys " : ", ") + name;
  return {known.empty() ? "no keys here" : text, ""};
}

}  // namespace tokenomics
