#include <array>

#include "sections.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<const char*, CacheWrite>, 3> kWrites{
    {{"through", CacheWrite::Through}, {"selective", CacheWrite::Selective}, {"back", CacheWrite::Back}}};

std::optional<double> number_at(const json& file, const char* key) {
  return file.contains(key) ? std::optional(file[key].get<double>()) : std::nullopt;
}

CacheTierSpec tier_from(const json& file, const Reporter& report) {
  CacheTierSpec tier;
  tier.name = file["name"].get<std::string>();
  tier.shared = file.value("shared", false);
  tier.capacity_GB_per_gpu = number_at(file, "capacity_GB_per_gpu");
  tier.capacity_TB = number_at(file, "capacity_TB");
  tier.bandwidth_GBps_per_gpu = file["bandwidth_GBps_per_gpu"].get<double>();
  tier.latency_ms = file.value("latency_ms", 0.0);
  for (const auto& [name, write] : kWrites) {
    if (file.value("write", "through") == name) tier.write = write;
  }
  tier.ttl_s = number_at(file, "ttl_s");
  tier.usd_per_GB_month = file.value("usd_per_GB_month", 0.0);
  tier.usd_per_TB_loaded = file.value("usd_per_TB_loaded", 0.0);
  const char* other = tier.shared ? "capacity_GB_per_gpu" : "capacity_TB";
  if (file.contains(other)) {
    report.at(other).add(file[other].dump(), tier.shared ? "capacity_TB: a shared tier is one store for all instances"
                                                         : "capacity_GB_per_gpu: each instance has a tier of its own");
  }
  return tier;
}

}  // namespace

PrefixCacheSpec prefix_cache_from(const json& file, const Reporter& report) {
  PrefixCacheSpec cache;
  cache.in_hbm = file.value("hbm", cache.in_hbm);
  cache.block_tokens = file.value("block_tokens", cache.block_tokens);
  cache.ttl_s = number_at(file, "ttl_s");
  const json tiers = file.value("tiers", json::array());
  for (std::size_t i = 0; i < tiers.size(); ++i)
    cache.tiers.push_back(tier_from(tiers[i], report.at("tiers").at(std::to_string(i))));
  if (!cache.in_hbm && cache.tiers.empty()) report.at("hbm").add("false", "true, or a tier below: nothing keeps anything");
  if (!cache.in_hbm && cache.ttl_s) report.at("ttl_s").add(file["ttl_s"].dump(), "none: HBM keeps nothing");
  return cache;
}

json json_of(const PrefixCacheSpec& cache) {
  json tiers = json::array();
  for (const CacheTierSpec& tier : cache.tiers) {
    json file{{"name", tier.name},
              {"shared", tier.shared},
              {"bandwidth_GBps_per_gpu", tier.bandwidth_GBps_per_gpu},
              {"latency_ms", tier.latency_ms},
              {"usd_per_GB_month", tier.usd_per_GB_month},
              {"usd_per_TB_loaded", tier.usd_per_TB_loaded}};
    for (const auto& [name, write] : kWrites) {
      if (tier.write == write) file["write"] = name;
    }
    if (tier.capacity_GB_per_gpu) file["capacity_GB_per_gpu"] = *tier.capacity_GB_per_gpu;
    if (tier.capacity_TB) file["capacity_TB"] = *tier.capacity_TB;
    if (tier.ttl_s) file["ttl_s"] = *tier.ttl_s;
    tiers.push_back(std::move(file));
  }
  json file{{"hbm", cache.in_hbm}, {"block_tokens", cache.block_tokens}, {"tiers", tiers}};
  if (cache.ttl_s) file["ttl_s"] = *cache.ttl_s;
  return file;
}

PreemptionSpec preemption_from(const json& file, const Reporter& report) {
  PreemptionSpec preemption;
  preemption.swap = file.value("kind", "recompute") == "swap";
  preemption.host_GB_per_gpu = file.value("host_GB_per_gpu", 0.0);
  preemption.bandwidth_GBps_per_gpu = file.value("bandwidth_GBps_per_gpu", 0.0);
  for (const char* key : {"host_GB_per_gpu", "bandwidth_GBps_per_gpu"}) {
    if (preemption.swap == file.contains(key)) continue;
    report.at(key).add(file.contains(key) ? file[key].dump() : "",
                       preemption.swap ? "a positive number: sequences are swapped to host memory (missing)"
                                       : "nothing: preempted sequences are computed again, not swapped");
  }
  return preemption;
}

json json_of(const PreemptionSpec& preemption) {
  if (!preemption.swap) return {{"kind", "recompute"}};
  return {{"kind", "swap"},
          {"host_GB_per_gpu", preemption.host_GB_per_gpu},
          {"bandwidth_GBps_per_gpu", preemption.bandwidth_GBps_per_gpu}};
}

}  // namespace tokenomics
