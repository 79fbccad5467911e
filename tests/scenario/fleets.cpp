// The fleet's section: what it reads, what it writes back, and what it refuses.
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include "shipped.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr const char* kMixed = R"({"hardware": "h100", "tp": 8, "instances": 2})";
constexpr const char* kSplit =
    R"({"pools": [{"role": "prefill", "hardware": "h100", "parallelism": {"tp": 8}, "instances": 2},
                                             {"role": "decode", "hardware": "h100", "parallelism": {"tp": 8}, "instances": 3}]})";

std::string scenario(const std::string& fleet, const std::string& deployment = kMixed,
                     const std::string& measure = R"({"duration_s": 60})") {
  return R"({"model": "llama-3.3-70b", "workload": "chat-2023", "deployment": )" + deployment + R"(, "fleet": )" + fleet +
         R"(, "measure": )" + measure + "}";
}

Scenario load(const std::string& text) { return load_scenario_text(text, "f.json", shipped()); }

/// The first problem's place and what was expected there; empty where the scenario is sound.
std::string refusal(const std::string& text) {
  try {
    load(text);
  } catch (const ScenarioError& error) {
    return error.problems().front().pointer + ": " + error.problems().front().expected;
  }
  return "";
}

std::string autoscale(const std::string& rule, const std::string& more = "") {
  return R"({"kind": "autoscale", "autoscale": [)" + rule + "]" + more + "}";
}

}  // namespace

TEST_CASE("every key of a fleet is read, written back and read again", "[scenario]") {
  const std::string text = scenario(
      R"({"kind": "autoscale", "autoscale": [
            {"pool": "prefill", "policy": "slo", "percentile": 99, "ttft_s": 0.7, "calm_share": 0.3, "min_instances": 2,
             "max_instances": 5, "interval_s": 7, "stabilization_s": 11},
            {"pool": "decode", "policy": "slo", "interactivity_tok_s_user": 49, "max_instances": 6}],
          "start_up": {"provisioning_s": 1.5, "load_GBps_per_gpu": 3.3, "warm_up_s": 9},
          "failures": {"mtbf_gpu_hours": 1234.5, "repair_s": 77, "detect_s": 3, "requests": "lost", "paid_while_down": false},
          "owned_gpus": 100, "research_usd_per_gpu_hour": 1.7})",
      kSplit);
  const Scenario once = load(text);
  const json resolved = resolved_json(once);
  const Scenario again = load(resolved.dump());
  CHECK(resolved_json(again) == resolved);
  const auto& rule = std::get<SloTarget>(again.fleet.autoscale[0].scaling.rule);
  CHECK(rule.percentile == 99);
  CHECK(rule.ttft_s == 0.7);
  CHECK(rule.calm_share == 0.3);
  CHECK(again.fleet.autoscale[0].scaling.min_instances == 2);
  CHECK(again.fleet.autoscale[0].scaling.max_instances == 5);
  CHECK(again.fleet.autoscale[0].scaling.interval_s == 7);
  CHECK(again.fleet.autoscale[0].scaling.stabilization_s == 11);
  CHECK(std::get<SloTarget>(again.fleet.autoscale[1].scaling.rule).interactivity_tok_s_user == 49);
  CHECK(again.fleet.start_up == StartUpSpec{1.5, 3.3, 9});
  CHECK(again.fleet.failures->mtbf_gpu_hours == 1234.5);
  CHECK((again.fleet.failures->repair_s == 77 && again.fleet.failures->detect_s == 3));
  CHECK_FALSE(again.fleet.failures->retry);
  CHECK_FALSE(again.fleet.failures->paid_while_down);
  CHECK(again.fleet.owned_gpus == 100);
  CHECK(again.fleet.research_usd_per_gpu_hour == 1.7);
}

TEST_CASE("the defaults of a fleet are those that the schema states", "[scenario]") {
  const json schema = shipped().schema("scenario");
  const auto stated = [&](const char* pointer) { return schema.at(json::json_pointer(pointer))["default"]; };
  const json rules[] = {resolved_json(load(scenario(autoscale(R"({"policy": "target_utilization", "max_instances": 3})")))),
                        resolved_json(load(scenario(autoscale(R"({"policy": "queue", "max_instances": 3})")))),
                        resolved_json(load(scenario(autoscale(R"({"policy": "slo", "ttft_s": 1, "max_instances": 3})"))))};
  for (const json& resolved : rules) {
    const json& rule = resolved["fleet"]["autoscale"][0];
    for (const auto& [key, value] : rule.items()) {
      const json& property = schema["definitions"]["autoscale"]["properties"][key];
      INFO(key);
      if (property.contains("default")) CHECK(value == property["default"]);
    }
  }
  const json resolved = resolved_json(load(scenario(R"({"start_up": {}, "failures": {"repair_s": 1}})")))["fleet"];
  for (const char* key : {"provisioning_s", "load_GBps_per_gpu", "warm_up_s"})
    CHECK(resolved["start_up"][key] ==
          stated((std::string("/properties/fleet/properties/start_up/properties/") + key).c_str()));
  for (const char* key : {"mtbf_gpu_hours", "detect_s", "requests", "paid_while_down"})
    CHECK(resolved["failures"][key] ==
          stated((std::string("/properties/fleet/properties/failures/properties/") + key).c_str()));
}

TEST_CASE("fleets that contradict themselves or the rest are refused with the reason", "[scenario]") {
  const auto one = [](const std::string& rule) { return refusal(scenario(autoscale(rule))); };
  CHECK(one(R"({"policy": "queue", "max_instances": 4})").empty());
  CHECK(one(R"({"policy": "queue", "min_instances": 5, "max_instances": 4})") ==
        "/fleet/autoscale/0/min_instances: at most max_instances, 4");
  CHECK(one(R"({"policy": "queue", "max_instances": 1})") ==
        "/fleet/autoscale/0/max_instances: at least the 2 instances that pool mixed starts with");
  CHECK(one(R"({"policy": "queue", "min_instances": 3, "max_instances": 4})") ==
        "/fleet/autoscale/0/min_instances: at most the 2 instances that pool mixed starts with");
  CHECK(one(R"({"policy": "queue", "target": 0.5, "max_instances": 4})") ==
        "/fleet/autoscale/0/target: no such key here: the policy queue does not look at it, target_utilization does");
  CHECK(one(R"({"policy": "slo", "max_instances": 4})") ==
        "/fleet/autoscale/0/ttft_s: a bound for the policy slo: ttft_s or interactivity_tok_s_user (missing)");
  CHECK(one(R"({"pool": "nobody", "policy": "queue", "max_instances": 4})") ==
        "/fleet/autoscale/0/pool: one of the pools mixed");
  CHECK(one(R"({"policy": "queue", "max_instances": 4}, {"policy": "queue", "max_instances": 4})") ==
        "/fleet/autoscale/1/pool: a pool that has no rule yet");

  const auto split = [](const std::string& rule) { return refusal(scenario(autoscale(rule), kSplit)); };
  CHECK(split(R"({"policy": "queue", "max_instances": 4})") == "/fleet/autoscale/0/pool: one of the pools prefill, decode");
  CHECK(split(R"({"pool": "prefill", "policy": "target_utilization", "max_instances": 4})") ==
        "/fleet/autoscale/0/signal: \"busy\": a prefill pool decodes nothing");
  CHECK(split(R"({"pool": "prefill", "policy": "slo", "interactivity_tok_s_user": 20, "max_instances": 4})") ==
        "/fleet/autoscale/0/interactivity_tok_s_user: ttft_s: a prefill pool decodes nothing");
  CHECK(split(R"({"pool": "decode", "policy": "slo", "ttft_s": 1, "max_instances": 4})") ==
        "/fleet/autoscale/0/ttft_s: interactivity_tok_s_user: a decode pool makes no first tokens");
}

TEST_CASE("a fleet's failures, start-up, lending and time are checked", "[scenario]") {
  const std::string rule = R"({"policy": "queue", "max_instances": 4})";
  CHECK(refusal(scenario(R"({"kind": "autoscale"})")) ==
        "/fleet/autoscale: a list of pools and their policies for the kind autoscale, and for no other");
  CHECK(refusal(scenario(R"({"kind": "schedule", "schedule_nodes": [[0, 2]], "autoscale": [)" + rule + "]}")) ==
        "/fleet/autoscale: a list of pools and their policies for the kind autoscale, and for no other");
  CHECK(refusal(scenario(autoscale(rule, R"(, "max_nodes": 3)"))) ==
        "/fleet/max_nodes: max_instances of each pool: autoscaling has no cap on nodes");
  CHECK(refusal(scenario(R"({"start_up": {"warm_up_s": 3}})")) ==
        "/fleet/start_up: nothing: no instance starts in this fleet");
  CHECK_FALSE(refusal(scenario(R"({"failures": {"detect_s": 3}})")).empty());
  CHECK_FALSE(refusal(scenario(R"({"failures": {"repair_s": 0}})")).empty());
  CHECK_FALSE(refusal(scenario(autoscale(rule, R"(, "start_up": {"load_GBps_per_gpu": 0})"))).empty());
  CHECK(refusal(scenario(R"({"failures": {"repair_s": 5, "detect_s": 6}})")) ==
        "/fleet/failures/detect_s: at most repair_s, 5");
  CHECK(refusal(scenario(autoscale(rule, R"(, "owned_gpus": 31)"))) ==
        "/fleet/owned_gpus: at least the 32 GPUs that the pools may hold");
  CHECK(refusal(scenario(autoscale(rule, R"(, "owned_gpus": 32)"))).empty());
  CHECK(refusal(scenario(R"({"research_usd_per_gpu_hour": 1})")) ==
        "/fleet/research_usd_per_gpu_hour: owned_gpus beside it: a fixed fleet holds all that it has and lends nothing");

  const std::string windows = R"({"start": "stationary", "windows_per_day": 2, "window_s": 5})";
  CHECK(refusal(scenario(autoscale(rule), kMixed, windows)) ==
        "/fleet/kind: a run from an empty start: windows of a day are too short for instances to come, go or fail");
  CHECK(refusal(scenario(R"({"failures": {"repair_s": 5}})", kMixed, windows)) ==
        "/fleet/failures: a run from an empty start: windows of a day are too short for instances to come, go or fail");
  CHECK(refusal(scenario(autoscale(rule), kMixed, R"({"start": "stationary", "duration_s": 5})")) ==
        "/fleet/kind: a run from an empty start: a stationary start has no instances that come, go or fail");
}

}  // namespace tokenomics
