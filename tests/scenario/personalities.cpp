// Engines' settings beneath what a pool says itself.
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

Scenario minimal_with(const char* changes, const std::vector<std::string>& sets = {}) {
  json file = json::parse(kMinimal);
  file.merge_patch(json::parse(changes));
  return load_scenario_text(file.dump(), "s.json", shipped(), sets);
}

std::vector<std::string> complaints_of(const char* changes) {
  try {
    minimal_with(changes);
  } catch (const ScenarioError& error) {
    std::vector<std::string> lines;
    for (const Problem& problem : error.problems()) lines.push_back(to_string(problem));
    return lines;
  }
  return {};
}

/// DeepSeek's network over split pools that give no sizes.
const char* const kSplit =
    R"({"model": "deepseek-r1", "deployment": {"tp": null, "hardware": null, "personality": "deepseek",
  "pools": [{"role": "prefill", "hardware": "h800"}, {"role": "decode", "hardware": "h800"}]}})";

}  // namespace

TEST_CASE("Every shipped engine is sound, says where its settings are from, and can be taken", "[scenario][engines]") {
  const auto engines = shipped().list(CatalogueKind::Engines);
  CHECK(engines.size() == 4);
  for (const CatalogueEntry& entry : engines) {
    INFO(entry.path);
    CHECK_NOTHROW(check_engine(entry.name, shipped()));
    CHECK_NOTHROW(minimal_with("{}", {"deployment.personality=" + entry.name}));
    CHECK_NOTHROW(minimal_with(kSplit, {"deployment.personality=" + entry.name}));
  }
}

TEST_CASE("A pool takes the settings of the engine that it names, by its GPU's memory", "[scenario][engines]") {
  const PoolSpec large = minimal_with(R"({"deployment": {"personality": "vllm"}})").deployment.pools[0];
  CHECK(large.batching.policy == BatchPolicy::ChunkedMixed);
  CHECK(large.batching.max_sequences == 1024);
  CHECK(large.batching.max_tokens_per_step == 8192);
  CHECK(large.batching.schedules_ahead);
  CHECK(large.block_tokens == 16);
  CHECK(large.plan.launch.graph_batch_sizes.back() == 512);
  const PoolSpec small =
      minimal_with(R"({"deployment": {"personality": "vllm", "hardware": "rtx-4090"}})").deployment.pools[0];
  CHECK(small.batching.max_sequences == 256);
  CHECK(small.batching.max_tokens_per_step == 2048);
  const auto chunk = [](const char* gpu) {
    return minimal_with("{}", {"deployment.personality=sglang", std::string("deployment.hardware=") + gpu})
        .deployment.pools[0]
        .batching.max_tokens_per_step;
  };
  CHECK(chunk("rtx-4090") == 2048);
  CHECK(chunk("h200-sxm") == 8192);
  CHECK(chunk("b200-sxm") == 16384);
}

TEST_CASE("What a pool says itself counts", "[scenario][engines]") {
  const Scenario scenario = minimal_with(
      R"({"deployment": {"personality": "vllm", "batching": {"max_sequences": 7, "graph_batch_sizes": [3, 9]},
          "memory": {"hbm_utilization": 0.5}}})");
  const PoolSpec& pool = scenario.deployment.pools[0];
  CHECK(pool.batching.max_sequences == 7);
  CHECK(pool.batching.max_tokens_per_step == 8192);
  CHECK(pool.plan.launch.graph_batch_sizes == std::vector<std::int64_t>{3, 9});
  CHECK(pool.plan.hbm_utilization == 0.5);
  CHECK(pool.block_tokens == 16);
  const Scenario set = minimal_with(R"({"deployment": {"personality": "vllm"}})", {"/deployment/batching/max_sequences=9"});
  CHECK(set.deployment.pools[0].batching.max_sequences == 9);
  CHECK(set.deployment.pools[0].batching.max_tokens_per_step == 8192);
}

TEST_CASE("The engine field still only chooses the calibration", "[scenario][engines]") {
  const PoolSpec plain = minimal_with(R"({"deployment": {"engine": "vllm"}})").deployment.pools[0];
  CHECK(plain.batching.max_sequences == 256);
  const PoolSpec named = minimal_with(R"({"deployment": {"personality": "vllm"}})").deployment.pools[0];
  CHECK(named.calibration.name == minimal_with("{}").deployment.pools[0].calibration.name);
}

TEST_CASE("Limits of a rank are multiplied, those of a server are not", "[scenario][engines]") {
  const auto pool = [](const char* engine) {
    return minimal_with(R"({"deployment": {"tp": 2, "dp": 4}})", {std::string("deployment.personality=") + engine})
        .deployment.pools[0];
  };
  CHECK(pool("vllm").batching.max_sequences == 4096);
  CHECK(pool("tensorrt_llm").batching.max_tokens_per_step == 4 * 8192);
  CHECK(pool("sglang").batching.max_tokens_per_step == 8192);
}

TEST_CASE("A deployment's engine is that of its pools, by their roles; a pool's own goes first", "[scenario][engines]") {
  const DeploymentSpec both = minimal_with(kSplit).deployment;
  CHECK(both.pools[0].plan.parallelism.ep == 32);
  CHECK(both.pools[0].batching.max_tokens_per_step == 32 * 16384);
  CHECK(both.pools[1].plan.parallelism.ep == 144);
  CHECK(both.pools[1].batching.max_sequences == 144 * 128);
  CHECK(both.pools[1].plan.routing.redundant_experts == 32);
  CHECK_FALSE(both.kv_transfer.waits_for_place);
  const DeploymentSpec own =
      minimal_with(kSplit, {R"(/deployment/pools/1={"role": "decode", "hardware": "h800", "personality": "sglang",
        "parallelism": {"attention_dp": 16, "ep": 16}})"})
          .deployment;
  CHECK(own.pools[0].plan.parallelism.ep == 32);
  CHECK(own.pools[1].plan.parallelism.ep == 16);
  CHECK(own.pools[1].plan.routing.redundant_experts == 0);
  CHECK(minimal_with(kSplit, {"deployment.personality=vllm"}).deployment.kv_transfer.waits_for_place);
}

TEST_CASE("A prefix cache is left out, and that is said, where the workload tells no prompts", "[scenario][engines]") {
  const Scenario told = minimal_with(R"({"deployment": {"personality": "vllm"}})");
  CHECK_FALSE(told.deployment.pools[0].prefix_cache);
  CHECK(told.assumptions == std::vector<std::string>{"the prefix cache of the engine vllm is left out: the workload does "
                                                     "not tell which prompts begin alike"});
  const Scenario sessions = minimal_with(R"({"workload": "agentic-code-generated", "deployment": {"personality": "vllm"}})");
  REQUIRE(sessions.deployment.pools[0].prefix_cache);
  CHECK(sessions.deployment.pools[0].prefix_cache->block_tokens == 16);
  CHECK(sessions.assumptions.empty());
  // What the pool says itself is not left out but refused as ever.
  CHECK(complaints_of(R"({"deployment": {"personality": "vllm", "prefix_cache": {"hbm": true}}})").size() == 1);
}

TEST_CASE("A resolved scenario needs no engine any more", "[scenario][engines]") {
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Engines)) {
    INFO(entry.name);
    const json resolved = resolved_json(minimal_with(kSplit, {"deployment.personality=" + entry.name}));
    CHECK(resolved.dump().find("personality") == std::string::npos);
    CHECK(resolved_json(load_scenario_text(resolved.dump(), "r.json", shipped())) == resolved);
  }
}

TEST_CASE("An unknown engine, and settings that make no sense, are told", "[scenario][engines]") {
  const auto unknown = complaints_of(R"({"deployment": {"personality": "vlm"}})");
  REQUIRE(unknown.size() == 1);
  CHECK_THAT(unknown[0], Catch::Contains("/deployment/personality") && Catch::Contains("the name of a known engine") &&
                             Catch::Contains("did you mean vllm"));
  CHECK(complaints_of(R"({"deployment": {"personality": 3}})").size() == 1);
  const std::filesystem::path odd = std::filesystem::temp_directory_path() / "tokenomics-odd-engine.json";
  std::ofstream(odd) << R"({"name": "odd", "description": "d", "sources": ["s"],
    "pool": {"batching": {"max_sequences": -1, "chunks": 3}}})";
  const auto unsound = complaints_of((R"({"deployment": {"personality": ")" + odd.string() + R"("}})").c_str());
  std::filesystem::remove(odd);
  REQUIRE(unsound.size() == 2);
  CHECK_THAT(unsound[0], Catch::Contains("/deployment/batching/chunks"));
  CHECK_THAT(unsound[1], Catch::Contains("/deployment/batching/max_sequences"));
}

TEST_CASE("Graph sizes and polling are read, written and checked", "[scenario][engines]") {
  const Scenario scenario = minimal_with(
      R"({"deployment": {"batching": {"graph_batch_sizes": [1, 4], "overlap_scheduling": true, "poll_steps": 10,
      "releases_late": true}}})");
  CHECK(scenario.deployment.pools[0].batching.releases_late);
  CHECK(scenario.deployment.pools[0].plan.launch.overlaps_host);
  CHECK(scenario.deployment.pools[0].batching.poll_steps == 10);
  const json resolved = resolved_json(scenario);
  CHECK(resolved["deployment"]["pools"][0]["batching"]["graph_batch_sizes"] == json({1, 4}));
  CHECK(resolved_json(load_scenario_text(resolved.dump(), "r.json", shipped())) == resolved);
  const auto refused = [](const char* batching, const char* what) {
    const auto lines = complaints_of((std::string(R"({"deployment": {"batching": )") + batching + "}}").c_str());
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::Contains(what));
  };
  refused(R"({"graph_batch_sizes": [4, 4]})", "sizes that rise");
  refused(R"({"graph_batch_sizes": [0]})", "/deployment/batching/graph_batch_sizes/0");
  refused(R"({"poll_steps": 2, "queue": "priority"})", "the queue \"fcfs\" only");
  refused(R"({"poll_steps": 2, "schedules_ahead": true})", "without schedules_ahead only");
}

TEST_CASE("Waits for company are read, written and checked", "[scenario][engines]") {
  const Scenario ranks =
      minimal_with(R"({"deployment": {"dp": 2, "batching": {"rank_balance_wait": {"batching_steps": 4}}}})");
  REQUIRE(ranks.deployment.pools[0].batching.rank_balance_wait);
  CHECK(ranks.deployment.pools[0].batching.rank_balance_wait->timeout_steps == 50);
  CHECK(ranks.deployment.pools[0].batching.rank_balance_wait->batching_steps == 4);
  const Scenario one = minimal_with(R"({"deployment": {"batching": {"batch_wait": {"steps": 40, "tokens_ratio": 0.8}}}})");
  REQUIRE(one.deployment.pools[0].batching.batch_wait);
  CHECK(one.deployment.pools[0].batching.batch_wait->steps == 40);
  CHECK(one.deployment.pools[0].batching.batch_wait->tokens_ratio == 0.8);
  for (const Scenario& scenario : {ranks, one}) {
    const json resolved = resolved_json(scenario);
    CHECK(resolved_json(load_scenario_text(resolved.dump(), "r.json", shipped())) == resolved);
  }
  const json plain = resolved_json(minimal_with("{}"))["deployment"]["pools"][0]["batching"];
  CHECK_FALSE(plain.contains("rank_balance_wait"));
  CHECK_FALSE(plain.contains("batch_wait"));
}

TEST_CASE("The latency before the router is read, written and passed on", "[scenario]") {
  const Scenario scenario =
      minimal_with(R"({"deployment": {"request_latency_s": 0.05, "request_latency_s_per_ktoken": 0.002}})");
  CHECK(scenario.deployment.request_latency_s == 0.05);
  CHECK(scenario.deployment.request_latency_s_per_ktoken == 0.002);
  const json resolved = resolved_json(scenario);
  CHECK(resolved["deployment"]["request_latency_s"] == 0.05);
  CHECK(resolved_json(load_scenario_text(resolved.dump(), "r.json", shipped())) == resolved);
  CHECK_FALSE(resolved_json(minimal_with("{}"))["deployment"].contains("request_latency_s"));
  const auto lines = complaints_of(R"({"deployment": {"request_latency_s": -1}})");
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::Contains("/deployment/request_latency_s"));
}

TEST_CASE("Waits for company that nobody would keep are refused", "[scenario][engines]") {
  const auto refused = [](const char* deployment, const char* where, const char* what) {
    const auto lines = complaints_of((std::string(R"({"deployment": )") + deployment + "}").c_str());
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::Contains(where) && Catch::Contains(what));
  };
  refused(R"({"batching": {"rank_balance_wait": {}}})", "/batching/rank_balance_wait", "with one data-parallel rank");
  refused(R"({"dp": 2, "batching": {"batch_wait": {"steps": 4, "tokens_ratio": 0.5}}})", "/batching/batch_wait",
          "with 2 data-parallel ranks");
  refused(R"({"dp": 2, "batching": {"rank_balance_wait": {}, "queue": "shortest_prompt"}})", "/batching/rank_balance_wait",
          "a queue that is not \"fcfs\"");
  refused(R"({"batching": {"batch_wait": {"steps": 4, "tokens_ratio": 0.5}, "poll_steps": 3}})", "/batching/batch_wait",
          "beside poll_steps above 1");
  refused(R"({"batching": {"batch_wait": {"steps": 4}}})", "/batching/batch_wait", "tokens_ratio");
  refused(R"({"dp": 2, "batching": {"rank_balance_wait": {"timeout_steps": 0}}})", "/rank_balance_wait/timeout_steps", "1");
}

}  // namespace tokenomics
