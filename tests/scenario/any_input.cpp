#include "support/catch.hpp"

#include <rapidcheck/catch.h>
#include <nlohmann/json.hpp>

#include "shipped.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// Pointers of everything in a document.
std::vector<std::string> places_in(const json& document) {
  std::vector<std::string> places;
  const json flat = document.flatten();
  for (const auto& item : flat.items()) {
    for (std::string place = item.key(); !place.empty(); place.erase(place.rfind('/'))) places.push_back(place);
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

const std::vector<json>& odd_values() {
  static const std::vector<json> values{nullptr,
                                        true,
                                        -1,
                                        0,
                                        0.5,
                                        1e300,
                                        9223372036854775807,
                                        "",
                                        "none",
                                        "a/b.json",
                                        json::array(),
                                        json::object(),
                                        json{{"base", 3}},
                                        json{{"base", "deepseek-r1"}},
                                        json{{"kind", "mla"}},
                                        json::array({json::array({1})})};
  return values;
}

/// Loads, or says what is wrong; nothing else may happen.
bool is_answered(const json& document) {
  try {
    const Scenario scenario = load_scenario_text(document.dump(), "x.json", shipped());
    return resolved_json(load_scenario_text(resolved_json(scenario).dump(), "again.json", shipped())) ==
           resolved_json(scenario);
  } catch (const ScenarioError& error) {
    return !error.problems().empty();
  }
}

}  // namespace

TEST_CASE("a scenario with any value in any place loads or is refused with problems, never anything else", "[scenario]") {
  const json everything = json::parse(kEverything);
  const json resolved = resolved_json(load_scenario_text(kEverything, "everything.json", shipped()));
  for (const json& document : {everything, resolved}) {
    const std::vector<std::string> places = places_in(document);
    rc::prop("one odd value", [&]() {
      json changed = document;
      const std::string place = *rc::gen::elementOf(places);
      changed[json::json_pointer(place)] = *rc::gen::elementOf(odd_values());
      RC_LOG() << place << " = " << changed[json::json_pointer(place)].dump();
      RC_ASSERT(is_answered(changed));
    });
  }
}

TEST_CASE("an override with any path and value is applied or refused with problems", "[scenario]") {
  const std::vector<std::string> places = places_in(json::parse(kEverything));
  rc::prop("any override", [&]() {
    const std::string place = *rc::gen::elementOf(places) + *rc::gen::element<std::string>("", "/x", "/0", "/kind", "/");
    const std::string set = place + "=" + (*rc::gen::elementOf(odd_values())).dump();
    RC_LOG() << set;
    try {
      load_scenario_text(kEverything, "x.json", shipped(), {set});
    } catch (const ScenarioError& error) {
      RC_ASSERT(!error.problems().empty());
    }
  });
}

}  // namespace tokenomics
