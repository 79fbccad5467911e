#include <algorithm>
#include <cmath>

#include "report/hand_made.hpp"
#include "support/catch.hpp"
#include "tokenomics/report/catalogue_report.hpp"
#include "tokenomics/report/explain_report.hpp"
#include "tokenomics/report/trace_report.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// A step of 100 us: 80 us of compute, and 60 us of communication of which a third is seen.
PoolExplanation by_hand() {
  OperatorTime gemm;
  gemm.name = "expert_gate_up";
  gemm.time = Seconds{80e-6};
  gemm.speed_of_light = Seconds{40e-6};
  gemm.bound = "hbm";
  gemm.source = "a table, \"as printed\"";
  OperatorTime send = gemm;
  send.name = "dispatch";
  send.time = Seconds{60e-6};
  send.exposed_share = 1.0 / 3;
  send.bound = "network";
  PoolExplanation one;
  one.pool = test::small_scenario().deployment.pools.front();
  one.load.origin = "by hand";
  one.load.decode = {.sequences = 10, .context_tokens = 1000, .capped_tokens = 1000};
  one.step.operators = {gemm, send};
  one.step.total = Seconds{100e-6};
  one.step.speed_of_light = Seconds{50e-6};
  return one;
}

TEST_CASE("Shares of a step leave out what the schedule hides and add up to the step", "[report]") {
  const ordered_json pool = explanation_json(test::small_scenario(), {by_hand()})["pools"][0];
  CHECK(pool["operators"][0]["share"] == 0.8);
  CHECK(pool["operators"][1]["share"] == 0.2);  // a third of 60 us
  CHECK(pool["share_of_speed_of_light"] == 0.5);
  CHECK(pool["distinct_experts"].is_null());  // a dense network has none
}

TEST_CASE("An explanation has the keys of its schema", "[report]") {
  const json file = explanation_json(test::small_scenario(), {by_hand()}, {"1.2.3", false, std::nullopt});
  for (const Problem& problem : test::shipped().check("explanation", file)) UNSCOPED_INFO(to_string(problem));
  CHECK(test::shipped().check("explanation", file).empty());
}

TEST_CASE("A source is printed once and referred to by number", "[report]") {
  const std::string page = explanation_table(test::small_scenario(), {by_hand()});
  CHECK(page.find("[1] a table") != std::string::npos);
  CHECK(page.find("[2]") == std::string::npos);
}

TEST_CASE("CSV of an explanation has one line an operator, fields with commas in quotes", "[report]") {
  const std::string text = explanation_csv({by_hand()});
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.find(R"("a table, ""as printed""")") != std::string::npos);
}

TEST_CASE("Figures of a network are exact integers", "[report]") {
  const ordered_json figures = network_figures(load_network("deepseek-v3", test::shipped()));
  CHECK(figures["kv_bytes_per_token"].dump() == "70272");
  CHECK(figures["parameters_total"].get<double>() == Approx(671.0e9).epsilon(1e-3));
  double parts = 0;
  for (const auto& [name, bytes] : figures["weights_bytes"].items()) parts += bytes.get<double>();
  CHECK(figures["weights_bytes_total"].get<double>() == Approx(parts).epsilon(1e-9));
}

TEST_CASE("A document is printed as pointers that escape what pointers must", "[report]") {
  const ordered_json document{{"a/b", {{"c~d", 1}}}, {"list", {"x", "y"}}, {"none", nullptr}};
  CHECK(document_csv(document) == "pointer,value\n/a~1b/c~0d,1\n/list/0,x\n/list/1,y\n/none,null\n");
}

TEST_CASE("Statistics of a trace have the keys of their schema, null where the format cannot know", "[report]") {
  TraceStatistics statistics;
  statistics.requests = 3;
  statistics.span_s = std::nan("");
  const json file = trace_json("a.csv", TraceFormat::ClaudeCode, statistics);
  CHECK(test::shipped().check("trace", file).empty());
  CHECK(file["span_s"].is_null());
  CHECK(trace_json("a.csv", TraceFormat::Azure, statistics)["prefix_cache"].is_null());
}

TEST_CASE("A converted trace keeps times, tokens and groups", "[report]") {
  Trace trace;
  trace.rows = {{.time_s = 0.25, .input_tokens = 10, .output_tokens = 3, .cached_tokens = 4, .group = 7},
                {.time_s = 86461.5, .input_tokens = 1, .output_tokens = 1}};
  CHECK(neutral_csv(trace) == "time_s,input_tokens,cached_tokens,output_tokens,group\n0.25,10,4,3,7\n86461.5,1,0,1,0\n");
  CHECK(azure_csv(trace) ==
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2000-01-01 00:00:00.2500000,10,3\n2000-01-02 00:01:01.5000000,1,1\n");
  trace.format = TraceFormat::ClaudeCode;
  CHECK_THROWS_AS(azure_csv(trace), ScenarioError);
}

}  // namespace
}  // namespace tokenomics
