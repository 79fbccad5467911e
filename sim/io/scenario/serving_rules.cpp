#include "serving_rules.hpp"

#include <array>
#include <string>
#include <utility>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<const char*, RouterPolicy>, 6> kRouters{{{"round_robin", RouterPolicy::RoundRobin},
                                                                        {"least_loaded", RouterPolicy::LeastLoaded},
                                                                        {"least_tokens", RouterPolicy::LeastTokens},
                                                                        {"power_of_two", RouterPolicy::PowerOfTwo},
                                                                        {"session_affinity", RouterPolicy::SessionAffinity},
                                                                        {"cache_aware", RouterPolicy::CacheAware}}};
constexpr std::array<std::pair<const char*, QueueOrder>, 4> kQueues{{{"fcfs", QueueOrder::Fcfs},
                                                                     {"priority", QueueOrder::Priority},
                                                                     {"shortest_prompt", QueueOrder::ShortestPrompt},
                                                                     {"longest_prefix", QueueOrder::LongestPrefix}}};
constexpr std::array<std::pair<const char*, BucketUnit>, 2> kUnits{
    {{"requests", BucketUnit::Requests}, {"prompt_tokens", BucketUnit::PromptTokens}}};

template <typename Value, std::size_t N>
Value value_of(const std::array<std::pair<const char*, Value>, N>& table, const std::string& name) {
  for (const auto& [known, value] : table) {
    if (name == known) return value;
  }
  TOKENOMICS_CHECK(false, name + " passed the schema");
}

template <typename Value, std::size_t N>
const char* name_of(const std::array<std::pair<const char*, Value>, N>& table, Value value) {
  for (const auto& [name, known] : table) {
    if (value == known) return name;
  }
  TOKENOMICS_CHECK(false, "unnamed value");
}

template <typename Value>
void read(const json& file, const char* key, std::optional<Value>& value) {
  if (file.contains(key)) value = file[key].get<Value>();
}

template <typename Value>
void write(json& file, const char* key, const std::optional<Value>& value) {
  if (value) file[key] = *value;
}

TokenBucketRule bucket_from(const json& file) {
  return {value_of(kUnits, file.value("unit", "requests")), file["rate_per_s"].get<double>(), file["burst"].get<double>()};
}

json json_of(const TokenBucketRule& bucket) {
  return {{"unit", name_of(kUnits, bucket.unit)}, {"rate_per_s", bucket.rate_per_s}, {"burst", bucket.burst}};
}

}  // namespace

// Routers -----------------------------------------------------------------------------------------------------------

void read_router(DeploymentSpec& deployment, const json& file) {
  RouterRules& rules = deployment.router_rules;
  deployment.router = value_of(kRouters, file.value("router", "round_robin"));
  if (file.contains("decode_router")) rules.decode = value_of(kRouters, file["decode_router"].get<std::string>());
  const json aware = file.value("cache_aware", json::object());
  rules.cache_aware.min_match = aware.value("min_match", rules.cache_aware.min_match);
  rules.cache_aware.balance_abs_requests = aware.value("balance_abs_requests", rules.cache_aware.balance_abs_requests);
  rules.cache_aware.balance_rel = aware.value("balance_rel", rules.cache_aware.balance_rel);
  rules.cache_aware.remembered_segments = aware.value("remembered_segments", rules.cache_aware.remembered_segments);
  rules.remembered_sessions = file.value("remembered_sessions", rules.remembered_sessions);
}

void write_router(json& file, const DeploymentSpec& deployment) {
  const RouterRules& rules = deployment.router_rules;
  file["router"] = name_of(kRouters, deployment.router);
  if (rules.decode) file["decode_router"] = name_of(kRouters, *rules.decode);
  if (deployment.routes_by(RouterPolicy::CacheAware)) {
    file["cache_aware"] = {{"min_match", rules.cache_aware.min_match},
                           {"balance_abs_requests", rules.cache_aware.balance_abs_requests},
                           {"balance_rel", rules.cache_aware.balance_rel},
                           {"remembered_segments", rules.cache_aware.remembered_segments}};
  }
  if (deployment.routes_by(RouterPolicy::SessionAffinity)) file["remembered_sessions"] = rules.remembered_sessions;
}

// Queues and the batch tier -----------------------------------------------------------------------------------------

void read_queue(BatchingSpec& batching, const json& file) {
  batching.queue = value_of(kQueues, file.value("queue", "fcfs"));
  batching.priority_aging_s = file.value("priority_aging_s", batching.priority_aging_s);
  if (!file.contains("batch_tier")) return;
  BatchTier tier;
  tier.from_class = file["batch_tier"].value("from_class", tier.from_class);
  tier.idle_below = file["batch_tier"].value("idle_below", tier.idle_below);
  tier.preempt = file["batch_tier"].value("preempt", tier.preempt);
  batching.batch_tier = tier;
}

void write_queue(json& file, const BatchingSpec& batching) {
  if (batching.queue != QueueOrder::Fcfs) file["queue"] = name_of(kQueues, batching.queue);
  if (batching.queue == QueueOrder::Priority) file["priority_aging_s"] = batching.priority_aging_s;
  if (!batching.batch_tier) return;
  file["batch_tier"] = {{"from_class", batching.batch_tier->from_class},
                        {"idle_below", batching.batch_tier->idle_below},
                        {"preempt", batching.batch_tier->preempt}};
}

// Admission ---------------------------------------------------------------------------------------------------------

AdmissionRules admission_from(const json& file) {
  AdmissionRules rules;
  if (file.contains("default")) rules.default_bucket = bucket_from(file["default"]);
  for (const json& one : file.value("tenants", json::array()))
    rules.tenants.push_back({one["tenant"].get<std::int32_t>(), bucket_from(one)});
  const json shed = file.value("shed", json::object());
  read(shed, "wait_s", rules.shed.wait_s);
  read(shed, "waiting_requests_per_instance", rules.shed.waiting_requests_per_instance);
  read(shed, "kv_share", rules.shed.kv_share);
  rules.shed.class_factor = shed.value("class_factor", rules.shed.class_factor);
  return rules;
}

json json_of(const AdmissionRules& rules) {
  json file = json::object();
  if (rules.default_bucket) file["default"] = json_of(*rules.default_bucket);
  for (const TenantBucket& one : rules.tenants) {
    json bucket = json_of(one.bucket);
    bucket["tenant"] = one.tenant;
    file["tenants"].push_back(bucket);
  }
  if (!rules.shed.any()) return file;
  json& shed = file["shed"] = {{"class_factor", rules.shed.class_factor}};
  write(shed, "wait_s", rules.shed.wait_s);
  write(shed, "waiting_requests_per_instance", rules.shed.waiting_requests_per_instance);
  write(shed, "kv_share", rules.shed.kv_share);
  return file;
}

bool is_empty(const AdmissionRules& rules) { return !rules.default_bucket && rules.tenants.empty() && !rules.shed.any(); }

}  // namespace tokenomics
