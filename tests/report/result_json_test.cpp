#include "report/hand_made.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

TEST_CASE("A result has the keys of its schema, whether anything happened or not", "[report]") {
  for (const RunResult& result : {test::empty_result(), test::round_result()}) {
    for (const ReportOptions& options : {ReportOptions{"1.2.3", false, std::nullopt}, ReportOptions{"1.2.3", true, 2.0}}) {
      const std::vector<Problem> problems = test::shipped().check("result", json(result_json(result, options)));
      for (const Problem& problem : problems) UNSCOPED_INFO(to_string(problem));
      CHECK(problems.empty());
    }
  }
}

TEST_CASE("Classes are told where there are several, with the measures of the whole", "[report]") {
  RunResult result = test::round_result();
  CHECK_FALSE(result_json(result).contains("classes"));
  CHECK(result_table(result, {}).find("By priority class") == std::string::npos);
  result.scenario.slo.ttft_s = SloSpec::Bound{90, 2};
  result.service.classes.resize(2);
  ClassResult& batch = result.service.classes[1];
  batch.requests.arrived = 4;
  batch.requests.completed = 3;
  batch.requests.rejected_admission = 1;
  batch.ttft.add(4'000'000'000, 0);
  batch.ttft.close();
  batch.answers = 3;
  batch.answers_tokens = 600;
  batch.judged_ttft = batch.judged_all = 4;
  batch.met_ttft = batch.met_all = 1;
  const ordered_json file = result_json(result);
  CHECK(test::shipped().check("result", json(file)).empty());
  const ordered_json& one = file["classes"][1];
  CHECK(one["priority"] == 1);
  CHECK(one["requests"]["rejected"]["admission"] == 1);
  CHECK(one["latency"]["ttft_s"]["mean"] == 4.0);
  CHECK(one["latency"]["tpot_ms"]["mean"].is_null());
  CHECK(one["tokens"]["answers"] == 600.0);
  CHECK(one["attainment"]["ttft"] == 0.25);
  CHECK(file["classes"][0]["attainment"]["ttft"].is_null());
  CHECK(result_table(result, {}).find("By priority class") != std::string::npos);
}

TEST_CASE("What did not happen is null, not zero", "[report]") {
  const ordered_json file = result_json(test::empty_result());
  for (const char* pointer :
       {"/latency/ttft_s/mean", "/latency/tpot_ms/p99", "/interactivity_tok_s_user/mean", "/interactivity_tok_s_user/p10",
        "/throughput/output_tok_s", "/throughput/output_tok_s_per_decode_gpu", "/cost/usd_per_mtok/output",
        "/cost/usd_per_hour", "/price/usd_per_mtok/output", "/price/revenue_usd", "/answer/tokens", "/answer/usd",
        "/energy/kWh", "/slo/met", "/slo/attainment/ttft", "/memory/kv_bytes_per_token"}) {
    INFO(pointer);
    CHECK(file.at(ordered_json::json_pointer(pointer)).is_null());
  }
  CHECK(file["requests"]["arrived"] == 0);  // a count of nothing is 0
}

TEST_CASE("Rates divide by the GPUs that their names say", "[report]") {
  // 4,000 output tokens in 100 s are 40 tok/s: over 16 GPUs 2.5, over 8 decode GPUs 5, over their one node 40.
  // 8,000 input tokens are 80 tok/s on the one prefill node, 60 of them computed; all 12,000 over 16 GPUs are 7.5.
  const ordered_json rates = result_json(test::round_result())["throughput"];
  CHECK(rates["output_tok_s"] == 40.0);
  CHECK(rates["output_tok_s_per_gpu"] == 2.5);
  CHECK(rates["output_tok_s_per_decode_gpu"] == 5.0);
  CHECK(rates["output_tok_s_per_decode_node"] == 40.0);
  CHECK(rates["input_tok_s"] == 80.0);
  CHECK(rates["cached_input_tok_s"] == 20.0);
  CHECK(rates["input_tok_s_per_prefill_node"] == 80.0);
  CHECK(rates["computed_input_tok_s_per_prefill_node"] == 60.0);
  CHECK(rates["total_tok_s_per_gpu"] == 7.5);
  CHECK(rates["requests_s"] == 0.1);
}

TEST_CASE("Mixed pools have no rate per decode GPU or prefill node", "[report]") {
  RunResult result = test::round_result();
  result.pools = {test::pool("mixed", PoolRole::Mixed, 16)};
  const ordered_json rates = result_json(result)["throughput"];
  CHECK(rates["output_tok_s_per_gpu"] == 2.5);
  CHECK(rates["output_tok_s_per_decode_gpu"].is_null());
  CHECK(rates["input_tok_s_per_prefill_node"].is_null());
}

TEST_CASE("Latencies come in the unit of their key, the slow tail of speed from the slow tail of TPOT", "[report]") {
  const ordered_json file = result_json(test::round_result());
  CHECK(file["latency"]["ttft_s"]["mean"] == 2.0);
  CHECK(file["latency"]["ttft_s"]["p90"].get<double>() == Approx(3.0).epsilon(1e-3));
  CHECK(file["latency"]["tpot_ms"]["mean"] == 75.0);
  CHECK(file["latency"]["e2e_s"]["mean"].is_null());
  CHECK(file["interactivity_tok_s_user"]["mean"] == 15.0);
  CHECK(file["interactivity_tok_s_user"]["p50"].get<double>() == Approx(20.0).epsilon(1e-3));
  CHECK(file["interactivity_tok_s_user"]["p10"].get<double>() == Approx(10.0).epsilon(1e-3));
}

TEST_CASE("A confidence interval that cannot be had is null", "[report]") {
  RunResult result = test::round_result();
  CHECK(result_json(result)["latency"]["ttft_s"]["ci95"].is_number());
  result.service.itl.add_gaps(10, 20, 5);
  result.service.itl.close();
  CHECK(result_json(result)["latency"]["itl_ms"]["ci95"].is_null());
}

TEST_CASE("An answer is sold at the standard prices of its request, prompt included", "[report]") {
  // 6,000 x 0.55 + 2,000 x 0.14 + 4,000 x 2.19 = 12,340 USD per million over 10 answers: 0.001234 USD each.
  const ordered_json file = result_json(test::round_result());
  CHECK(file["answer"]["usd"] == 0.001234);
  CHECK(file["answer"]["tokens"] == 400.0);
  CHECK(file["price"]["usd_per_mtok"]["blended_3_1"] == 0.96);  // (3 x 0.55 + 2.19) / 4
  CHECK(file["cost"]["usd_per_hour"] == 288.0);                 // 8 USD in 100 s
}

TEST_CASE("Without a cached price, cached input is sold at the price of input", "[report]") {
  RunResult result = test::round_result();
  result.price.prices->input_cached.reset();
  CHECK(result_json(result)["price"]["usd_per_mtok"]["input_cached"] == 0.55);
}

TEST_CASE("Objectives are judged on arrived requests, each at its percentile", "[report]") {
  RunResult result = test::round_result();
  result.scenario.slo.ttft_s = SloSpec::Bound{.percentile = 80, .value = 2};
  result.service.judged_ttft = result.service.judged_all = 12;
  result.service.met_ttft = result.service.met_all = 9;  // 75%
  ordered_json file = result_json(result);
  CHECK(file["slo"]["met"] == false);
  CHECK(file["slo"]["attainment"]["ttft"] == 0.75);
  CHECK(file["slo"]["attainment"]["interactivity"].is_null());
  CHECK(file["throughput"]["goodput_requests_s"] == 0.09);  // 9 of 12 requests in 100 s
  result.scenario.slo.ttft_s->percentile = 75;
  CHECK(slo_met(result) == true);
  result.scenario.slo.ttft_s.reset();
  CHECK_FALSE(slo_met(result).has_value());
}

TEST_CASE("Published figures stand beside ours with the deviation", "[report]") {
  RunResult result = test::round_result();
  result.scenario.published = {
      {"nodes_mean", 1.6, "a page"}, {"cost_usd_per_day", 6912, "a page"}, {"revenue_list_usd_per_day", 5, "a page"}};
  const ordered_json list = result_json(result)["published"];
  CHECK(list[0]["ours"] == 2.0);
  CHECK(list[0]["deviation"] == 0.25);
  CHECK(list[1]["ours"] == 6912.0);  // 8 USD in 100 s, 864 times a day
  CHECK(list[2]["ours"].is_null());
  CHECK(list[2]["deviation"].is_null());
}

TEST_CASE("Numbers have nine significant digits", "[report]") {
  CHECK(result_json(test::round_result())["cost"]["usd_in_use"].dump() == "0.333333333");
}

TEST_CASE("Keys come in a fixed order and performance only when it is timed", "[report]") {
  const ordered_json file = result_json(test::round_result(), {"1.2.3", false, std::nullopt});
  CHECK(file.begin().key() == "schema");
  CHECK(file["version"] == "1.2.3");
  CHECK_FALSE(file.contains("performance"));
  CHECK(result_json(test::round_result(), {"1.2.3", false, 2.0})["performance"]["requests_per_wall_s"] == 6.0);
  CHECK(file.dump() == result_json(test::round_result(), {"1.2.3", false, std::nullopt}).dump());
}

TEST_CASE("The scenario inside a result is the scenario that was run", "[report]") {
  const ordered_json file = result_json(test::round_result());
  const Scenario again = load_scenario_text(file["scenario"]["resolved"].dump(), "again.json", test::shipped());
  CHECK(scenario_hash(again) == file["scenario"]["hash"]);
}

TEST_CASE("A report of some figures has their blocks as they are in the whole, and no others", "[report]") {
  ReportOptions some;
  some.only = {"latency.ttft_s.p90", "cost.usd_per_hour", "binding"};
  const ordered_json whole = result_json(test::round_result()), part = result_json(test::round_result(), some);
  CHECK(part["latency"]["ttft_s"] == whole["latency"]["ttft_s"]);
  CHECK_FALSE(part["latency"].contains("tpot_ms"));
  CHECK(part["cost"] == whole["cost"]);
  CHECK(part["binding"] == whole["binding"]);
  for (const char* block : {"requests", "price", "pools", "binding_details"}) CHECK_FALSE(part.contains(block));
}

TEST_CASE("A report without the scenario lacks that and nothing else", "[report]") {
  ReportOptions without;
  without.with_scenario = false;
  RunResult result = test::round_result();
  ordered_json expected = result_json(result);
  expected["scenario"].erase("resolved");
  CHECK(result_json(result, without).dump() == expected.dump());
  CHECK(result_csv(result, without) == result_csv(result));
  result.hash.clear();  // as of a run that was told not to compute it
  CHECK(result_json(result, without)["scenario"]["hash"].is_null());
}

}  // namespace
}  // namespace tokenomics
