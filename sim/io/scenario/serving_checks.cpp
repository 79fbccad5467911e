// Policies that would be ignored in a scenario, or that contradict it.
#include <set>
#include <string>

#include "serving_rules.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

bool has_decode_pool(const DeploymentSpec& deployment) {
  for (const PoolSpec& pool : deployment.pools) {
    if (pool.role == PoolRole::Decode) return true;
  }
  return false;
}

/// One token of the bucket's unit must fit; prompts have at least one.
void check_bucket(const json& bucket, const Reporter& report) {
  if (bucket["burst"].get<double>() < 1)
    report.at("burst").add(bucket["burst"].dump(), "at least 1: otherwise no request ever passes");
}

/// Where the router that looks at something of the requests is written.
void need(bool given, const DeploymentSpec& deployment, RouterPolicy policy, const char* what, const json& file,
          const Reporter& report) {
  if (given || !deployment.routes_by(policy)) return;
  const char* key = deployment.router == policy ? "router" : "decode_router";
  report.at(key).add(file[key].dump(), what);
}

}  // namespace

void check_queue(const BatchingSpec& batching, const json& file, const Reporter& report) {
  if (file.contains("priority_aging_s") && batching.queue != QueueOrder::Priority)
    report.at("priority_aging_s").add(file["priority_aging_s"].dump(), "no such key: only the queue \"priority\" ages");
}

void check_admission(const AdmissionRules& rules, const json& file, const Reporter& report) {
  if (file.contains("default")) check_bucket(file["default"], report.at("default"));
  std::set<std::int32_t> tenants;
  for (std::size_t i = 0; i < rules.tenants.size(); ++i) {
    const Reporter at = report.at("tenants").at(std::to_string(i));
    check_bucket(file["tenants"][i], at);
    if (!tenants.insert(rules.tenants[i].tenant).second)
      at.at("tenant").add(std::to_string(rules.tenants[i].tenant), "a tenant that has no bucket yet");
  }
  if (file.contains("shed") && !rules.shed.any())
    report.at("shed").add(file["shed"].dump(), "wait_s, waiting_requests_per_instance or kv_share: what is shed by");
}

void check_router(const DeploymentSpec& deployment, const json& file, const Reporter& report) {
  if (file.contains("decode_router") && !has_decode_pool(deployment))
    report.at("decode_router").add(file["decode_router"].dump(), "no such key: there is no decode pool");
  if (file.contains("cache_aware") && !deployment.routes_by(RouterPolicy::CacheAware))
    report.at("cache_aware").add("an object", "no such key: no router is \"cache_aware\"");
  if (file.contains("remembered_sessions") && !deployment.routes_by(RouterPolicy::SessionAffinity)) {
    report.at("remembered_sessions")
        .add(file["remembered_sessions"].dump(), "no such key: no router is \"session_affinity\"");
  }
}

RequestMarks marks_of(const WorkloadSpec& workload) {
  return {priority_classes(workload), has_sessions(workload), tells_prompts(workload)};
}

namespace {

void check_caches(const DeploymentSpec& deployment, const RequestMarks& marks, const json& file, const Reporter& report) {
  for (std::size_t i = 0; i < deployment.pools.size(); ++i) {
    if (!deployment.pools[i].prefix_cache) continue;
    const Reporter pool = file.contains("pools") ? report.at("pools").at(std::to_string(i)) : report;
    const Reporter at = pool.at("prefix_cache");
    if (deployment.pools[i].role == PoolRole::Decode)
      at.add("an object", "no such key in a decode pool: prompts are computed in prefill and mixed pools");
    if (!marks.tells_prompts)
      at.add("an object",
             "no such key: the workload does not tell which prompts begin alike (sessions do, and replays of hashes; else "
             "cache_hit_ratio of the workload)");
  }
}

}  // namespace

void check_marks(const DeploymentSpec& deployment, const RequestMarks& marks, const json& file, const Reporter& report) {
  need(marks.has_sessions, deployment, RouterPolicy::SessionAffinity,
       "another router: the workload's requests belong to no sessions", file, report);
  need(marks.tells_prompts, deployment, RouterPolicy::CacheAware,
       "another router: the workload does not tell which prompts begin alike", file, report);
  check_caches(deployment, marks, file, report);
  for (std::size_t i = 0; i < deployment.pools.size(); ++i) {
    const auto& tier = deployment.pools[i].batching.batch_tier;
    if (!tier || tier->from_class < marks.priority_classes) continue;
    const Reporter pool = file.contains("pools") ? report.at("pools").at(std::to_string(i)) : report;
    const std::string classes = marks.priority_classes == 1
                                    ? "all are of class 0"
                                    : "classes go up to " + std::to_string(marks.priority_classes - 1);
    pool.at("batching")
        .at("batch_tier")
        .at("from_class")
        .add(std::to_string(tier->from_class), "a class of the workload's requests: " + classes);
  }
}

}  // namespace tokenomics
