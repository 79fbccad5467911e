#include "support/catch.hpp"

#include <rapidcheck/catch.h>
#include <nlohmann/json.hpp>

#include "../../sim/io/scenario/quick_schema.hpp"
#include "../../sim/io/scenario/schema_engine.hpp"
#include "shipped.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

struct Kind {
  CatalogueKind kind;
  const char* schema;
};
const std::vector<Kind> kKinds{{CatalogueKind::Hardware, "hardware"},  {CatalogueKind::Models, "model"},
                               {CatalogueKind::Workloads, "workload"}, {CatalogueKind::Calibrations, "calibration"},
                               {CatalogueKind::Overlaps, "overlap"},   {CatalogueKind::Services, "scenario"},
                               {CatalogueKind::Queries, "query"},      {CatalogueKind::Engines, "engine"}};

/// Every place of a value, as pointers.
std::vector<json::json_pointer> places_of(const json& value) {
  std::vector<json::json_pointer> places;
  const json flat = value.flatten();  // kept: items() refers to it
  for (const auto& item : flat.items()) {
    for (json::json_pointer place(item.key()); !place.empty(); place.pop_back()) places.push_back(place);
  }
  return places;
}

}  // namespace

TEST_CASE("what ships is accepted without asking the schema library", "[scenario]") {
  for (const Kind& kind : kKinds) {
    const QuickSchema quick(shipped().schema(kind.schema));
    for (const CatalogueEntry& entry : shipped().list(kind.kind)) {
      INFO(entry.path);
      CHECK(quick.accepts(shipped().raw(kind.kind, entry.name)));
    }
  }
}

TEST_CASE("nothing is accepted that the schema library refuses", "[scenario]") {
  for (const Kind& kind : kKinds) {
    const json& schema = shipped().schema(kind.schema);
    const QuickSchema quick(schema);
    const CompiledSchema library(schema);
    std::vector<std::string> names;
    for (const CatalogueEntry& entry : shipped().list(kind.kind)) names.push_back(entry.name);
    const std::vector<json> odd{nullptr,
                                true,
                                -1,
                                0,
                                1,
                                0.5,
                                1e300,
                                "",
                                "x",
                                "fp8",
                                "fixed",
                                "gqa",
                                "",
                                "mla",
                                json::array(),
                                json::object(),
                                json{{"kind", "x"}},
                                {1, 2},
                                {2, 2}};
    rc::prop(kind.schema, [&] {
      json value = shipped().raw(kind.kind, *rc::gen::elementOf(names));
      const json::json_pointer place = *rc::gen::elementOf(places_of(value));
      const int change = *rc::gen::inRange(0, 3);
      json& parent = value.at(place.parent_pointer());
      if (change == 0) value.at(place) = *rc::gen::elementOf(odd);
      else if (change == 1 && parent.is_object()) parent.erase(place.back());
      else if (parent.is_object()) parent[*rc::gen::elementOf(std::vector<std::string>{"x", "base", "law", "kind"})] = 1;
      const bool is_sound = library.complaints(value).empty();
      RC_CLASSIFY(is_sound, "sound");
      if (quick.accepts(value)) RC_ASSERT(is_sound);
    });
  }
}

TEST_CASE("a schema with a keyword that is not known is left to the library", "[scenario]") {
  CHECK(QuickSchema(json{{"type", "integer"}}).accepts(1));
  CHECK_FALSE(QuickSchema(json{{"type", "integer"}, {"multipleOf", 2}}).accepts(2));
  CHECK_FALSE(QuickSchema(json{{"type", "integer"}}).accepts(0.5));
  CHECK(QuickSchema(json{{"not", {{"required", {"a"}}}}}).accepts(json{{"b", 1}}));
  CHECK_FALSE(QuickSchema(json{{"not", {{"pattern", "a"}}}}).accepts("b"));
}

}  // namespace tokenomics
