// Prefix caches: one tier on its own, and small services worked out by hand.
#include "../../sim/serving/cache/cache_tier.hpp"
#include "support/catch.hpp"
#include "support/session_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// 10 ms a step and 0.1 ms a prompt token.
LinearTimer prompt_timer() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  timer.per_prompt_token_s = 0.0001;
  return timer;
}

ServiceConfig caching(const StepTimer& timer) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].prefix_cache = PrefixCacheConfig{};
  return config;
}

CacheTierConfig host() {
  CacheTierConfig tier;
  tier.name = "host";
  tier.latency = Seconds{0.001};
  tier.per_token = Seconds{0.00001};
  return tier;
}

const CacheTier::Evicted kForget;

}  // namespace

TEST_CASE("A full tier forgets the end of what was used least recently, in whole blocks", "[sim]") {
  PromptTree tree;
  const SegmentId a = tree.add(kNoSegment, 0), b = tree.add(kNoSegment, 0), c = tree.add(kNoSegment, 0);
  CacheTier tier(tree, std::nullopt, kNever);
  tier.store(a, {0, 256}, 1, kForget);
  tier.store(b, {0, 128}, 2, kForget);
  tier.store(c, {0, 64}, 3, kForget);
  tier.touch(a, 4);
  tier.make_room(70, 64, kForget);  // two blocks of b, the oldest
  CHECK(tier.held(b).size() == 0);
  CHECK(tier.held(c).to == 64);
  tier.make_room(65, 64, kForget);  // c, then the last block of a
  CHECK(tier.held(c).size() == 0);
  CHECK(tier.held(a).to == 192);
  CHECK(tier.tokens() == 192);
  CHECK(tier.evictable() == 192);
}

TEST_CASE("Pinned segments stay, and expire only when they are let go", "[sim]") {
  PromptTree tree;
  const SegmentId a = tree.add(kNoSegment, 0), b = tree.add(kNoSegment, 0);
  CacheTier tier(tree, std::nullopt, 100);
  tier.store(a, {0, 64}, 0, kForget);
  tier.store(b, {0, 64}, 0, kForget);
  tier.pin(a);
  tier.make_room(128, 64, kForget);
  CHECK(tier.held(a).to == 64);
  CHECK(tier.held(b).to == 0);
  CHECK(tier.evictable() == 0);
  tier.expire(500);
  CHECK(tier.held(a).to == 64);
  tier.unpin(a, 500);
  tier.expire(600);
  CHECK(tier.held(a).to == 64);  // used 100 ago, not longer
  tier.expire(601);
  CHECK(tier.tokens() == 0);
  CHECK(tree.live() == 2);  // the test's own references
}

TEST_CASE("What a tier evicts comes to the tier below from its end on, and is joined there", "[sim]") {
  PromptTree tree;
  const SegmentId a = tree.add(kNoSegment, 0);
  CacheTier high(tree, std::nullopt, kNever), low(tree, 150, kNever);
  const CacheTier::Evicted down = [&](SegmentId segment, TokenSpan span) { low.store(segment, span, 9, kForget); };
  high.store(a, {0, 256}, 1, kForget);
  high.make_room(64, 64, down);
  high.make_room(64, 64, down);
  CHECK(high.held(a).to == 128);
  CHECK(low.held(a).from == 128);
  CHECK(low.held(a).to == 256);
  high.make_room(128, 64, down);  // 256 tokens do not fit in 150: the end goes
  CHECK(low.held(a).from == 0);
  CHECK(low.held(a).to == 150);
}

// A (128 + 2 tokens) at 0: 22.8 ms, one step more to 32.8; 129 tokens have KV, two blocks of 64 are kept.
// B (the same and 64 more, 1 token) at 50: 64 to compute, 10 + 6.4.
// C (B again) at 100: its last block must be computed for the first token's sake.
TEST_CASE("A prompt that begins like an earlier one computes the rest only", "[sim]") {
  const LinearTimer timer = prompt_timer();
  TreeSource source;
  const SegmentId talk = source.tree.add(kNoSegment, 0);
  source.add(0, talk, 128, 2, 130);
  source.add(50, talk, 192, 1, 192);
  source.add(100, talk, 192, 1, 192);
  const Outcomes o = serve(caching(timer), source);
  CHECK(o.of.at(0).end == ms(32.8));
  CHECK(o.of.at(1).first_token == ms(66.4));
  CHECK(o.of.at(2).first_token == ms(116.4));
  CHECK(o.of.at(2).request.cached_tokens == 128);
  CHECK(o.result.input_cached_tokens == 256);
  CHECK(o.result.input_computed_tokens == 256);
  const CacheResult& cache = o.result.pools[0].cache;
  CHECK(cache.looked_up == 512);
  CHECK(cache.found_in_hbm == 256);
  CHECK(cache.written[0] == 192);
}

// Nothing stays in HBM. B at 50 loads 128 tokens: 1 + 1.28 ms; then 10 + 6.4.
TEST_CASE("What lower tiers hold is loaded before the rest is computed", "[sim]") {
  const LinearTimer timer = prompt_timer();
  ServiceConfig config = caching(timer);
  config.pools[0].prefix_cache->in_hbm = false;
  config.pools[0].prefix_cache->tiers = {host()};
  for (const CacheWrite write : {CacheWrite::Through, CacheWrite::Back, CacheWrite::Selective}) {
    config.pools[0].prefix_cache->tiers[0].write = write;
    TreeSource source;
    const SegmentId talk = source.tree.add(kNoSegment, 0);
    source.add(0, talk, 128, 2, 130);
    source.add(50, talk, 192, 1, 192);
    const Outcomes o = serve(config, source);
    // Selective: used once when B comes, nothing has been written yet.
    CHECK(o.of.at(1).first_token == (write == CacheWrite::Selective ? ms(50 + 29.2) : ms(50 + 2.28 + 16.4)));
    CHECK(o.result.pools[0].cache.loaded[1] == (write == CacheWrite::Selective ? 0 : 128));
  }
}

// A has the one place, and HBM its prompt, until 32.8 ms. B, which goes on from it, comes at 5 when nothing of it is there;
// when A has gone its beginning is found below: 2.28 ms to load, then 10 + 6.4.
TEST_CASE("What lower tiers got while a request waited is loaded when its turn comes", "[sim]") {
  const LinearTimer timer = prompt_timer();
  ServiceConfig config = caching(timer);
  config.pools[0].batching.max_sequences = 1;
  config.pools[0].prefix_cache->in_hbm = false;
  config.pools[0].prefix_cache->tiers = {host()};
  TreeSource source;
  const SegmentId talk = source.tree.add(kNoSegment, 0);
  source.add(0, talk, 128, 2, 130);
  source.add(5, talk, 192, 1, 192);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(1).request.cached_tokens == 128);
  CHECK(o.of.at(1).scheduled == ms(32.8 + 2.28));
  CHECK(o.of.at(1).first_token == ms(32.8 + 2.28 + 16.4));
  CHECK(o.result.pools[0].cache.loads == 1);
}

// Two loads over one link: B's 1.28 ms, then C's; over the links of two ranks at the same time.
TEST_CASE("Loads wait for each other on a link", "[sim]") {
  const LinearTimer timer = prompt_timer();
  for (const int ranks : {1, 2}) {
    ServiceConfig config = caching(timer);
    config.pools[0].ranks = ranks;
    config.pools[0].prefix_cache->in_hbm = false;
    config.pools[0].prefix_cache->tiers = {host()};
    TreeSource source;
    const SegmentId talk = source.tree.add(kNoSegment, 0);
    source.add(0, talk, 128, 2, 130);
    source.add(50, talk, 192, 1, 192);
    source.add(50, talk, 192, 1, 192);
    const Outcomes o = serve(config, source);
    CHECK(o.of.at(1).scheduled == ms(52.28));
    CHECK(o.result.pools[0].cache.load_s == Approx(ranks == 1 ? 0.00228 + 0.00356 : 2 * 0.00228));
  }
}

// Each prompt has 704 tokens of which 640 are the same; 1,300 hold them once with both answers, not twice.
TEST_CASE("What running requests share is in memory once", "[sim]") {
  const LinearTimer timer = prompt_timer();
  for (const bool caches : {false, true}) {
    ServiceConfig config = caching(timer);
    config.pools[0].kv_tokens = 1300;
    if (!caches) config.pools[0].prefix_cache.reset();
    TreeSource source;
    const SegmentId system = source.tree.add(kNoSegment, 0);
    const SegmentId one = source.tree.add(system, 640), two = source.tree.add(system, 640);
    source.add(0, system, 641, 1, 641);
    source.add(200, one, 704, 100, 704);
    source.add(200, two, 704, 100, 704);
    const Outcomes o = serve(config, source);
    CHECK((o.of.at(2).first_token < o.of.at(1).end) == caches);
    CHECK(o.result.requests.preemptions == 0);
  }
}

// 640 cached tokens of 1,000; a request that grows to 800 pushes 440 and more of them out, without preempting anybody.
TEST_CASE("Cached tokens give way to running requests", "[sim]") {
  const LinearTimer timer = prompt_timer();
  ServiceConfig config = caching(timer);
  config.pools[0].kv_tokens = 1000;
  TreeSource source;
  const SegmentId old = source.tree.add(kNoSegment, 0), large = source.tree.add(kNoSegment, 0);
  source.add(0, old, 640, 1, 640);
  source.add(200, large, 300, 500, 300);
  source.add(20'000, old, 641, 1, 641);
  const Outcomes o = serve(config, source);
  CHECK(o.result.requests.preemptions == 0);
  CHECK(o.of.at(1).end - o.of.at(1).first_token == ms(499 * 10));
  // 1,000 - 256 of the large one's blocks - what its 500 tokens took at their fullest: three whole blocks are left.
  CHECK(o.of.at(2).request.cached_tokens == 192);
}

TEST_CASE("Cached tokens are forgotten after their time to live", "[sim]") {
  const LinearTimer timer = prompt_timer();
  ServiceConfig config = caching(timer);
  config.pools[0].prefix_cache->time_to_live = ms(300'000);
  for (const double gap_ms : {299'000.0, 301'000.0}) {
    TreeSource source;
    const SegmentId talk = source.tree.add(kNoSegment, 0);
    source.add(0, talk, 128, 1, 128);
    source.add(22.8 + gap_ms, talk, 192, 1, 192);
    CHECK(serve(config, source).of.at(1).request.cached_tokens == (gap_ms < 300'000 ? 128 : 0));
  }
}

// Two instances take turns: with a store of their own the second never finds what the first wrote, with a shared one it
// does.
TEST_CASE("A shared tier serves all instances", "[sim]") {
  const LinearTimer timer = prompt_timer();
  for (const bool shared : {false, true}) {
    ServiceConfig config = caching(timer);
    config.pools[0].instances = 2;
    config.pools[0].prefix_cache->tiers = {host()};
    config.pools[0].prefix_cache->tiers[0].shared = shared;
    TreeSource source;
    const SegmentId talk = source.tree.add(kNoSegment, 0);
    source.add(0, talk, 128, 1, 128);
    source.add(100, talk, 192, 1, 192);
    CHECK(serve(config, source).of.at(1).request.cached_tokens == (shared ? 128 : 0));
  }
}

// 100 tokens at 0.02 ms over the one link of the only prefill instance: B's wait for A's; pulled, B's KV is asked for
// when A has left the only place of the decode instance.
TEST_CASE("Transfers of KV wait for each other, and pulled ones for a place", "[sim]") {
  const LinearTimer prefill = prompt_timer();
  LinearTimer decode;
  decode.fixed_s = 0.010;
  ServiceConfig config = one_instance(prefill);
  config.pools.push_back(mixed_pool(decode));
  config.pools[0].role = PoolRole::Prefill;
  config.pools[1].role = PoolRole::Decode;
  config.kv_transfer = {Seconds{0.003}, Seconds{0.0005}};
  SECTION("pushed") {
    // Both prompts are computed in one step of 30 ms. 50 ms each on the link.
    const Outcomes o = serve(config, {request(0, 100, 3), request(0, 100, 3)});
    CHECK(o.of.at(0).first_token == ms(83));
    CHECK(o.of.at(1).first_token == ms(133));
  }
  SECTION("pushed, each rank with a link") {
    config.pools[0].ranks = 2;
    const Outcomes o = serve(config, {request(0, 100, 3), request(0, 100, 3)});
    CHECK(o.of.at(0).first_token == ms(83));
    CHECK(o.of.at(1).first_token == ms(83));
  }
  SECTION("pulled") {
    config.kv_transfer.start = KvTransfer::Start::OnDecodePlace;
    config.pools[1].batching.max_sequences = 1;
    const Outcomes o = serve(config, {request(0, 100, 3), request(0, 100, 3)});
    CHECK(o.of.at(0).first_token == ms(83));
    CHECK(o.of.at(0).end == ms(103));
    CHECK(o.of.at(1).first_token == ms(156));  // 103 + 50 + 3
  }
}

// The prefill instance has room for one prompt: the next begins when the KV of the first is with the decode instance.
TEST_CASE("Prefill memory is held until the KV has been sent", "[sim]") {
  const LinearTimer prefill = prompt_timer();
  LinearTimer decode;
  decode.fixed_s = 0.010;
  ServiceConfig config = one_instance(prefill);
  config.pools.push_back(mixed_pool(decode));
  config.pools[0].role = PoolRole::Prefill;
  config.pools[0].kv_tokens = 150;
  config.pools[1].role = PoolRole::Decode;
  config.kv_transfer = {Seconds{0.040}, Seconds{0}};
  const Outcomes o = serve(config, {request(0, 100, 3), request(1, 100, 3)});
  CHECK(o.of.at(0).first_token == ms(60));
  CHECK(o.of.at(1).scheduled == ms(60));
  CHECK(o.of.at(1).first_token == ms(120));
}

// Memory for 100 tokens. A and B (40 + 30 each) meet the end of it after 9 or 10 more tokens each; the younger goes to
// the host for at least 2 x 1 ms a token and comes back whole: no prompt is computed again.
TEST_CASE("Swapped sequences come back without being computed again", "[sim]") {
  const LinearTimer timer = prompt_timer();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 100;
  for (const bool swaps : {false, true}) {
    config.pools[0].batching.swap = {swaps, 1000, Seconds{0.001}};
    const Outcomes o = serve(config, {request(0, 40, 30), request(0, 40, 30)});
    CHECK(o.result.requests.completed == 2);
    CHECK(o.result.requests.preemptions == 1);
    CHECK(o.result.output_tokens == Approx(60));
    CHECK((o.result.pools[0].prompt_tokens > 80) == !swaps);
  }
  config.pools[0].batching.swap = {true, 10, Seconds{0.001}};  // host memory too small
  CHECK(serve(config, {request(0, 40, 30), request(0, 40, 30)}).result.pools[0].prompt_tokens > 80);
}
