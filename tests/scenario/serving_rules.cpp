// Routers, queues, the batch tier and admission in scenario files.
#include "../../sim/io/scenario/serving_rules.hpp"

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// The minimal scenario with changes merged into it; what is wrong with it.
std::vector<std::string> complaints_of(const char* changes) {
  json file = json::parse(kMinimal);
  file.merge_patch(json::parse(changes));
  try {
    load_scenario_text(file.dump(), "s.json", shipped());
  } catch (const ScenarioError& error) {
    std::vector<std::string> lines;
    for (const Problem& problem : error.problems())
      lines.push_back(problem.pointer + ": " + problem.value + "; " + problem.expected);
    return lines;
  }
  return {};
}

using Lines = std::vector<std::string>;

/// Sections read and written: what is chosen, and nothing that is as by default.
void check_router(const char* text) {
  DeploymentSpec deployment;
  const json file = json::parse(text);
  read_router(deployment, file);
  json written = json::object();
  write_router(written, deployment);
  CHECK(written == file);
}

void check_queue(const char* text) {
  BatchingSpec batching;
  const json file = json::parse(text);
  read_queue(batching, file);
  json written = json::object();
  write_queue(written, batching);
  CHECK(written == file);
}

}  // namespace

TEST_CASE("Rules of routers, queues and admission come back as they were written", "[scenario][serving_rules]") {
  check_router(R"({"router": "round_robin"})");
  check_router(R"({"router": "power_of_two", "decode_router": "least_tokens"})");
  check_router(R"({"router": "session_affinity", "remembered_sessions": 77})");
  check_router(R"({"router": "cache_aware", "decode_router": "least_loaded", "cache_aware":
    {"min_match": 0.3, "balance_abs_requests": 7, "balance_rel": 1.5, "remembered_segments": 99}})");
  check_queue(R"({})");
  check_queue(R"({"queue": "shortest_prompt"})");
  check_queue(R"({"queue": "longest_prefix", "batch_tier": {"from_class": 2, "idle_below": 0.7, "preempt": true}})");
  check_queue(R"({"queue": "priority", "priority_aging_s": 4.4})");
  for (const char* text : {R"({})", R"({"default": {"unit": "requests", "rate_per_s": 0.3, "burst": 5.0}})",
                           R"({"tenants": [{"tenant": 3, "unit": "prompt_tokens", "rate_per_s": 100.0, "burst": 5000.0}],
            "shed": {"kv_share": 0.9, "class_factor": 0.5}})"}) {
    CHECK(json_of(admission_from(json::parse(text))) == json::parse(text));
  }
}

TEST_CASE("Defaults of a router's rules are those of SGLang's router", "[scenario][serving_rules]") {
  DeploymentSpec deployment;
  read_router(deployment, json::parse(R"({"router": "cache_aware"})"));
  CHECK(deployment.router_rules.cache_aware.min_match == 0.5);
  CHECK(deployment.router_rules.cache_aware.balance_abs_requests == 32);
  CHECK(deployment.router_rules.cache_aware.balance_rel == 1.0001);
}

TEST_CASE("Rules that no chosen policy looks at are refused", "[scenario][serving_rules]") {
  CHECK(complaints_of(R"({"deployment": {"router": "power_of_two", "batching": {"queue": "shortest_prompt"}}})").empty());
  CHECK(complaints_of(R"({"deployment": {"decode_router": "power_of_two"}})") ==
        Lines{"/deployment/decode_router: \"power_of_two\"; no such key: there is no decode pool"});
  CHECK(complaints_of(R"({"deployment": {"cache_aware": {"min_match": 0.4}}})") ==
        Lines{"/deployment/cache_aware: an object; no such key: no router is \"cache_aware\""});
  CHECK(complaints_of(R"({"deployment": {"remembered_sessions": 5}})") ==
        Lines{"/deployment/remembered_sessions: 5; no such key: no router is \"session_affinity\""});
  CHECK(complaints_of(R"({"deployment": {"batching": {"priority_aging_s": 5}}})") ==
        Lines{"/deployment/batching/priority_aging_s: 5; no such key: only the queue \"priority\" ages"});
  CHECK(complaints_of(R"({"deployment": {"router": "best"}})").size() == 1);
}

TEST_CASE("Policies that look at what the requests do not have are refused", "[scenario][serving_rules]") {
  CHECK(complaints_of(R"({"deployment": {"router": "session_affinity"}})") ==
        Lines{"/deployment/router: \"session_affinity\"; another router: the workload's requests belong to no sessions"});
  CHECK(complaints_of(R"({"deployment": {"router": "cache_aware"}})") ==
        Lines{"/deployment/router: \"cache_aware\"; another router: the workload does not tell which prompts begin alike"});
  CHECK(complaints_of(R"({"deployment": {"batching": {"batch_tier": {}}}})") ==
        Lines{"/deployment/batching/batch_tier/from_class: 1; a class of the workload's requests: all are of class 0"});
}

TEST_CASE("With sessions, prompts and classes the same policies are accepted", "[scenario][serving_rules]") {
  DeploymentSpec deployment;
  const json file = json::parse(R"({"router": "session_affinity", "decode_router": "cache_aware"})");
  read_router(deployment, file);
  deployment.pools.resize(1);
  deployment.pools[0].batching.batch_tier = BatchTier{2, 0.5, false};
  const auto problems_with = [&](const RequestMarks& marks) {
    Document document;
    std::vector<Problem> problems;
    check_marks(deployment, marks, file, Reporter(document, problems));
    return problems.size();
  };
  CHECK(problems_with({3, true, true}) == 0);
  CHECK(problems_with({2, true, true}) == 1);
  CHECK(problems_with({3, false, true}) == 1);
  CHECK(problems_with({3, true, false}) == 1);
}

TEST_CASE("Buckets need a rate and room for a request, tenants one bucket, shedding something to go by",
          "[scenario][serving_rules]") {
  CHECK(complaints_of(R"({"limits": {"admission": {"default": {"burst": 3}}}})").size() == 1);
  CHECK(complaints_of(R"({"limits": {"admission": {"default": {"rate_per_s": 3, "burst": 0.5}}}})") ==
        Lines{"/limits/admission/default/burst: 0.5; at least 1: otherwise no request ever passes"});
  CHECK(complaints_of(R"({"limits": {"admission": {"tenants": [{"tenant": 1, "rate_per_s": 3, "burst": 5},
                                                               {"tenant": 1, "rate_per_s": 4, "burst": 5}]}}})") ==
        Lines{"/limits/admission/tenants/1/tenant: 1; a tenant that has no bucket yet"});
  CHECK(complaints_of(R"({"limits": {"admission": {"shed": {"class_factor": 0.5}}}})") ==
        Lines{"/limits/admission/shed: {\"class_factor\":0.5}; wait_s, waiting_requests_per_instance or kv_share: what is "
              "shed by"});
  CHECK(complaints_of(R"({"limits": {"admission": {"shed": {"kv_share": 0.9}}}})").empty());
}

}  // namespace tokenomics
