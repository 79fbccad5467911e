// Laws of prefix caches, swapping and KV transfers over generated services.
#include "../../sim/serving/cache/prefix_cache.hpp"
#include "support/any_service.hpp"
#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct Case {
  LinearTimer prompt_timer, decode_timer;
  ServiceConfig config;
  int users = 1;
};

Case generate() {
  Case c;
  for (LinearTimer* timer : {&c.prompt_timer, &c.decode_timer}) {
    timer->fixed_s = 1e-4 * pick(1, 50);
    timer->per_sequence_s = 1e-6 * pick(0, 50);
    timer->per_context_s = 1e-9 * pick(0, 50);
    timer->per_prompt_token_s = 1e-7 * pick(0, 100);
    timer->longest_run = pick(1, 1000);
  }
  const auto pool = [&](const LinearTimer& timer) {
    PoolConfig p = mixed_pool(timer);
    p.instances = pick(1, 3);
    p.ranks = pick(1, 2);
    p.batching.policy = pick(0, 1) == 1 ? BatchPolicy::PrefillFirst : BatchPolicy::ChunkedMixed;
    p.batching.max_sequences = pick(1, 30);
    p.batching.max_tokens_per_step = pick(100, 2000);
    p.batching.wait = {pick(1, 3), 0.01 * pick(0, 10)};
    p.block_tokens = pick(1, 64);
    p.kv_tokens = static_cast<std::int64_t>(p.ranks) * (2000 + pick(0, 6000));
    if (pick(0, 2) == 0) p.batching.swap = {true, pick(0, 5000), Seconds{1e-6 * pick(1, 100)}};
    p.mtp = {pick(0, 1), {0.7}};
    return p;
  };
  c.config.pools = {pool(c.prompt_timer)};
  if (pick(0, 1) == 1) {
    c.config.pools[0].role = PoolRole::Prefill;
    c.config.pools.push_back(pool(c.decode_timer));
    c.config.pools[1].role = PoolRole::Decode;
    c.config.kv_transfer = {Seconds{1e-3 * pick(0, 50)}, Seconds{1e-6 * pick(0, 50)}, 1.0 / pick(1, 60)};
    if (pick(0, 1) == 1) c.config.kv_transfer.start = KvTransfer::Start::OnDecodePlace;
  }
  if (pick(0, 3) > 0) c.config.pools[0].prefix_cache = any_cache();
  c.config.measure.requests = 200;
  c.config.measure.drain = true;
  c.config.seed = static_cast<std::uint64_t>(pick(1, 1000));
  c.users = pick(1, 40);
  return c;
}

void set_timers(Case& c) {
  for (PoolConfig& pool : c.config.pools) pool.timer = pool.role == PoolRole::Decode ? &c.decode_timer : &c.prompt_timer;
}

struct Checker final : Observer {
  std::map<SegmentId, int> unused;
  double cached = 0;
  std::uint64_t completed = 0;
  void request_ended(const RequestRecord& r) override {
    if (r.outcome != Outcome::Completed) return;
    ++completed;
    cached += static_cast<double>(r.request.cached_tokens);
    RC_ASSERT(r.request.cached_tokens >= 0);
    RC_ASSERT(r.request.cached_tokens < r.request.input_tokens);
    RC_ASSERT(r.request.arrival <= r.scheduled);
    RC_ASSERT(r.scheduled <= r.first_token);
    RC_ASSERT(r.first_token <= r.end);
  }
};

}  // namespace

TEST_CASE("With caches, swapping and transfers of any kind nothing is lost and nothing precedes its cause", "[laws]") {
  rc::prop("conservation", [] {
    Case c = generate();
    set_timers(c);
    Checker checker;
    c.config.observer = &checker;
    TalkSource source(c.config.seed, c.users, 200);
    const ServiceResult r = simulate(c.config, source);
    RC_ASSERT(r.requests.arrived == 200u);
    RC_ASSERT(r.requests.unfinished == 0u);
    RC_ASSERT(r.requests.completed + r.requests.rejected() == 200u);
    RC_ASSERT(checker.completed == r.requests.completed);
    RC_ASSERT(r.input_cached_tokens == checker.cached);
    for (const PoolResult& pool : r.pools) {
      RC_ASSERT(pool.busy_s <= pool.provisioned_s * (1 + 1e-9));
      RC_ASSERT(pool.kv_token_s <= pool.kv_capacity_token_s * (1 + 1e-9));
      RC_ASSERT(pool.kv_token_s >= 0);
    }
    const CacheResult& cache = r.pools[0].cache;
    RC_ASSERT(cache.found_in_hbm + cache.found_below <= cache.looked_up);
    for (std::size_t place = 0; place < cache.written.size(); ++place)
      RC_ASSERT(cache.evicted[place] <= cache.written[place] + 1e-6);
  });
}

TEST_CASE("With caches the same seed gives the same service", "[laws]") {
  rc::prop("determinism", [] {
    Case c = generate();
    set_timers(c);
    TalkSource one(c.config.seed, c.users, 200), two(c.config.seed, c.users, 200);
    const ServiceResult a = simulate(c.config, one), b = simulate(c.config, two);
    RC_ASSERT(a.e2e.histogram().mean() == b.e2e.histogram().mean());
    RC_ASSERT(a.input_cached_tokens == b.input_cached_tokens);
    RC_ASSERT(a.events == b.events);
  });
}

// In lower tiers a load may see tokens in HBM that the run under way will push out, so they are left out here.
TEST_CASE("With a cache in HBM leaping finds what stepping finds", "[laws]") {
  rc::prop("leap against steps", [] {
    Case c = generate();
    for (PoolConfig& pool : c.config.pools) pool.mtp = {};
    if (c.config.pools[0].prefix_cache) c.config.pools[0].prefix_cache->tiers.clear();
    set_timers(c);
    TalkSource one(c.config.seed, c.users, 200), two(c.config.seed, c.users, 200);
    const ServiceResult leap = simulate(c.config, one);
    c.config.step_by_step = true;
    const ServiceResult steps = simulate(c.config, two);
    RC_ASSERT(leap.input_cached_tokens == steps.input_cached_tokens);
    RC_ASSERT(leap.requests.preemptions == steps.requests.preemptions);
    RC_ASSERT(std::abs(leap.e2e.histogram().mean() - steps.e2e.histogram().mean()) <= 5);
  });
}

TEST_CASE("A larger tier that is written through never finds less", "[laws]") {
  rc::prop("inclusion of least recently used", [] {
    const std::int64_t block = pick(1, 64);
    const std::uint64_t seed = static_cast<std::uint64_t>(pick(1, 1000));
    const int users = pick(1, 20);
    // Prompts one after the other; sizes in whole blocks, so that both caches cut alike.
    const auto found_with = [&](std::int64_t capacity_blocks) {
      TalkSource source(seed, users, 300);
      PrefixCacheConfig config;
      config.block_tokens = block;
      config.in_hbm = false;
      CacheTierConfig tier;
      tier.capacity_tokens = capacity_blocks * block;
      config.tiers = {tier};
      const SharedTiers none = make_shared_tiers(config, source.tree);
      Window window{0, kNever};
      CacheResult result;
      PrefixCache cache(config, source.tree, none, 1, window, result);
      std::vector<std::int64_t> found;
      for (SimTime now = 1; source.next_arrival() != kNever; ++now) {
        const Request r = source.take();
        const std::int64_t pinned = cache.take(r, cache.load(r, now), now);
        found.push_back(pinned);
        cache.give_back(r, cache.publish(r, pinned, r.input_tokens, now), r.reusable_tokens, now);
        source.ended(r, now * 1000);
      }
      RC_ASSERT(cache.tokens() == 0);
      return found;
    };
    const std::int64_t small = pick(0, 200), more = pick(0, 200);
    const auto with_small = found_with(small), with_more = found_with(small + more);
    for (std::size_t i = 0; i < with_small.size(); ++i) RC_ASSERT(with_small[i] <= with_more[i]);
  });
}
