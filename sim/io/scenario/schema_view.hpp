#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tokenomics {

/// The parts of a schema that speak about one value: the node itself, what it refers to, and the branches taken by
/// this value (if/then/else); all branches of anyOf and oneOf.
using SchemaNodes = std::vector<const nlohmann::json*>;

/// The member or element `key` of a value; null when there is none.
const nlohmann::json& member(const nlohmann::json& value, const std::string& key);

/// Nodes about `value` from a node of the schema `root`.
SchemaNodes nodes_about(const nlohmann::json& root, const nlohmann::json& node, const nlohmann::json& value);

/// Nodes about the member or element `key` of `parent`, given the nodes about `parent`. `value` is the child's value
/// (null when it does not exist). Empty when no node knows the key.
SchemaNodes nodes_beneath(const nlohmann::json& root, const SchemaNodes& about_parent, const std::string& key,
                          const nlohmann::json& value);

/// Nodes about the place `keys` of `document`; members that do not exist are taken as null.
SchemaNodes nodes_at(const nlohmann::json& root, const nlohmann::json& document, const std::vector<std::string>& keys);

/// Names allowed in an object, sorted; `closed` is false when any other name is allowed too.
struct KnownKeys {
  std::vector<std::string> names;
  bool closed = false;
};
KnownKeys known_keys(const SchemaNodes& about_object);

/// What a value should be, in words: "a whole number, at least 1", "one of "a", "b"".
std::string expected_by(const SchemaNodes& nodes);

/// Values of `enum` and `const` that are text.
std::vector<std::string> allowed_texts(const SchemaNodes& nodes);

/// The nearest known key and what to expect, for an unknown one: "a key in another unit" when only the unit differs.
struct KeyHint {
  std::string expected;
  std::string nearest;
};
KeyHint hint_for_unknown_key(const std::string& key, const std::vector<std::string>& known);

}  // namespace tokenomics
