#include "overrides.hpp"

#include <algorithm>
#include <memory>

#include "load_cache.hpp"
#include "pointer.hpp"
#include "resolve.hpp"
#include "schema_view.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

std::vector<std::string> path_keys(const std::string& path) {
  if (path.starts_with('/')) return pointer_keys(path);
  std::string pointer = "/" + path;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  return pointer_keys(pointer);
}

json parsed_value(const std::string& text, std::vector<Problem>& problems, const std::string& path) {
  Document value = parse_document(text, "--set");
  const bool is_json = value.problems.empty() || value.problems.front().pointer.rfind("line", 0) != 0;
  if (!is_json) return text;
  for (const Problem& problem : value.problems) problems.push_back({"--set", path, problem.value, problem.expected, ""});
  return value.value;
}

/// A place on the way down: what stands there, what it means with its base, and the schema that speaks about it.
struct Place {
  json* written = nullptr;
  const json* meant = nullptr;         ///< `written` itself outside of bases
  std::shared_ptr<const json> merged;  ///< holds `meant` inside of one
  const json* root = nullptr;
  SchemaNodes nodes;
  bool in_base = false;
};

const json* catalogue_mark(const SchemaNodes& nodes) {
  for (const json* node : nodes) {
    if (node->contains("x-catalogue")) return &(*node)["x-catalogue"];
  }
  return nullptr;
}

/// A base with what is written over it.
std::shared_ptr<const json> meaning_of(const json& written, const std::string& path, const Catalogue& catalogue) {
  const auto base = sound_document(path, catalogue);
  if (written.size() == 1) return {base, &base->value};  // nothing is written over it yet: spares a copy
  auto meaning = std::make_shared<json>(base->value);
  merge_into(*meaning, written);
  return meaning;
}

/// Steps from a reference into what it refers to.
void enter_reference(Place& place, const Catalogue& catalogue) {
  const json* mark = catalogue_mark(place.nodes);
  if (mark == nullptr) return;
  const PartKind kind = part_with_schema(mark->get<std::string>()).value();
  const bool has_other_form =
      place.written->is_object() && !place.written->contains("base") && kind.kind == CatalogueKind::Overlaps;
  if (place.written->is_null() || has_other_form) return;
  if (place.written->is_string()) *place.written = json{{"base", *place.written}};
  if (place.written->contains("base") && (*place.written)["base"].is_string()) {
    place.in_base = true;
    place.meant = place.written;
    if (const auto path = catalogue.find(kind.kind, (*place.written)["base"].get<std::string>())) {
      place.merged = meaning_of(*place.written, *path, catalogue);
      place.meant = place.merged.get();
    }
  }
  place.root = &catalogue.schema(kind.schema);
  place.nodes = nodes_about(*place.root, *place.root, *place.meant);
}

/// One key down; false when it cannot be: then it has been reported.
bool descend(Place& place, const std::string& key, const std::string& pointer, const Catalogue& catalogue,
             std::vector<Problem>& problems) {
  enter_reference(place, catalogue);
  if (place.written->is_null()) *place.written = json::object();
  if (place.written->is_array()) {
    const bool is_index = !key.empty() && key.size() < 9 &&
                          std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!is_index || std::stoul(key) >= place.written->size()) {
      problems.push_back({"--set", pointer, key, "an index below " + std::to_string(place.written->size()), ""});
      return false;
    }
  } else if (!place.written->is_object()) {
    problems.push_back({"--set", pointer, key, "no further key: here stands " + shown(*place.written), ""});
    return false;
  }
  const bool is_as_written = place.meant == place.written;
  const json* meant = &member(*place.meant, key);
  SchemaNodes nodes = nodes_beneath(*place.root, place.nodes, key, *meant);
  if (nodes.empty() && !(key == "base" && place.in_base)) {
    const KeyHint hint = hint_for_unknown_key(key, known_keys(place.nodes).names);
    problems.push_back({"--set", pointer, "", hint.expected, hint.nearest});
    return false;
  }
  place.written = place.written->is_array() ? &(*place.written)[std::stoul(key)] : &(*place.written)[key];
  place.meant = is_as_written ? place.written : meant;
  place.nodes = std::move(nodes);
  return true;
}

}  // namespace

void apply_override(Document& file, const std::string& text, const Catalogue& catalogue, std::vector<Problem>& problems,
                    const std::string& schema) {
  const std::size_t equals = text.find('=');
  const std::vector<std::string> keys =
      equals == std::string::npos ? std::vector<std::string>{} : path_keys(text.substr(0, equals));
  if (keys.empty()) {
    problems.push_back({"--set", "", json(text).dump(), "POINTER=VALUE", ""});
    return;
  }
  json changed = file.value;  // nothing is left half written when the path turns out to be unknown
  const json& root = catalogue.schema(schema);
  Place place{&changed, &changed, nullptr, &root, nodes_about(root, root, changed), false};
  json* parent = nullptr;
  std::string pointer;
  for (const std::string& key : keys) {
    parent = place.written;
    pointer = pointer_append(pointer, key);
    if (!descend(place, key, pointer, catalogue, problems)) return;
  }
  const std::size_t before = problems.size();
  json value = parsed_value(text.substr(equals + 1), problems, pointer);
  if (problems.size() != before) return;
  if (value.is_null() && !place.in_base && parent->is_object()) {
    parent->erase(keys.back());
  } else {
    *place.written = std::move(value);
  }
  file.value = std::move(changed);
  file.overrides.push_back(pointer);
}

std::string as_pointer(const std::string& path) {
  std::string pointer;
  for (const std::string& key : path_keys(path)) pointer = pointer_append(pointer, key);
  return pointer;
}

std::optional<FieldKind> field_kind(const Document& file, const std::string& path, const Catalogue& catalogue,
                                    const std::string& schema, Problem& unknown) {
  json copy = file.value;
  const json& root = catalogue.schema(schema);
  Place place{&copy, &copy, nullptr, &root, nodes_about(root, root, copy), false};
  std::string pointer;
  std::vector<Problem> problems;
  for (const std::string& key : path_keys(path)) {
    pointer = pointer_append(pointer, key);
    if (descend(place, key, pointer, catalogue, problems)) continue;
    unknown = problems.back();
    return std::nullopt;
  }
  std::vector<std::string> types;
  for (const json* node : place.nodes) {
    const json type = node->value("type", json());
    if (type.is_string()) types.push_back(type);
    if (type.is_array()) types.insert(types.end(), type.begin(), type.end());
  }
  const auto may_be = [&](const char* type) { return std::find(types.begin(), types.end(), type) != types.end(); };
  return FieldKind{may_be("number") || may_be("integer"), may_be("integer") && !may_be("number")};
}

}  // namespace tokenomics
