#include "report/hand_made.hpp"
#include "support/catch.hpp"
#include "tokenomics/report/solution_report.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Query small_query(const std::vector<std::string>& sets = {}) {
  constexpr const char* kText = R"({"name": "small", "model": "llama-3.3-70b", "workload": "chat-2023",
      "hardware": ["h100-sxm", "h200-sxm"], "usd_per_gpu_hour": 2, "limits": {"context": 32768}, "margin_over_revenue": 0.2,
      "slo": {"ttft_s": {"percentile": 95, "max": 2}, "interactivity_tok_s_user": {"min": 25}},
      "search": {"gpus_per_instance": [4], "policies": ["chunked_mixed"], "tokens_per_step": [8192]}})";
  return load_query_text(kText, "small.json", test::shipped(), sets);
}

void check_schema(const char* name, const ordered_json& file) {
  const std::vector<Problem> problems = test::shipped().check(name, json(file));
  for (const Problem& problem : problems) UNSCOPED_INFO(to_string(problem));
  CHECK(problems.empty());
}

TEST_CASE("A solution has the keys of its schema, whatever was asked and whether there is one", "[report]") {
  for (const std::vector<std::string>& sets :
       std::vector<std::vector<std::string>>{{},
                                             {"objective=per_answer"},
                                             {R"(search.pools=["disaggregated"])"},
                                             {"solve_for=ttft", "price=2"},
                                             {"solve_for=interactivity", "price=2"},
                                             {"solve_for=context", "price=2"},
                                             {"solve_for=service", "fleet_cap=8", "demand=2"},
                                             {"solve_for=demand", "fleet_cap=8"},
                                             {"solve_for=gpu_price"},
                                             {"slo.ttft_s.max=0.0001"},
                                             {"solve_for=gpu_price", "slo.ttft_s.max=0.0001"},
                                             {"limits.context=100"}}) {
    INFO((sets.empty() ? "price" : sets.front()));
    check_schema("solution", solution_json(solve(small_query(sets)), {}));
  }
}

TEST_CASE("A frontier has the keys of its schema, whether there is one or not", "[report]") {
  check_schema("frontier", frontier_json(frontier(small_query(), {}, 4), {}));
  check_schema("frontier", frontier_json(frontier(small_query({"slo.ttft_s.max=0.0001"}), {}, 4), {}));
}

TEST_CASE("A key that the schema of solutions does not have is refused", "[report]") {
  ordered_json file = solution_json(solve(small_query(), {1, false, false}), {});
  file["shadow"] = 1;
  CHECK(test::shipped().check("solution", json(file)).size() == 1);
}

TEST_CASE("A solution is written in USD per million tokens and in the units of its keys", "[report]") {
  Solution solution = solve(small_query(), {1, true, true});
  REQUIRE(solution.best);
  // 1 USD/M for computed input, 0.25 cached, 4 for output; an answer of 1,000 + 1,000 + 500 tokens: 0.001 + 0.00025 + 0.002.
  solution.best->prices = {usd_per_mtok(1), usd_per_mtok(0.25), usd_per_mtok(4)};
  solution.best->point.per_request = {1000, 1000, 500};
  solution.shadow.one_tok_s_less = -2e-8;
  const ordered_json file = solution_json(solution, {"1.2.3", false, std::nullopt});
  CHECK(file["version"] == "1.2.3");
  CHECK(file["status"] == "ok");
  CHECK(file["infeasible_reason"].is_null());
  CHECK(file["price"]["usd_per_mtok"]["input"] == 1);
  CHECK(file["price"]["usd_per_mtok"]["input_cached"] == 0.25);
  CHECK(file["price"]["usd_per_mtok"]["output"] == 4);
  CHECK(file["price"]["usd_per_answer"] == 0.00325);
  CHECK(file["price"]["usd_per_mtok"]["own_mix"] == 1.3);  // over 2,500 tokens
  // Input at half cached: 0.625; (3 x 0.625 + 4) / 4.
  CHECK(file["price"]["usd_per_mtok"]["blended_3_1"] == 1.46875);
  CHECK(file["price"]["margin_over_revenue"] == 0.2);
  CHECK(file["price"]["margin_over_cost"] == 0.25);
  CHECK(file["shadow_prices"]["interactivity_tok_s_user"] == -0.02);
  CHECK(file["service"]["ttft_percentile"] == 95);
  CHECK(file["service"]["interactivity_percentile"] == 90);
  CHECK(file["service"]["context"] == 32768);
  CHECK(file["cost"]["usd_per_gpu_hour"] == 2);
  CHECK(file["cost"]["usd_per_hour"] == 8);
  CHECK(file["evaluator_gap"]["slo_held"] == true);
  CHECK(file["binding"].size() == 1);
  CHECK(file["binding_details"][0]["name"] == file["binding"][0]);
}

TEST_CASE("Without an answer everything that would describe it is null, and the table says why", "[report]") {
  const Solution solution = solve(small_query({"slo.ttft_s.max=0.0001"}));
  const ordered_json file = solution_json(solution, {});
  CHECK(file["status"] == "infeasible");
  CHECK(file["infeasible_reason"] == solution.infeasible_reason);
  for (const char* key : {"deployment", "price", "cost", "service", "evaluator_gap", "scenario", "answer"})
    CHECK(file[key].is_null());
  CHECK(file["binding"].empty());
  CHECK(solution_table(solution, {}).starts_with("infeasible: ttft: 0.0001 s are asked for"));
}

TEST_CASE("A table of a frontier has its ends, and the CSV every point of every chip", "[report]") {
  const Frontier front = frontier(small_query(), {}, 40);
  REQUIRE(front.points.size() > 24);
  const std::string table = frontier_table(front, {});
  CHECK(table.find(front.points.front().name) != std::string::npos);
  const std::string csv = frontier_csv(front);
  CHECK(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')) == front.per_hardware.size() + 1);
  CHECK(csv.starts_with("model,hardware,"));
  CHECK(frontier_csv(front, false).starts_with(front.query.network.name + ","));  // a further network's lines
  std::size_t on_front = 0;
  for (std::size_t at = csv.find(",1,"); at != std::string::npos; at = csv.find(",1,", at + 1)) ++on_front;
  CHECK(on_front >= front.points.size());
}

}  // namespace
}  // namespace tokenomics
