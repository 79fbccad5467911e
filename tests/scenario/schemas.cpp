#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include "../../sim/io/scenario/document.hpp"
#include "../../sim/io/scenario/schema_engine.hpp"
#include "shipped.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// Every reference inside a schema leads somewhere.
void check_references(const json& root, const json& node) {
  if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) {
    const std::string reference = node["$ref"];
    INFO(reference);
    REQUIRE(reference.starts_with("#"));
    CHECK(root.contains(json::json_pointer(reference.substr(1))));
  }
  if (!node.is_structured()) return;
  for (const json& child : node) check_references(root, child);
}

}  // namespace

TEST_CASE("every schema is a valid schema of draft 7 and its references lead somewhere", "[scenario]") {
  const CompiledSchema meta(read_document(std::string(TOKENOMICS_TEST_DATA) + "/scenario/draft-07.schema.json").value);
  CHECK(meta.complaints(json{{"type", "integr"}}).size() >= 1);  // the check can fail
  CHECK(shipped().schema_names().size() >= 6);
  for (const std::string& name : shipped().schema_names()) {
    INFO(name);
    const json schema = json::parse(shipped().schema_text(name));
    CHECK(schema["$schema"] == "http://json-schema.org/draft-07/schema#");
    CHECK(schema.contains("title"));
    for (const SchemaComplaint& complaint : meta.complaints(schema)) FAIL_CHECK(complaint.pointer);
    check_references(schema, schema);
    CHECK_NOTHROW(CompiledSchema(schema));
  }
  CHECK_THROWS_WITH(shipped().schema_text("scenari"), Catch::Contains("did you mean scenario?"));
}

TEST_CASE("a broken reference in a schema throws and does not end the process", "[scenario]") {
  CHECK_THROWS_AS(CompiledSchema(json{{"$ref", "#/definitions/nothing"}}), std::runtime_error);
  CHECK_THROWS_AS(CompiledSchema(json{{"$ref", "http://example.com/other.json"}}), std::runtime_error);
}

TEST_CASE("an overlap schedule places each part of each micro-batch once", "[scenario]") {
  const std::string text =
      R"({"model": "deepseek-r1", "workload": "chat-2023", "deployment": {"hardware": "h200", "tp": 8, "overlap":
    {"name": "half", "micro_batches": 2, "stages": [{"times": 2, "lanes": [["attention_in", "attention_core", "attention_out", "router", "dispatch"],
     ["experts", "combine"]]}, {"times": 1, "lanes": [["shared_expert"]]}]}}})";
  CHECK_THROWS_WITH(load_scenario_text(text, "x.json", shipped()),
                    "x.json:2: /deployment/overlap/stages: shared_expert stands 1 times; expected each part once for each "
                    "of the 2 micro-batches");
}

}  // namespace tokenomics
