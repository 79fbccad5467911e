#include "schemas.hpp"

#include <algorithm>

#include "pointer.hpp"
#include "schema_view.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// A key that is known one level deeper: "tp" beside "parallelism".
std::string place_inside(const json& root, const SchemaNodes& nodes, const KnownKeys& known, const std::string& key) {
  for (const std::string& name : known.names) {
    const KnownKeys inner = known_keys(nodes_beneath(root, nodes, name, json()));
    if (std::find(inner.names.begin(), inner.names.end(), key) != inner.names.end()) return name;
  }
  return "";
}

void add_unknown_keys(const json& root, const json& document, const std::string& pointer, std::vector<Problem>& problems) {
  const json& object = document.at(json::json_pointer(pointer));
  const SchemaNodes nodes = nodes_at(root, document, pointer_keys(pointer));
  const KnownKeys known = known_keys(nodes);
  for (const auto& [key, value] : object.items()) {
    if (key == "$schema" || std::find(known.names.begin(), known.names.end(), key) != known.names.end()) continue;
    KeyHint hint = hint_for_unknown_key(key, known.names);
    if (hint.nearest.empty()) {
      const std::string inside = place_inside(root, nodes, known, key);
      if (!inside.empty()) hint = {"a known key (it belongs inside " + inside + ")", inside + "/" + key};
    }
    problems.push_back({"", pointer_append(pointer, key), shown(value), hint.expected, hint.nearest});
  }
}

Problem missing_key(const json& root, const json& document, const SchemaComplaint& complaint) {
  std::vector<std::string> keys = pointer_keys(complaint.pointer);
  keys.push_back(complaint.key);
  return {"", pointer_append(complaint.pointer, complaint.key), "",
          expected_by(nodes_at(root, document, keys)) + " (missing)", ""};
}

Problem wrong_value(const json& root, const json& document, const std::string& pointer) {
  const json& value = document.at(json::json_pointer(pointer));
  const SchemaNodes nodes = nodes_at(root, document, pointer_keys(pointer));
  const std::string nearest = value.is_string() ? nearest_name(value.get<std::string>(), allowed_texts(nodes)) : "";
  return {"", pointer, shown(value), expected_by(nodes), nearest};
}

bool same(const Problem& a, const Problem& b) { return a.pointer == b.pointer && a.expected == b.expected; }

}  // namespace

std::string Schemas::path(const std::string& name) const { return folder_ + "/" + name + ".schema.json"; }

const Schemas::Entry& Schemas::entry(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = entries_.find(name);
  if (found != entries_.end()) return found->second;
  Document document = read_document(path(name));
  if (!document.problems.empty()) throw ScenarioError(document.problems);
  CompiledSchema compiled(document.value);
  QuickSchema quick(document.value);
  return entries_.emplace(name, Entry{std::move(document.value), std::move(compiled), std::move(quick)}).first->second;
}

const json& Schemas::schema(const std::string& name) { return entry(name).schema; }

std::vector<Problem> Schemas::check(const std::string& name, const json& value) {
  const Entry& known = entry(name);
  if (known.quick.accepts(value)) return {};
  std::vector<Problem> problems;
  for (const SchemaComplaint& complaint : known.compiled.complaints(value)) {
    if (complaint.kind == SchemaComplaint::Kind::UnknownKey) {
      add_unknown_keys(known.schema, value, complaint.pointer, problems);
    } else if (complaint.kind == SchemaComplaint::Kind::MissingKey) {
      problems.push_back(missing_key(known.schema, value, complaint));
    } else {
      problems.push_back(wrong_value(known.schema, value, complaint.pointer));
    }
  }
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.pointer < b.pointer; });
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
  return problems;
}

}  // namespace tokenomics
