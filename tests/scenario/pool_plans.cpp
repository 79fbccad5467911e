// Experts' popularity and placement, dispatch over ranks, context parallelism and the MTP module in a pool.
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include "shipped.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;

std::string with_pools(const std::string& pools) {
  return R"({"name": "x", "model": "deepseek-r1", "workload": "chat-2023", "deployment": {"pools": [)" + pools + "]}}";
}

std::string mixed(const std::string& keys) {
  return with_pools(R"({"hardware": "h200", "parallelism": {"dp": 8, "ep": 8}, )" + keys + "}");
}

std::string split(const std::string& prefill_keys) {
  return with_pools(R"({"role": "prefill", "hardware": "h200", )" + prefill_keys +
                    R"(}, {"role": "decode", "hardware": "h200", "parallelism": {"dp": 8, "ep": 8}})");
}

Scenario loaded(const std::string& text) { return load_scenario_text(text, "x.json", shipped()); }

InstancePlan plan_of(const std::string& text) { return loaded(text).deployment.pools.front().plan; }

/// What a refusal says of its first pool, from the pool's pointer on.
Lines refusals(const std::string& text) {
  Lines lines;
  try {
    loaded(text);
  } catch (const ScenarioError& error) {
    for (const Problem& problem : error.problems()) {
      lines.push_back(problem.pointer.substr(problem.pointer.find("pools/0/") + 8) + ": " + problem.value + "; " +
                      problem.expected);
    }
  }
  return lines;
}

void check_round_trip(const std::string& text) {
  const json resolved = resolved_json(loaded(text));
  CHECK(resolved_json(loaded(resolved.dump())) == resolved);
}

}  // namespace

TEST_CASE("popularity, EPLB and drift of a pool", "[scenario]") {
  const std::string text = mixed(
      R"("routing": {"popularity": {"law": "power_law", "alpha": 0.8}, "eplb": {"redundant_experts": 8, "refresh_s": 600}, "drift": {"time_constant_s": 3600}})");
  const ExpertRouting routing = plan_of(text).routing;
  CHECK(routing.popularity.kind == PopularityLaw::Kind::PowerLaw);
  CHECK((routing.popularity.alpha == 0.8 && routing.popularity.ratio == 205));
  CHECK((routing.eplb && routing.redundant_experts == 8 && routing.refresh_s == 600 && routing.drift_time_const_s == 3600));
  check_round_trip(text);
  // The short forms mean what they meant.
  const ExpertRouting zipf = plan_of(mixed(R"("routing": {"popularity": {"law": "zipf", "exponent": 0.4}})")).routing;
  CHECK(zipf.zipf_exponent == 0.4);
  CHECK(plan_of(mixed(R"("routing": {"zipf_exponent": 0.4, "redundant_experts": 8})")).routing.redundant_experts == 8);
}

TEST_CASE("popularity that contradicts itself is refused", "[scenario]") {
  CHECK(refusals(mixed(R"("routing": {"popularity": {"law": "histogram", "values": [1, 2]}})")) ==
        Lines{"routing/popularity/values: 2 values; one for each of the 256 routed experts"});
  CHECK(refusals(mixed(R"("routing": {"popularity": {"law": "zipf", "alpha": 1}})")) ==
        Lines{"routing/popularity/alpha: 1; no such key: it belongs to power_law"});
  CHECK(refusals(mixed(R"("routing": {"zipf_exponent": 1, "popularity": {"law": "power_law"}})")) ==
        Lines{"routing/zipf_exponent: 1; one law of popularity: it is given under popularity"});
  CHECK(refusals(mixed(R"("routing": {"drift": {"time_constant_s": 5}})")) ==
        Lines{R"(routing/drift: {"time_constant_s":5}; eplb with refresh_s beside it: no placement follows popularity)"});
  CHECK(refusals(mixed(R"("routing": {"eplb": {}, "drift": {"time_constant_s": 5}})")) ==
        Lines{"routing/eplb/refresh_s: ; the time between placements, since popularity drifts (missing)"});
  CHECK(refusals(mixed(R"("routing": {"eplb": {"refresh_s": 5}})")) ==
        Lines{"routing/eplb/refresh_s: 5; a drift beside it: popularity that stays needs no refresh"});
  CHECK(refusals(mixed(R"("routing": {"redundant_experts": 8, "eplb": {"redundant_experts": 16}})")) ==
        Lines{"routing/redundant_experts: 8; one number of redundant experts: eplb gives another"});
}

TEST_CASE("a dispatch policy computes what is not typed in", "[scenario]") {
  const RankBalance computed = plan_of(mixed(R"("balance": {"dispatch": "least_kv"})")).balance;
  CHECK((computed.dispatch == RankDispatch::LeastKv && computed.sequences_max_over_mean == 0 && !computed.context_cv));
  const std::string text = mixed(R"("balance": {"dispatch": "random", "context_max_over_mean": 1.3, "context_cv": 0.6})");
  const RankBalance typed = plan_of(text).balance;
  CHECK((typed.context_max_over_mean == 1.3 && typed.sequences_max_over_mean == 0 && typed.context_cv == 0.6));
  check_round_trip(text);
  CHECK(refusals(mixed(R"("balance": {"context_cv": 0.6})")) ==
        Lines{"balance/context_cv: 0.6; a dispatch policy beside it"});
  CHECK(refusals(with_pools(R"({"hardware": "h200", "parallelism": {"tp": 8}, "balance": {"dispatch": "random"}})")) ==
        Lines{R"(balance/dispatch: "random"; attention_dp above 1: there is one rank)"});
}

TEST_CASE("context parallelism of prefill pools", "[scenario]") {
  const std::string text = split(R"("parallelism": {"dp": 2, "cp": 4, "ep": 8})");
  CHECK(plan_of(text).parallelism.gpus() == 8);
  CHECK(plan_of(text).parallelism.moe_tp == 1);
  check_round_trip(text);
  CHECK(refusals(split(R"("parallelism": {"dp": 2, "cp": 4, "ep": 3})")).front() ==
        "parallelism/ep: 3; a divisor of the 256 expert slots (256 routed experts and 0 redundant ones)");
  CHECK(refusals(split(R"("parallelism": {"dp": 2, "cp": 4, "ep": 16})")) ==
        Lines{"parallelism/ep: 16; ep x moe_tp equal to attention_tp x attention_dp x cp: experts lie on the same GPUs as "
              "attention, 16 x 1 is not 1 x 2 x 4"});
  CHECK(refusals(with_pools(R"({"hardware": "h200", "parallelism": {"cp": 8, "ep": 8}})")) ==
        Lines{"parallelism/cp: 8; 1: only prefill pools cut prompts over GPUs"});
}

TEST_CASE("an MTP module in a format of its own", "[scenario]") {
  const std::string text =
      mixed(R"("mtp": {"draft_tokens": 1, "acceptance": [0.8], "weights": "bf16", "draft_overhead_us": 50})");
  CHECK((plan_of(text).draft_module.weights == Precision::Bf16 && plan_of(text).draft_module.overhead_us == 50));
  check_round_trip(text);
  // Nothing of it in a scenario that does not ask for it.
  const json plain = resolved_json(loaded(mixed(R"("instances": 1)")))["deployment"]["pools"][0];
  CHECK(plain["mtp"] == json({{"draft_tokens", 0}, {"acceptance", json::array()}}));
  CHECK((plain["routing"].size() == 3 && plain["balance"].size() == 2 && plain["parallelism"].size() == 5));
}

}  // namespace tokenomics
