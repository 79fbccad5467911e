#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "tokenomics/scenario/query.hpp"

namespace tokenomics {
namespace {

Scenario minimal(const std::vector<std::string>& sets) {
  return load_scenario_text(kMinimal, "minimal.json", shipped(), sets);
}

std::string refusal(const std::string& set) {
  try {
    minimal({set});
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an override reaches any field by JSON pointer or dotted path", "[scenario]") {
  CHECK(minimal({"/deployment/batching/max_sequences=64"}).deployment.pools[0].batching.max_sequences == 64);
  CHECK(minimal({"deployment.batching.policy=prefill_first"}).deployment.pools[0].batching.policy ==
        BatchPolicy::PrefillFirst);
  CHECK(minimal({"slo.ttft_s={\"percentile\": 99, \"max\": 2}"}).slo.ttft_s->percentile == 99);
  CHECK(minimal({"measure.requests=1e6"}).measure.requests == 1'000'000);
  CHECK(minimal({"seed=7"}).seed == 7);
  CHECK(load_scenario_text(kMinimal, "minimal.json", shipped(), {"seed=7"}, 8).seed == 8);
}

TEST_CASE("an override goes through a name into what it stands for", "[scenario]") {
  const Scenario scenario = minimal(
      {"model.max_context_tokens=8192", "workload.arrivals.rate_per_s=2", "deployment.hardware.hbm_capacity_GB=100"});
  CHECK(scenario.deployment.pools[0].plan.network.max_context_tokens == 8192);
  CHECK(std::get<GammaArrivals>(scenario.workload.arrivals).rate_per_s == 2);
  CHECK(std::get<GammaArrivals>(scenario.workload.arrivals).cv == Approx(1.1));
  CHECK(scenario.deployment.pools[0].plan.gpu.hbm_capacity->value() == 100e9);
  CHECK(minimal({"workload=summarise"}).workload.name == "summarise");
}

TEST_CASE("an object of another kind replaces the base's, null removes a key, and the last override wins", "[scenario]") {
  const Scenario loop = minimal({R"(workload.arrivals={"kind": "closed_loop", "concurrency": 4})"});
  CHECK(std::get<ClosedLoopArrivals>(loop.workload.arrivals).concurrency == 4);
  CHECK_FALSE(minimal({"model.published=null"}).deployment.pools[0].plan.network.published_parameters_total);
  CHECK(minimal({"seed=2", "seed=3"}).seed == 3);
  CHECK(minimal({"seed=2", "seed=null"}).seed == 1);
}

TEST_CASE("an override of a path that no schema knows is refused with the nearest name", "[scenario]") {
  CHECK(refusal("deployment.batching.max_sequence=64") ==
        "--set: /deployment/batching/max_sequence; expected a known key; did you mean max_sequences?");
  CHECK(refusal("slo.ttft_ms.max=64") == "--set: /slo/ttft_ms; expected a known key (wrong unit?); did you mean ttft_s?");
  CHECK(refusal("model.attention.head=64") == "--set: /model/attention/head; expected a known key; did you mean heads?");
  CHECK(refusal("seed.x=64") == "--set: /seed/x; expected no keys here");
  CHECK(refusal("seed") == "--set: \"seed\"; expected POINTER=VALUE");
}

TEST_CASE("a wrong value of an override is told as the override's", "[scenario]") {
  CHECK(refusal("measure.replications=many") ==
        "--set: /measure/replications: \"many\"; expected a whole number of at least 1 and at most 100000");
  CHECK(refusal("model.hidden=-1") == "--set: /model/hidden: -1; expected a whole number of at least 1 and at most 1e8");
  CHECK(refusal("slo.ttft_s.max=NaN") == "--set: /slo/ttft_s/max: NaN; expected a finite number");
  CHECK(refusal("limits.context_tokens=1e6") ==
        "--set: /limits/context_tokens: 1000000; expected at most 131072, the maximum of llama-3.3-70b");
}

TEST_CASE("an index of an override lies inside its list", "[scenario]") {
  const std::string text =
      R"({"model": "llama-3.3-70b", "deployment": {"pools": [{"hardware": "h100-sxm", "parallelism": {"tp": 8}}]}, "workload": "chat-2023"})";
  CHECK(load_scenario_text(text, "x.json", shipped(), {"deployment.pools.0.instances=3"}).deployment.pools[0].instances ==
        3);
  CHECK_THROWS_WITH(load_scenario_text(text, "x.json", shipped(), {"deployment.pools.1.instances=3"}),
                    "--set: /deployment/pools/1: 1; expected an index below 1");
}

TEST_CASE("an override reaches a member of a field that may also be a number", "[scenario]") {
  const Query query = load_query("r1-interactive", shipped(), {"usd_per_gpu_hour.h200-sxm=2.25"});
  CHECK(in_usd_per_hour(query.hardware[0].price) == Approx(2.25));
}

}  // namespace tokenomics
