#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "../../sim/io/scenario/document.hpp"

namespace tokenomics {

TEST_CASE("whole numbers may be written as floats and stay integers", "[scenario]") {
  const Document document = parse_document(R"({"a": 1e6, "b": 4.0, "c": 0.5, "d": -2E1, "e": 18446744073709551615})", "x");
  REQUIRE(document.problems.empty());
  CHECK(document.value["a"].is_number_integer());
  CHECK(document.value["a"] == 1'000'000);
  CHECK(document.value["b"].is_number_integer());
  CHECK(document.value["c"].is_number_float());
  CHECK(document.value["d"] == -20);
  CHECK(document.value["e"] == 18446744073709551615ULL);
}

TEST_CASE("numbers that are not finite are found wherever they stand, and words in strings are left alone", "[scenario]") {
  const Document document =
      parse_document("{\"a\": [1, NaN,\n -inf], \"NaN\": \"1e999 \\\" Infinity\", \"b\": 1e-999,\n \"c\": -1e999}", "x");
  REQUIRE(document.problems.size() == 3);
  CHECK(to_string(document.problems[0]) == "x:1: /a/1: NaN; expected a finite number");
  CHECK(to_string(document.problems[1]) == "x:2: /a/2: -inf; expected a finite number");
  CHECK(to_string(document.problems[2]) == "x:3: /c: -1e999; expected a finite number");
  CHECK(document.value["NaN"] == "1e999 \" Infinity");
  CHECK(document.value["b"] == 0.0);
}

TEST_CASE("a place that is not written has the line of what would hold it", "[scenario]") {
  const Document document = parse_document("{\n\"a\": {\n\"b\": [\n1,\n2\n]}}", "x");
  CHECK(document.location("/a") == "x:2");
  CHECK(document.location("/a/b/1") == "x:5");
  CHECK(document.location("/a/b/0/nothing") == "x:4");
  CHECK(document.location("/a/missing") == "x:2");
  CHECK(document.location("") == "x");
}

TEST_CASE("duplicate keys are found at every depth", "[scenario]") {
  const Document document = parse_document("[{\"a\": {\"k/1\": 1,\n\"k/1\": 2}}]", "x");
  REQUIRE(document.problems.size() == 1);
  CHECK(to_string(document.problems[0]) == "x:2: /0/a/k~11; expected a key that stands once: it stands here again");
}

TEST_CASE("deep nesting is refused, not followed", "[scenario]") {
  CHECK(parse_document(std::string(64, '[') + std::string(64, ']'), "x").problems.empty());
  const Document document = parse_document(std::string(100'000, '['), "x");
  REQUIRE(document.problems.size() == 1);
  CHECK(document.problems[0].expected == "valid JSON: objects and lists nested deeper than 64");
}

TEST_CASE("what parses gives the value of the JSON library, and anything else gives a problem", "[scenario]") {
  rc::prop("any bytes", [](const std::string& text) {
    const Document document = parse_document(text, "x");
    const bool is_json = nlohmann::json::accept(text);
    RC_ASSERT(is_json == document.problems.empty());
  });
  rc::prop("what was written is read", [](const std::map<int, std::vector<double>>& value) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, numbers] : value) json[std::to_string(key)] = numbers;
    const Document document = parse_document(json.dump(), "x");
    RC_ASSERT(document.problems.empty());
    RC_ASSERT(document.value == json);
  });
}

}  // namespace tokenomics
