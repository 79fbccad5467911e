#include "quick_schema.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "pointer.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// In rising order, so that the verdict on a whole is the least of its parts.
enum class Verdict { No, Unsure, Yes };

Verdict yes_if(bool holds) { return holds ? Verdict::Yes : Verdict::No; }

/// The types of a schema as a set of bits.
unsigned type_named(const std::string& type) {
  static const std::array<const char*, 7> names{"null", "boolean", "object", "array", "string", "integer", "number"};
  const auto found = std::find(names.begin(), names.end(), type);
  const auto index = static_cast<unsigned>(found - names.begin());
  return type == "number" ? 3U << 5U : 1U << index;  // an integer is a number
}

unsigned type_bit(const json& value) {
  switch (value.type()) {
    case json::value_t::null: return 1U << 0U;
    case json::value_t::boolean: return 1U << 1U;
    case json::value_t::object: return 1U << 2U;
    case json::value_t::array: return 1U << 3U;
    case json::value_t::string: return 1U << 4U;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned: return 1U << 5U;
    case json::value_t::number_float: return 1U << 6U;
    default: return 0;
  }
}

unsigned types_in(const json& value) {
  if (value.is_string()) return type_named(value.get<std::string>());
  unsigned types = 0;
  for (const json& one : value) types |= type_named(one.get<std::string>());
  return types;
}

/// Code points: bytes that do not continue one.
std::size_t length_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Keywords that say nothing about values.
bool is_annotation(const std::string& keyword) {
  static const std::set<std::string> names{"$schema", "title", "description", "default", "definitions"};
  return names.contains(keyword) || keyword.starts_with("x-");
}

}  // namespace

/// One place of the schema. What it does not mention holds for every value.
struct QuickSchema::Node {
  bool has_unknown_keyword = false;
  unsigned types = ~0U;
  double minimum = -std::numeric_limits<double>::infinity(), maximum = std::numeric_limits<double>::infinity();
  double above = -std::numeric_limits<double>::infinity(), below = std::numeric_limits<double>::infinity();
  std::size_t min_length = 0, min_items = 0, max_items = std::numeric_limits<std::size_t>::max();
  bool has_unique_items = false;
  std::vector<json> allowed;  ///< empty: any
  std::vector<std::string> required;
  std::map<std::string, const Node*, std::less<>> properties;
  bool is_closed = false;
  const Node* other_properties = nullptr;
  const Node* items = nullptr;
  std::vector<const Node*> first_items;
  std::vector<const Node*> all_of;
  const Node *condition = nullptr, *then = nullptr, *otherwise = nullptr, *never = nullptr;

  [[nodiscard]] Verdict judge(const json& value) const {
    Verdict verdict = has_unknown_keyword ? Verdict::Unsure : Verdict::Yes;
    const auto add = [&](Verdict part) { return (verdict = std::min(verdict, part)) != Verdict::No; };
    if ((types & type_bit(value)) == 0) return Verdict::No;
    if (!allowed.empty() && !add(judge_allowed(value))) return verdict;
    if (value.is_number() && !add(judge_number(value.get<double>()))) return verdict;
    if (value.is_string() && min_length > 0 && !add(yes_if(length_of(value.get_ref<const std::string&>()) >= min_length)))
      return verdict;
    if (value.is_array() && !add(judge_items(value))) return verdict;
    if (value.is_object() && !add(judge_members(value))) return verdict;
    for (const Node* part : all_of)
      if (!add(part->judge(value))) return verdict;
    add(judge_condition(value));
    return verdict;
  }

 private:
  [[nodiscard]] Verdict judge_number(double number) const {
    return yes_if(number >= minimum && number <= maximum && number > above && number < below);
  }

  /// Whether 1 and 1.0 are the same is left to the library.
  [[nodiscard]] Verdict judge_allowed(const json& value) const {
    const bool is_one = std::any_of(allowed.begin(), allowed.end(),
                                    [&](const json& one) { return one.type() == value.type() && one == value; });
    if (is_one) return Verdict::Yes;
    return value.is_string() || value.is_boolean() ? Verdict::No : Verdict::Unsure;
  }

  [[nodiscard]] Verdict judge_items(const json& list) const {
    Verdict verdict = yes_if(list.size() >= min_items && list.size() <= max_items);
    for (std::size_t i = 0; i < list.size() && verdict != Verdict::No; ++i) {
      const Node* node = i < first_items.size() ? first_items[i] : items;
      if (node != nullptr) verdict = std::min(verdict, node->judge(list[i]));
      const bool may_repeat = has_unique_items && std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i),
                                                            list[i]) != list.begin() + static_cast<std::ptrdiff_t>(i);
      if (may_repeat) verdict = std::min(verdict, Verdict::Unsure);
    }
    return verdict;
  }

  [[nodiscard]] Verdict judge_members(const json& object) const {
    for (const std::string& name : required)
      if (!object.contains(name)) return Verdict::No;
    if (properties.empty() && !is_closed && other_properties == nullptr) return Verdict::Yes;
    Verdict verdict = Verdict::Yes;
    for (auto member = object.begin(); member != object.end() && verdict != Verdict::No; ++member) {
      const auto known = properties.find(member.key());
      if (known == properties.end() && is_closed) return Verdict::No;
      const Node* node = known == properties.end() ? other_properties : known->second;
      if (node != nullptr) verdict = std::min(verdict, node->judge(*member));
    }
    return verdict;
  }

  [[nodiscard]] Verdict judge_condition(const json& value) const {
    Verdict verdict = Verdict::Yes;
    if (never != nullptr) {
      const Verdict inner = never->judge(value);
      verdict = inner == Verdict::Unsure ? inner : yes_if(inner == Verdict::No);
    }
    if (condition == nullptr) return verdict;
    const Verdict holds = condition->judge(value);
    if (holds == Verdict::Unsure) return std::min(verdict, holds);
    const Node* branch = holds == Verdict::Yes ? then : otherwise;
    return branch == nullptr ? verdict : std::min(verdict, branch->judge(value));
  }
};

/// Makes nodes of a schema's places; a place that is referred to from several ones is made once.
struct QuickSchema::Reader {
  std::map<std::string, std::unique_ptr<Node>>& nodes;
  const json& root;

  const Node* node_at(const std::string& pointer) {
    const auto [found, is_new] = nodes.emplace(pointer, nullptr);
    if (!is_new) return found->second.get();
    const json& place = root.at(json::json_pointer(pointer));
    if (place.is_object() && place.contains("$ref")) {  // draft 7 ignores everything beside a reference
      nodes.erase(found);
      return node_at(place["$ref"].get<std::string>().substr(1));
    }
    found->second = std::make_unique<Node>();
    Node& node = *found->second;
    node.has_unknown_keyword = place == false;
    if (place.is_object())
      for (const auto& [keyword, value] : place.items()) read(node, keyword, value, pointer_append(pointer, keyword));
    return &node;
  }

  void read(Node& node, const std::string& keyword, const json& value, const std::string& pointer) {
    const bool is_known = read_bound(node, keyword, value) || read_list(node, keyword, value, pointer) ||
                          read_inner(node, keyword, value, pointer) || is_annotation(keyword);
    if (!is_known) node.has_unknown_keyword = true;
  }

  static bool read_bound(Node& node, const std::string& keyword, const json& value) {
    if (keyword == "minimum") node.minimum = value;
    else if (keyword == "maximum") node.maximum = value;
    else if (keyword == "exclusiveMinimum" && value.is_number()) node.above = value;
    else if (keyword == "exclusiveMaximum" && value.is_number()) node.below = value;
    else if (keyword == "minLength") node.min_length = value;
    else if (keyword == "minItems") node.min_items = value;
    else if (keyword == "maxItems") node.max_items = value;
    else if (keyword == "uniqueItems") node.has_unique_items = value;
    else return false;
    return true;
  }

  bool read_list(Node& node, const std::string& keyword, const json& value, const std::string& pointer) {
    if (keyword == "type") node.types = types_in(value);
    else if (keyword == "enum" && node.allowed.empty()) node.allowed = value.get<std::vector<json>>();
    else if (keyword == "const" && node.allowed.empty()) node.allowed = {value};
    else if (keyword == "required") node.required = value.get<std::vector<std::string>>();
    else if (keyword == "allOf") node.all_of = nodes_beneath(value, pointer);
    else if (keyword == "items" && value.is_array()) node.first_items = nodes_beneath(value, pointer);
    else return false;
    return true;
  }

  bool read_inner(Node& node, const std::string& keyword, const json& value, const std::string& pointer) {
    if (keyword == "properties")
      for (const auto& item : value.items()) node.properties[item.key()] = node_at(pointer_append(pointer, item.key()));
    else if (keyword == "additionalProperties" && value.is_boolean()) node.is_closed = !value.get<bool>();
    else if (keyword == "additionalProperties") node.other_properties = node_at(pointer);
    else if (keyword == "items") node.items = node_at(pointer);
    else if (keyword == "if") node.condition = node_at(pointer);
    else if (keyword == "then") node.then = node_at(pointer);
    else if (keyword == "else") node.otherwise = node_at(pointer);
    else if (keyword == "not") node.never = node_at(pointer);
    else return false;
    return true;
  }

  std::vector<const Node*> nodes_beneath(const json& list, const std::string& pointer) {
    std::vector<const Node*> all;
    for (std::size_t i = 0; i < list.size(); ++i) all.push_back(node_at(pointer_append(pointer, std::to_string(i))));
    return all;
  }
};

QuickSchema::QuickSchema(const json& schema) { root_ = Reader{nodes_, schema}.node_at(""); }
QuickSchema::~QuickSchema() = default;
QuickSchema::QuickSchema(QuickSchema&&) noexcept = default;

bool QuickSchema::accepts(const json& value) const { return root_->judge(value) == Verdict::Yes; }

}  // namespace tokenomics
