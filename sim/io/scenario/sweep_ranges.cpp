#include "sweep_ranges.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pointer.hpp"

namespace tokenomics {

using nlohmann::json;

bool looks_like_range(const json& value) {
  if (!value.is_object() || !value.contains("low") || !value.contains("high")) return false;
  static const std::set<std::string> keys{"low", "high", "law", "mode", "source"};
  return std::all_of(value.items().begin(), value.items().end(), [](const auto& item) { return keys.contains(item.key()); });
}

void find_ranges(const json& value, const std::string& pointer, std::vector<std::string>& found) {
  if (looks_like_range(value)) return found.push_back(pointer);
  if (value.is_object())
    for (const auto& [key, child] : value.items()) find_ranges(child, pointer_append(pointer, key), found);
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i) find_ranges(value[i], pointer_append(pointer, std::to_string(i)), found);
}

RangeLaw range_law_from(const json& file, const Reporter& report) {
  RangeLaw range;
  const bool is_sound = file["low"].is_number() && file["high"].is_number() && file.value("law", json("")).is_string() &&
                        (!file.contains("mode") || file["mode"].is_number());
  if (!is_sound) {
    report.add(shown(file), "a range: low and high are numbers, law is a name");
    return range;
  }
  range.low = file["low"];
  range.high = file["high"];
  if (file.contains("mode")) range.mode = file["mode"].get<double>();
  const auto kind = range_law_named(file.value("law", "uniform"));
  if (!kind) {
    const std::vector<std::string> known{"uniform", "log_uniform", "triangular", "normal", "lognormal"};
    report.at("law").add(file["law"].dump(), fmt::format("one of {}", fmt::join(known, ", ")),
                         nearest_name(file["law"].get<std::string>(), known));
    return range;
  }
  range.kind = *kind;
  if (const std::string fault = fault_of(range); !fault.empty()) report.add(shown(file), "a sound range: " + fault);
  return range;
}

std::string shown_range(const json& range) {
  return json(fmt::format("{}..{}", range["low"].dump(), range["high"].dump())).dump();
}

json rounded(double value, bool is_whole) {
  if (is_whole) return static_cast<std::int64_t>(std::llround(value));
  return parse_document(fmt::format("{:.12g}", value), "").value;
}

}  // namespace tokenomics
