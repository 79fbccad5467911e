#pragma once

#include <set>
#include <vector>

#include "support/fleet_service.hpp"
#include "support/policies.hpp"
#include "support/session_service.hpp"

namespace tokenomics::test {

inline PrefixCacheConfig any_cache() {
  PrefixCacheConfig cache;
  cache.block_tokens = pick(1, 80);
  cache.in_hbm = pick(0, 3) > 0;
  if (pick(0, 2) == 0) cache.time_to_live = ms(pick(100, 5000));
  const int tiers = pick(cache.in_hbm ? 0 : 1, 2);
  for (int i = 0; i < tiers; ++i) {
    CacheTierConfig tier;
    tier.name = "tier";
    tier.shared = pick(0, 1) == 1;
    if (pick(0, 2) > 0) tier.capacity_tokens = pick(1, 20'000);
    tier.latency = Seconds{1e-3 * pick(0, 20)};
    tier.per_token = Seconds{1e-7 * pick(0, 100)};
    tier.write = static_cast<CacheWrite>(pick(0, 2));
    if (pick(0, 2) == 0) tier.time_to_live = ms(pick(100, 50'000));
    cache.tiers.push_back(tier);
  }
  return cache;
}

inline ScalingRule any_rule(PoolRole role) {
  const bool decodes = role != PoolRole::Prefill;
  switch (pick(0, 4)) {
    case 0:
      return TargetUtilization{decodes && pick(0, 1) == 1 ? UtilizationSignal::Batch : UtilizationSignal::Busy,
                               0.1 * pick(1, 10), 0.05 * pick(0, 4)};
    case 1: return QueueTarget{0.5 * pick(1, 8)};
    case 2: {
      SloTarget rule;
      rule.percentile = pick(10, 99);
      if (decodes) rule.interactivity_tok_s_user = 20 * pick(1, 50);
      if (role != PoolRole::Decode) rule.ttft_s = 1e-2 * pick(1, 100);
      return rule;
    }
    case 3: return InstanceSchedule{{{0.0, pick(1, 6)}, {0.001 * pick(1, 5), pick(1, 6)}}, 0.001 * pick(0, 10)};
    default: return std::monostate{};
  }
}

inline PoolFleet any_fleet(const PoolConfig& pool) {
  PoolFleet fleet = plain_fleet(pool.instances, pool.instances + pick(0, 4));
  fleet.scaling.rule = any_rule(pool.role);
  fleet.scaling.interval_s = 0.1 * pick(1, 20);
  fleet.scaling.stabilization_s = 0.1 * pick(0, 40);
  fleet.start_up = {0.1 * pick(0, 10), 0.1 * pick(0, 10), 0.1 * pick(0, 10)};
  if (pick(0, 2) > 0) {
    const double repair_s = 0.1 * pick(1, 40);
    fleet.failures = FailureLaw{0.5 * pick(4, 60), repair_s, repair_s * 0.25 * pick(0, 4), pick(0, 1) == 1, pick(0, 1) == 1};
  }
  fleet.gpus_per_instance = pick(1, 16);
  return fleet;
}

/// Attention-DP balance of several ranks, delayed batching of one; queues are then first come, first served.
inline void add_start_wait(PoolConfig& pool) {
  BatchingSpec& b = pool.batching;
  b.queue = QueueOrder::Fcfs;
  b.batch_tier.reset();
  if (pool.ranks > 1) b.rank_balance_wait = RankBalanceWait{pick(1, 40), pick(0, 5)};
  else b.batch_wait = BatchWait{pick(1, 40), 0.05 * pick(1, 20)};
}

inline bool waits_to_start(const PoolConfig& pool) {
  return pool.batching.rank_balance_wait.has_value() || pool.batching.batch_wait.has_value();
}

/// Everything that can be combined, combined: batches, queues, the batch tier, waits for company, swapping, scheduling
/// ahead, drafts, caches with tiers, request latency, pushed and pulled transfers, routers, admission, limits, and instances
/// that come, go and fail.
struct Everything {
  AnyService service;
  int users = 1;
  std::uint64_t longest_answer = 60, longest_thought_ms = 3000;
  ServiceConfig& config() { return service.config; }
};

inline Everything everything() {
  Everything e;
  e.service = any_service();
  ServiceConfig& config = e.config();
  for (PoolConfig& pool : config.pools) {
    BatchingSpec& b = pool.batching;
    b.schedules_ahead = pick(0, 2) == 0;
    b.releases_late = pick(0, 2) == 0;
    if (pick(0, 1) == 1) b.swap = {true, pick(0, 5000), Seconds{1e-6 * pick(0, 100)}};
    if (pick(0, 1) == 1) pool.kv_tokens_per_sequence = pick(0, 40);
    if (pick(0, 2) == 0) add_start_wait(pool);
  }
  if (config.pools.size() > 1) {
    config.kv_transfer = {Seconds{1e-3 * pick(0, 50)}, Seconds{1e-6 * pick(0, 50)}, 1.0 / pick(1, 60)};
    if (pick(0, 1) == 1) config.kv_transfer.start = KvTransfer::Start::OnDecodePlace;
  }
  if (pick(0, 2) == 0) config.request_latency = {Seconds{1e-3 * pick(0, 200)}, Seconds{1e-3 * pick(0, 500)}};
  if (pick(0, 3) > 0) config.pools[0].prefix_cache = any_cache();
  if (pick(0, 1) == 1)
    for (const PoolConfig& pool : config.pools) config.fleet.push_back(any_fleet(pool));
  config.measure.requests = 150;
  config.measure.drain = true;
  e.users = pick(1, 60);
  e.longest_answer = static_cast<std::uint64_t>(pick(1, 400));
  if (pick(0, 2) > 0) e.longest_thought_ms = static_cast<std::uint64_t>(pick(1, 300));
  return e;
}

}  // namespace tokenomics::test
