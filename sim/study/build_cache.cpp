#include <cmath>

#include "tokenomics/llm/counts.hpp"
#include "tokenomics/study/build_service.hpp"

namespace tokenomics {
namespace {

constexpr double kGiga = 1e9, kTera = 1e12;

double kv_bytes(const PoolSpec& pool) { return kv_bytes_per_token(pool.plan.network, pool.plan.precisions.kv).value(); }

/// Over the links of the GPUs that hold one sequence.
Seconds seconds_per_token(const PoolSpec& pool, double bandwidth_GBps_per_gpu) {
  const Parallelism& p = pool.plan.parallelism;
  return Seconds{kv_bytes(pool) / (bandwidth_GBps_per_gpu * kGiga * p.attention_tp * p.cp * p.pp)};
}

std::int64_t tokens_in(const PoolSpec& pool, double bytes) {
  return static_cast<std::int64_t>(std::floor(bytes / kv_bytes(pool)));
}

SimTime time_to_live(const std::optional<double>& ttl_s) { return ttl_s ? to_sim_time(Seconds{*ttl_s}) : kNever; }

CacheTierConfig tier_of(const PoolSpec& pool, const CacheTierSpec& spec) {
  CacheTierConfig tier;
  tier.name = spec.name;
  tier.shared = spec.shared;
  if (spec.capacity_TB) tier.capacity_tokens = tokens_in(pool, *spec.capacity_TB * kTera);
  if (spec.capacity_GB_per_gpu)
    tier.capacity_tokens = tokens_in(pool, *spec.capacity_GB_per_gpu * kGiga * pool.plan.parallelism.gpus());
  tier.latency = Seconds{spec.latency_ms * 1e-3};
  tier.per_token = seconds_per_token(pool, spec.bandwidth_GBps_per_gpu);
  tier.write = spec.write;
  tier.time_to_live = time_to_live(spec.ttl_s);
  return tier;
}

}  // namespace

PrefixCacheConfig prefix_cache_of(const PoolSpec& pool) {
  const PrefixCacheSpec& spec = *pool.prefix_cache;
  PrefixCacheConfig cache;
  cache.block_tokens = spec.block_tokens;
  cache.in_hbm = spec.in_hbm;
  cache.time_to_live = time_to_live(spec.ttl_s);
  for (const CacheTierSpec& tier : spec.tiers) cache.tiers.push_back(tier_of(pool, tier));
  return cache;
}

SwapSpec swap_of(const PoolSpec& pool) {
  if (!pool.preemption.swap) return {};
  const double bytes = pool.preemption.host_GB_per_gpu * kGiga * pool.plan.parallelism.gpus();
  return {true, tokens_in(pool, bytes), seconds_per_token(pool, pool.preemption.bandwidth_GBps_per_gpu)};
}

}  // namespace tokenomics
