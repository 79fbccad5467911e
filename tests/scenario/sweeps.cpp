#include <map>
#include <set>

#include <rapidcheck/catch.h>
#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "support/catch.hpp"
#include "tokenomics/scenario/sweep_plan.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

SweepSpec spec_of(json file, const SweepOverrides& overrides = {}) {
  if (!file.contains("query") && !file.contains("scenario")) file["scenario"] = "r1-8xh200-azure";
  return load_sweep_parts(file.dump(), "sweep.json", "", "", shipped(), overrides);
}

std::string refusal(const json& file) {
  try {
    spec_of(file);
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

json axis(const std::string& name, const std::string& pointer, const json& values) {
  return {{"name", name}, {"pointer", pointer}, {"values", values}};
}

const json kRequests = axis("requests", "/measure/requests", {100, 200});
const json kTp = axis("tp", "/deployment/parallelism/tp", {4, 8, 16});

/// Every row as "column=value ...", and its sets.
std::vector<std::string> written_out(const SweepSpec& spec) {
  const SweepPlan plan(spec);
  std::vector<std::string> rows;
  for (std::uint64_t row = 0; row < plan.rows(); ++row) {
    std::string text;
    for (const std::string& shown : plan.at(row).shown) text += shown + " ";
    rows.push_back(text);
  }
  return rows;
}

}  // namespace

TEST_CASE("a grid has every combination once, the last axis varies fastest", "[scenario]") {
  const SweepSpec spec = spec_of({{"axes", {kRequests, kTp}}});
  CHECK(written_out(spec) == std::vector<std::string>{"100 4 ", "100 8 ", "100 16 ", "200 4 ", "200 8 ", "200 16 "});
  const SweepPoint point = SweepPlan(spec).at(4);
  CHECK(point.design == 4);
  CHECK_FALSE(point.sample);
  CHECK(point.sets == std::vector<std::string>{"/measure/requests=200", "/deployment/parallelism/tp=8"});
}

TEST_CASE("a zip moves axes together, a list sets what each case says", "[scenario]") {
  const json list{{"name", "case"},
                  {"list",
                   {{{"label", "small"}, {"set", {{"/measure/requests", 100}, {"deployment.parallelism.tp", 4}}}},
                    {{"label", "large"}, {"set", {{"/measure/requests", 900}}}}}}};
  const SweepSpec listed = spec_of({{"axes", {list}}});
  CHECK(SweepPlan(listed).at(0).sets == std::vector<std::string>{"deployment.parallelism.tp=4", "/measure/requests=100"});
  CHECK(SweepPlan(listed).at(1).shown == std::vector<std::string>{"\"large\""});

  const SweepSpec zipped = spec_of({{"axes", {{{"zip", {kRequests, axis("tp", "/deployment/parallelism/tp", {4, 8})}}}}}});
  CHECK(written_out(zipped) == std::vector<std::string>{"100 4 ", "200 8 "});
  CHECK_THAT(refusal({{"axes", {{{"zip", {kRequests, kTp}}}}}}),
             Catch::Contains("/axes/0/zip/1: 3 values; expected 2 values"));
}

TEST_CASE("a conditional axis applies only where an earlier one shows the value", "[scenario]") {
  json conditional = kTp;
  conditional["when"] = {{"requests", 200}};
  const SweepSpec spec = spec_of({{"axes", {kRequests, conditional}}});
  CHECK(written_out(spec) == std::vector<std::string>{"100 null ", "200 4 ", "200 8 ", "200 16 "});
  CHECK(SweepPlan(spec).at(0).sets == std::vector<std::string>{"/measure/requests=100"});

  conditional["when"] = {{"requests", 300}};
  CHECK_THAT(refusal({{"axes", {kRequests, conditional}}}),
             Catch::Contains("/axes/1/when/requests: 300; expected one of the values"));
  conditional["when"] = {{"request", 200}};
  CHECK_THAT(refusal({{"axes", {kRequests, conditional}}}), Catch::Contains("did you mean requests?"));
}

TEST_CASE("a field known only once an earlier axis has chosen its kind may be an axis", "[scenario]") {
  const json arrivals{{"name", "arrivals"},
                      {"pointer", "/workload/arrivals"},
                      {"labels", {"open", "closed"}},
                      {"values", {{{"kind", "poisson"}, {"rate_per_s", 2}}, {{"kind", "closed_loop"}, {"concurrency", 8}}}}};
  json users = axis("users", "/workload/arrivals/concurrency", {4, 16});
  users["when"] = {{"arrivals", "closed"}};
  const SweepSpec spec = spec_of({{"set", {{"/workload", "chat-2023"}}}, {"axes", {arrivals, users}}});
  CHECK(written_out(spec) == std::vector<std::string>{"\"open\" null ", "\"closed\" 4 ", "\"closed\" 16 "});
  json without = arrivals;
  without.erase("labels");
  CHECK_THAT(refusal({{"set", {{"/workload", "chat-2023"}}}, {"axes", {without}}}), Catch::Contains("\"labels\""));
}

TEST_CASE("steps are as people write them and whole where the field is", "[scenario]") {
  const auto shown = [](const json& one) { return written_out(spec_of({{"axes", {one}}})); };
  CHECK(shown({{"pointer", "/cost/usd_per_gpu_hour"}, {"from", 0.1}, {"to", 0.5}, {"count", 5}}) ==
        std::vector<std::string>{"0.1 ", "0.2 ", "0.3 ", "0.4 ", "0.5 "});
  CHECK(shown({{"pointer", "/measure/requests"}, {"from", 10}, {"to", 1000}, {"count", 3}, {"spacing", "log"}}) ==
        std::vector<std::string>{"10 ", "100 ", "1000 "});
  CHECK_THAT(refusal({{"axes", {{{"pointer", "/measure/requests"}, {"from", 1}, {"to", 3}, {"count", 9}}}}}),
             Catch::Contains("two are the same"));
  CHECK_THAT(refusal({{"axes", {{{"pointer", "/measure/requests"}, {"from", 1}}}}}), Catch::Contains("from, to and count"));
}

TEST_CASE("a range makes a number uncertain: every point is drawn at the same Sobol points", "[scenario]") {
  const json range{{"low", 2}, {"high", 4}};
  const SweepSpec spec =
      spec_of({{"set", {{"/cost/usd_per_gpu_hour", range}}}, {"axes", {kRequests}}, {"samples", 16}, {"seed", 3}});
  const SweepPlan plan(spec);
  CHECK(spec.inputs == std::vector<std::string>{"drawn.cost.usd_per_gpu_hour"});
  CHECK(plan.rows() == 32);
  CHECK(plan.designs() == 2);
  std::set<int> cells;
  for (std::uint64_t sample = 0; sample < 16; ++sample) {
    const SweepPoint first = plan.at(sample), second = plan.at(16 + sample);
    CHECK(first.design == 0);
    CHECK(second.design == 1);
    CHECK(*first.sample == sample);
    CHECK(first.drawn == second.drawn);
    const double price = std::stod(first.drawn.front());
    CHECK(first.sets.back() == "/cost/usd_per_gpu_hour=" + first.drawn.front());
    cells.insert(static_cast<int>((price - 2) / 2 * 16));
  }
  CHECK(cells.size() == 16);  // one in each sixteenth of the range
}

TEST_CASE("uncertain numbers are independent: together they fill their box evenly", "[scenario]") {
  const json unit{{"low", 1}, {"high", 2}};
  const SweepSpec spec = spec_of(
      {{"set", {{"/cost/usd_per_gpu_hour", unit}, {"/slo/ttft_s/max", unit}}}, {"axes", json::array()}, {"samples", 16}});
  std::set<std::pair<int, int>> cells;
  for (std::uint64_t row = 0; row < 16; ++row) {
    const SweepPoint point = SweepPlan(spec).at(row);
    cells.emplace(static_cast<int>(4 * (std::stod(point.drawn[0]) - 1)),
                  static_cast<int>(4 * (std::stod(point.drawn[1]) - 1)));
  }
  CHECK(cells.size() == 16);  // one in each sixteenth of the square
}

TEST_CASE("an option may be a range, and only its points have samples", "[scenario]") {
  const json price = axis("price", "/cost/usd_per_gpu_hour", {2, {{"low", 1}, {"high", 3}, {"law", "log_uniform"}}});
  const SweepSpec spec = spec_of({{"axes", {price, kRequests}}, {"samples", 8}});
  const SweepPlan plan(spec);
  CHECK(plan.rows() == 2 + 2 * 8);
  CHECK(plan.designs() == 4);
  CHECK_FALSE(plan.at(1).sample);
  CHECK(plan.at(1).drawn.front() == "null");
  CHECK(*plan.at(2).sample == 0);
  CHECK(plan.at(2).shown.front() == "\"1..3\"");
  CHECK(plan.at(17).design == 3);
}

TEST_CASE("a range may stand in an embedded scenario, but the keys of a length law are no range", "[scenario]") {
  json scenario = shipped().raw(CatalogueKind::Services, "r1-8xh200-azure");
  scenario["cost"] = {{"usd_per_gpu_hour", {{"low", 2}, {"high", 3}}}};
  scenario["workload"] = {{"base", "chat-2023"},
                          {"lengths", {{"input", {{"law", "uniform"}, {"low", 100}, {"high", 200}}}}}};
  const SweepSpec spec = spec_of({{"scenario", scenario}, {"axes", json::array()}});
  CHECK(spec.inputs == std::vector<std::string>{"drawn.cost.usd_per_gpu_hour"});
  CHECK(json::parse(spec.base_text)["cost"]["usd_per_gpu_hour"] == 2.5);
  // What a folder keeps gives the same sweep.
  const SweepSpec again = load_sweep_parts(spec.text, spec.file, spec.base_text, spec.base_file, shipped());
  CHECK(again.text == spec.text);
  CHECK(again.base_text == spec.base_text);
  CHECK(SweepPlan(again).at(7).sets == SweepPlan(spec).at(7).sets);
}

TEST_CASE("a box is filled at random or evenly, within its bounds, whole where the field is", "[scenario]") {
  for (const char* kind : {"random", "sobol"}) {
    const json box{
        {"sample", kind},
        {"count", 64},
        {"ranges",
         {{"/cost/usd_per_gpu_hour", {{"low", 1}, {"high", 2}}}, {"/measure/requests", {{"low", 10}, {"high", 20}}}}}};
    const SweepSpec spec = spec_of({{"axes", {box, kTp}}});
    const SweepPlan plan(spec);
    REQUIRE(plan.rows() == 64 * 3);
    for (std::uint64_t row = 0; row < plan.rows(); ++row) {
      const SweepPoint point = plan.at(row);
      CHECK(std::stod(point.shown[0]) > 1);
      CHECK(std::stod(point.shown[0]) < 2);
      CHECK(point.shown[1].find('.') == std::string::npos);
      CHECK(point.shown[0] == plan.at(row / 3 * 3).shown[0]);
    }
  }
}

TEST_CASE("any row is found from its number: the same as counting through nested loops", "[scenario]") {
  rc::prop("rows of random sweeps", [] {
    const auto sizes = *rc::gen::container<std::vector<int>>(3, rc::gen::inRange(1, 5));
    const int named = *rc::gen::inRange(0, sizes[0]), second = *rc::gen::inRange(0, sizes[1]);
    json axes = json::array();
    const std::vector<std::string> pointers{"/measure/requests", "/deployment/parallelism/tp", "/seed"};
    for (std::size_t a = 0; a < 3; ++a) {
      json values = json::array();
      for (int v = 0; v < sizes[a]; ++v) values.push_back(v + 1);
      axes.push_back(axis("axis" + std::to_string(a), pointers[a], values));
    }
    axes[2]["when"] = {{"axis0", named + 1}, {"axis1", second + 1}};
    std::vector<std::string> expected;
    for (int a = 0; a < sizes[0]; ++a)
      for (int b = 0; b < sizes[1]; ++b)
        for (int c = 0; c < (a == named && b == second ? sizes[2] : 1); ++c)
          expected.push_back(std::to_string(a + 1) + " " + std::to_string(b + 1) + " " +
                             (a == named && b == second ? std::to_string(c + 1) : "null") + " ");
    RC_ASSERT(written_out(spec_of({{"axes", axes}})) == expected);
  });
}

TEST_CASE("a million rows are counted without being written out, too many are refused", "[scenario]") {
  const auto big = [](int count) {
    return json{{"pointer", "/cost/usd_per_gpu_hour"}, {"from", 1}, {"to", 2}, {"count", count}};
  };
  const json seeds{{"pointer", "/seed"}, {"from", 1}, {"to", 1000}, {"count", 1000}};
  CHECK(SweepPlan(spec_of({{"axes", {big(1000), seeds}}})).at(999'999).shown == std::vector<std::string>{"2", "1000"});
  const SweepSpec huge = spec_of(
      {{"axes", {big(100'000), seeds, {{"pointer", "/measure/requests"}, {"from", 1}, {"to", 100}, {"count", 100}}}}});
  CHECK_THROWS_WITH(SweepPlan(huge), Catch::Contains("at most 1000000000 rows"));
}

TEST_CASE("everything that a sweep names is checked, with the nearest known name", "[scenario]") {
  CHECK_THAT(refusal({{"axes", {axis("x", "/measure/request", {1})}}}),
             Catch::Contains("/axes/0/pointer") && Catch::Contains("did you mean requests?"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"metrics", {"latency.ttft_s.p91"}}}),
             Catch::Contains("/metrics/0") && Catch::Contains("did you mean latency.ttft_s.p90?"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"metrics", {"latency.ttft_s"}}}), Catch::Contains("one figure, not a group"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"metrics", {"performance.wall_s"}}}), Catch::Contains("what came out"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"derived", {{"x", "tpp * 2"}}}}),
             Catch::Contains("unknown name tpp; did you mean tp?"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"objective", {{"minimize", "tp +"}}}}), Catch::Contains("/objective/minimize"));
  CHECK_THAT(refusal({{"axes", {kTp, axis("tp", "/seed", {1})}}}), Catch::Contains("no other column has"));
  CHECK_THAT(refusal({{"axes", {kTp, axis("again", "deployment.parallelism.tp", {8})}}}), Catch::Contains("set twice"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"set", {{"/cost/usd_per_gpu_hour", {{"low", 3}, {"high", 2}}}}}}),
             Catch::Contains("low 3 is not below high 2"));
  CHECK_THAT(refusal({{"scenario", "r1-8xh200-azur"}, {"axes", json::array()}}),
             Catch::Contains("did you mean r1-8xh200-azure?"));
  CHECK_THAT(refusal({{"scenario", "r1-8xh200-azure"}, {"query", "r1-interactive"}, {"axes", json::array()}}),
             Catch::Contains("scenario or query"));
  CHECK_THAT(refusal({{"query", "r1-interactive"}, {"axes", json::array()}, {"replications", 2}}),
             Catch::Contains("no replications"));
  CHECK_THAT(refusal({{"axis", json::array()}}), Catch::Contains("did you mean axes?"));
  const json curves{
      {"x", "tp"}, {"y", "cost.usd_per_mtok.output"}, {"by", {"requests"}}, {"reference", {{"requests", 300}}}};
  CHECK_THAT(refusal({{"axes", {kTp, kRequests}}, {"curves", {curves}}}), Catch::Contains("one of the axis's values"));
}

TEST_CASE("what one place sets, another does not undo", "[scenario]") {
  const json price = axis("price", "/cost/usd_per_gpu_hour", {1, 2}), range{{"low", 1}, {"high", 2}};
  json whole = axis("cost", "/cost", {{{"usd_per_gpu_hour", 7}}, {{"usd_per_gpu_hour", 9}}});
  whole["labels"] = {"a", "b"};
  CHECK_THAT(refusal({{"axes", {price, whole}}}), Catch::Contains("no part is set before: /cost/usd_per_gpu_hour is"));
  CHECK_THAT(refusal({{"set", {{"cost.usd_per_gpu_hour", range}}}, {"axes", {whole}}}),
             Catch::Contains("no part is set before"));
  CHECK_THAT(refusal({{"axes", {whole, price}}}), Catch::Equals(""));  // a whole, then a part of it
  // In a set, the whole comes first however it is written.
  const SweepSpec set =
      spec_of({{"set", {{"/cost/usd_per_gpu_hour", 2}, {"cost", {{"usd_per_gpu_hour", 3}}}}}, {"axes", json::array()}});
  CHECK(set.sets == std::vector<std::string>{"cost={\"usd_per_gpu_hour\":3}", "/cost/usd_per_gpu_hour=2"});
  // Axes that never apply together may set the same field.
  json small = axis("small", "/deployment/parallelism/tp", {1, 2}), large = axis("large", "deployment.parallelism.tp", {8});
  small["when"] = {{"requests", 100}};
  large["when"] = {{"requests", 200}};
  CHECK(written_out(spec_of({{"axes", {kRequests, small, large}}})) ==
        std::vector<std::string>{"100 1 null ", "100 2 null ", "200 null 8 "});
  large["when"] = {{"requests", {100, 200}}};
  CHECK_THAT(refusal({{"axes", {kRequests, small, large}}}), Catch::Contains("set twice"));
  const json seeds = axis("seed", "/seed", {1, 2});
  CHECK_THAT(refusal({{"axes", {seeds}}, {"seed", 4}}), Catch::Contains("set twice"));
  CHECK_THAT(refusal({{"axes", {axis("k", "/measure/replications", {1, 2})}}, {"replications", 3}}),
             Catch::Contains("set twice"));
  CHECK_THAT(refusal({{"axes", {kTp}}, {"samples", 4}}), Catch::Contains("nothing is uncertain"));
}

TEST_CASE("a drawn number has a name that expressions can read", "[scenario]") {
  const SweepSpec spec = spec_of(
      {{"query", "r1-interactive"},
       {"set", {{"/usd_per_gpu_hour", {{"h200-sxm", 2}}}, {"/usd_per_gpu_hour/h200-sxm", {{"low", 1}, {"high", 2}}}}},
       {"axes", json::array()},
       {"derived", {{"x", "2 * drawn.usd_per_gpu_hour.h200_sxm"}}}});
  CHECK(spec.inputs == std::vector<std::string>{"drawn.usd_per_gpu_hour.h200_sxm"});
}

TEST_CASE("a range for several fields is one number", "[scenario]") {
  const json both{{"name", "price"},
                  {"pointer", {"/cost/usd_per_gpu_hour", "/slo/ttft_s/max"}},
                  {"values", {{{"low", 1}, {"high", 9}}}}};
  const SweepSpec spec = spec_of({{"axes", {both}}, {"samples", 4}});
  CHECK(spec.inputs.size() == 1);
  const SweepPoint point = SweepPlan(spec).at(2);
  CHECK(point.sets ==
        std::vector<std::string>{"/cost/usd_per_gpu_hour=" + point.drawn[0], "/slo/ttft_s/max=" + point.drawn[0]});
}

TEST_CASE("whole numbers of a uniform range are equally likely, the ends too", "[scenario]") {
  const SweepSpec spec =
      spec_of({{"set", {{"/measure/requests", {{"low", 10}, {"high", 13}}}}}, {"axes", json::array()}, {"samples", 64}});
  std::map<std::string, int> counts;
  for (std::uint64_t row = 0; row < 64; ++row) ++counts[SweepPlan(spec).at(row).drawn[0]];
  CHECK(counts == std::map<std::string, int>{{"10", 16}, {"11", 16}, {"12", 16}, {"13", 16}});
}

TEST_CASE("names and texts that would break a file of rows are refused", "[scenario]") {
  for (const char* name : {"status", "my cost", "", "min", "q\nr"})
    CHECK_THAT(refusal({{"axes", {kTp}}, {"derived", {{name, "tp"}}}}), Catch::Contains("/derived"));
  CHECK_THAT(refusal({{"axes", {axis("min", "/seed", {1})}}}), Catch::Contains("no function"));
  json conditional = kTp;
  conditional["when"] = {{"requests", json::array()}};
  CHECK_THAT(refusal({{"axes", {kRequests, conditional}}}), Catch::Contains("/axes/1/when/requests"));
  SweepOverrides overrides;
  overrides.sets = {"name=\xff"};
  CHECK_THROWS_WITH(spec_of({{"axes", {kTp}}}, overrides), Catch::Contains("UTF-8"));
}

TEST_CASE("the command line's fields, seed and samples become part of the sweep", "[scenario]") {
  SweepOverrides overrides;
  overrides.sets = {"cost.usd_per_gpu_hour=9", "/deployment/hardware=b200-sxm"};
  overrides.seed = 7;
  overrides.replications = 4;
  const SweepSpec spec = spec_of({{"set", {{"/cost/usd_per_gpu_hour", 2}}}, {"axes", {kTp}}}, overrides);
  const SweepPoint point = SweepPlan(spec).at(0);
  CHECK(point.seed == std::optional<std::uint64_t>(7));
  CHECK(std::set<std::string>(point.sets.begin(), point.sets.end()) ==
        std::set<std::string>{"/deployment/hardware=\"b200-sxm\"", "cost.usd_per_gpu_hour=9", "/measure/replications=4",
                              "/deployment/parallelism/tp=4"});
  overrides.sets = {"deployment.parallelism.tp=2"};
  CHECK_THROWS_WITH(spec_of({{"axes", {kTp}}}, overrides), Catch::Contains("set twice"));
}

TEST_CASE("points share their seed unless each is to have its own", "[scenario]") {
  const SweepSpec common = spec_of({{"axes", {kTp}}}), own = spec_of({{"axes", {kTp}}, {"seeds", "own"}});
  CHECK_FALSE(SweepPlan(common).at(0).seed);
  CHECK(*SweepPlan(own).at(0).seed != *SweepPlan(own).at(1).seed);
  CHECK(*SweepPlan(own).at(1).seed == *SweepPlan(own).at(1).seed);
}

}  // namespace tokenomics
