#include <string>
#include <vector>

#include "support/catch.hpp"

#include "tokenomics/base/error.hpp"

using namespace tokenomics;

TEST_CASE("a problem is told in one line with everything that is known", "[base]") {
  CHECK(to_string({"a.json", "/gpu/hbm", "-3", "a number > 0", ""}) == "a.json: /gpu/hbm: -3; expected a number > 0");
  CHECK(to_string({"-", "/enginee", "{}", "a known key", "engine"}) ==
        "-: /enginee: {}; expected a known key; did you mean engine?");
  CHECK(to_string({"a.csv", "line 4", "", "6 fields", ""}) == "a.csv: line 4; expected 6 fields");
}

TEST_CASE("a scenario error carries every problem, one line each", "[base]") {
  const ScenarioError error({{"a.json", "/x", "1", "2", ""}, {"a.json", "/y", "", "a number", ""}});
  CHECK(error.problems().size() == 2);
  CHECK(std::string(error.what()) == "a.json: /x: 1; expected 2\na.json: /y; expected a number");
}

TEST_CASE("the nearest name is the one with the fewest slips, and none when all are far", "[base]") {
  const std::vector<std::string> known = {"prefill", "decode", "fp8", "bf16", "max_running"};
  CHECK(nearest_name("prefil", known) == "prefill");
  CHECK(nearest_name("perfill", known) == "prefill");  // two swapped letters are one slip
  CHECK(nearest_name("decoder", known) == "decode");
  CHECK(nearest_name("fb8", known) == "fp8");  // one slip in three letters: just inside a third
  CHECK(nearest_name("fb", known).empty());    // two letters: nothing is near
  CHECK(nearest_name("max_runing", known) == "max_running");
  CHECK(nearest_name("temperature", known).empty());
  CHECK(nearest_name("", known).empty());
  CHECK(nearest_name("x", {}).empty());
}

TEST_CASE("a broken contract names the condition, the place and the values", "[base]") {
  const int have = 3;
  try {
    TOKENOMICS_CHECK(have > 4, "have = " + std::to_string(have));
    FAIL("not thrown");
  } catch (const std::logic_error& error) {
    const std::string what = error.what();
    CHECK(what.find("have > 4") != std::string::npos);
    CHECK(what.find("error_test.cpp:") != std::string::npos);
    CHECK(what.find("have = 3") != std::string::npos);
  }
}
