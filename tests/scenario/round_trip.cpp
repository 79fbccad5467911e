#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include "../../sim/io/scenario/schema_view.hpp"
#include "shipped.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

void check_round_trip(const Scenario& scenario) {
  const json resolved = resolved_json(scenario);
  const Scenario again = load_scenario_text(resolved.dump(), "again.json", shipped());
  CHECK(resolved_json(again) == resolved);
  CHECK(scenario_hash(again) == scenario_hash(scenario));
}

}  // namespace

TEST_CASE("a resolved scenario resolves to itself", "[scenario]") {
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Services)) {
    INFO(entry.path);
    check_round_trip(load_scenario(entry.path, shipped()));
  }
  check_round_trip(load_scenario_text(kMinimal, "minimal.json", shipped()));
  check_round_trip(load_scenario_text(kEverything, "everything.json", shipped()));
}

TEST_CASE("numbers keep their bytes and their decimals through the file's units", "[scenario]") {
  const Scenario scenario = load_scenario_text(kEverything, "everything.json", shipped());
  const json resolved = resolved_json(scenario);
  CHECK(resolved["cost"]["owned"]["hosting_usd_per_gpu_hour"] == 0.19);
  CHECK(resolved["cost"]["owned"]["usd_per_kWh"] == 0.083);
  CHECK(resolved["pricing"]["usd_per_mtok"]["output"] == 2.19);
  CHECK(resolved["workload"]["lengths"]["input"]["mean"] == 3668.8);
  CHECK(resolved["deployment"]["pools"][1]["hardware"]["hbm_capacity_GB"] == 99.9);
  CHECK(resolved["seed"] == 9223372036854775807);
  const Scenario again = load_scenario_text(resolved.dump(), "again.json", shipped());
  CHECK(again.cost.owned->hosting == scenario.cost.owned->hosting);
  CHECK(again.pricing.card->standard.output == scenario.pricing.card->standard.output);
  CHECK(std::get<LognormalLaw>(again.workload.lengths->input.law).mu ==
        std::get<LognormalLaw>(scenario.workload.lengths->input.law).mu);
  CHECK(again.deployment.pools[1].plan.gpu.hbm_capacity == scenario.deployment.pools[1].plan.gpu.hbm_capacity);
}

TEST_CASE("five lines are a scenario: the defaults", "[scenario]") {
  const Scenario scenario = load_scenario_text(kMinimal, "folder/minimal.json", shipped());
  CHECK(scenario.name == "minimal");
  REQUIRE(scenario.deployment.pools.size() == 1);
  const PoolSpec& pool = scenario.deployment.pools[0];
  CHECK(pool.role == PoolRole::Mixed);
  CHECK(pool.plan.parallelism.attention_tp == 8);
  CHECK(pool.plan.parallelism.gpus() == 8);
  CHECK(pool.plan.precisions.weights == Precision::Bf16);
  CHECK(pool.calibration.name == "h100-sxm-sglang");
  CHECK_FALSE(pool.calibration.is_family_default);
  CHECK(scenario.cost.rent == pool.plan.gpu.rental_price);
  CHECK(scenario.measure.requests == 2000);
  CHECK(scenario.measure.warm_up_requests == 200);
}

TEST_CASE("short and long forms of parallelism mean the same", "[scenario]") {
  const auto plan = [](const std::string& deployment) {
    const std::string text = R"({"model": "deepseek-r1", "workload": "chat-2023", "deployment": )" + deployment + "}";
    return load_scenario_text(text, "x.json", shipped()).deployment.pools[0].plan.parallelism;
  };
  // {"tp": 8}: one replica on 8 GPUs, each expert cut in 8. {"dp": 8, "ep": 8}: 8 attention groups, 32 whole experts a GPU.
  const Parallelism tp = plan(R"({"hardware": "h200", "tp": 8})");
  CHECK((tp.attention_tp == 8 && tp.attention_dp == 1 && tp.ep == 1 && tp.moe_tp == 8));
  const Parallelism dp = plan(R"({"hardware": "h200", "dp": 8, "ep": 8})");
  CHECK((dp.attention_tp == 1 && dp.attention_dp == 8 && dp.ep == 8 && dp.moe_tp == 1));
  const Parallelism mixed = plan(R"({"hardware": "h200", "parallelism": {"attention_tp": 4, "dp": 2, "ep": 4}})");
  CHECK((mixed.attention_tp == 4 && mixed.attention_dp == 2 && mixed.ep == 4 && mixed.moe_tp == 2));
}

TEST_CASE("number formats default to the released weights", "[scenario]") {
  const Precisions r1 = default_precisions(load_network("deepseek-r1", shipped()));
  CHECK((r1.weights == Precision::Fp8 && r1.experts == Precision::Fp8 && r1.activations == Precision::Fp8 &&
         r1.dispatch == Precision::Fp8));
  CHECK((r1.kv == Precision::Bf16 && r1.attention == Precision::Bf16 && r1.combine == Precision::Bf16));
  const Precisions oss = default_precisions(load_network("gpt-oss-120b", shipped()));
  CHECK((oss.weights == Precision::Bf16 && oss.experts == Precision::Fp4 && oss.activations == Precision::Bf16));
}

TEST_CASE("the defaults that the schema states are the defaults that are used", "[scenario]") {
  const json resolved = resolved_json(load_scenario_text(kMinimal, "minimal.json", shipped()));
  const json& schema = shipped().schema("scenario");
  int compared = 0;
  const std::function<void(const json&, const json&, const SchemaNodes&, const std::string&)> walk =
      [&](const json& root, const json& value, const SchemaNodes& nodes, const std::string& pointer) {
        INFO(pointer);
        for (const json* node : nodes) {
          const bool is_given = pointer.find("parallelism") != std::string::npos;
          if (!node->contains("default") || value.is_object() || is_given) continue;
          CHECK((*node)["default"] == value);
          ++compared;
        }
        if (!value.is_structured()) return;
        for (const auto& [key, child] : value.items())
          walk(root, child, nodes_beneath(root, nodes, key, child), pointer + "/" + key);
      };
  for (const char* section : {"seed", "deployment", "fleet", "limits", "slo", "cost", "pricing", "measure"}) {
    if (!resolved.contains(section)) continue;
    const json& value = resolved[section];
    walk(schema, value, nodes_beneath(schema, nodes_about(schema, schema, resolved), section, value), section);
  }
  CHECK(compared >= 25);
}

}  // namespace tokenomics
