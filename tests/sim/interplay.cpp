// Policies that meet: caches, transfers, swapping, tiers and fleets in one service. Each case by hand.
#include "support/catch.hpp"
#include "support/fleet_service.hpp"
#include "support/session_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// 1 ms a step, 1 us a prompt token.
LinearTimer plain_timer() {
  LinearTimer timer;
  timer.per_prompt_token_s = 1e-6;
  return timer;
}

/// One prefill and one decode instance, KV in blocks of one token.
ServiceConfig split(const StepTimer& timer) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].role = PoolRole::Prefill;
  config.pools.push_back(config.pools[0]);
  config.pools[1].role = PoolRole::Decode;
  return config;
}

}  // namespace

// Two prefill instances, one wanted from the first tick at 10 ms on. Least loaded and last is the second: its prompt of
// 1000 tokens (1 + 1 = 2 ms) is done, its KV is under way for 50 ms more. It drains until 52 ms, not until 10.
TEST_CASE("A prefill instance that is taken away stays until its KV is with the receiver", "[sim][fleet]") {
  const LinearTimer timer = plain_timer();
  ServiceConfig config = split(timer);
  config.pools[0].instances = 2;
  config.pools[0].prefix_cache = PrefixCacheConfig{};
  config.pools[0].prefix_cache->block_tokens = 1;
  config.kv_transfer = {Seconds{0.050}, Seconds{0}};
  config.fleet = {plain_fleet(2, 2), plain_fleet(1, 1)};
  config.fleet[0].scaling.rule = InstanceSchedule{{{0.0, 1}}, 0};
  config.fleet[0].scaling.interval_s = 0.010;
  config.fleet[0].scaling.stabilization_s = 0;
  TreeSource source;
  for (int i = 0; i < 2; ++i) source.add(0, source.tree.add(kNoSegment, 0), 1000, 20, 1020);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(0).first_token == ms(52));
  CHECK(o.of.at(1).first_token == ms(52));
  CHECK(o.of.at(1).end == ms(71));
  CHECK(o.result.pools[0].draining_s == Approx(0.042));
  CHECK(o.result.pools[0].stops == 1);
}

// None is wanted at the tick at 10 ms, one again at 45, and a schedule orders a tick earlier: at 40. The only instance is
// busy all the while: it drains, the request of 20 ms finds nobody, and is let in when the instance is taken back.
TEST_CASE("Who found no instance goes to the one that no longer drains", "[sim][fleet]") {
  const LinearTimer timer = plain_timer();
  ServiceConfig config = one_instance(timer);
  config.fleet = {plain_fleet(1, 1)};
  config.fleet[0].scaling.min_instances = 0;
  config.fleet[0].scaling.rule = InstanceSchedule{{{0.0, 0}, {0.045 / 3600, 1}}, 0};
  config.fleet[0].scaling.interval_s = 0.010;
  config.fleet[0].scaling.stabilization_s = 0;
  const Outcomes o = serve(config, {request(0, 1000, 200), request(20, 1000, 1)});
  CHECK(o.of.at(1).scheduled == ms(40));
  CHECK(o.of.at(1).first_token == ms(42));
}

// Of the second prompt 999 tokens are found. None wait at 200 ms, and 500 may: 1e6 tokens/s for 0.5 ms.
TEST_CASE("Shedding does not count what a cache has saved as waiting", "[sim][admission]") {
  const LinearTimer timer = plain_timer();
  ServiceConfig config = one_instance(timer);
  config.pools[0].prefix_cache = PrefixCacheConfig{};
  config.pools[0].prefix_cache->block_tokens = 1;
  config.admission.shed.wait_s = 0.0005;
  TreeSource source;
  const SegmentId segment = source.tree.add(kNoSegment, 0);
  for (const double at_ms : {0.0, 100.0, 200.0}) source.add(at_ms, segment, 1000, 2, 1000);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(1).request.cached_tokens == 999);
  CHECK(o.result.requests.rejected_admission == 0);
}

// Steps of 1 ms, 715 tokens of KV, 1 ms a token from and to host memory. Contexts of the first and the second (class 1), of
// the third (class 0, comes later):
//     2 ms  102 102 501   each grows by 1 a step
//     5     105 105 504   three more do not fit: the youngest goes out, back at 5 + 2 * 504 = 1013
//   257     357 357       two more do not fit: the second goes out, back at 257 + 2 * 357 = 971
//   300     400           the first ends
// The third is the next by its class: nothing happens at 971, it decodes its last 6 tokens from 1013 on, then the second,
// who does not fit beside it, its last 43.
TEST_CASE("The next in the queue is waited for, not the one who came out of the batch last", "[sim][queue]") {
  LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 715;
  config.pools[0].batching.queue = QueueOrder::Priority;
  config.pools[0].batching.swap = {true, 100'000, Seconds{1e-3}};
  std::vector<Request> requests{request(0, 100, 300), request(0, 100, 300), request(0.5, 500, 10)};
  requests[0].priority = requests[1].priority = 1;
  const Outcomes o = serve(config, requests);
  CHECK(o.of.at(0).end == ms(300));
  CHECK(o.of.at(2).end == ms(1019));
  CHECK(o.of.at(1).end == ms(1062));
  CHECK(o.result.pools[0].held_s == Approx(0.713));
}

// Up for 1 us in the mean, with an answer of 100 s: the request fails with its instance whatever is drawn.
TEST_CASE("Classes count what is lost once, and what is retried", "[sim][fleet]") {
  const LinearTimer timer = plain_timer();
  ServiceConfig config = one_instance(timer);
  config.fleet = {plain_fleet(1, 1)};
  config.fleet[0].failures = FailureLaw{1e-6, 1, 0, false, true};
  config.priority_classes = 2;
  config.measure.slo_ttft_s = 1;
  std::vector<Request> requests{request(0, 1000, 100'000)};
  requests[0].priority = 1;
  const ClassResult lost = serve(config, requests).result.classes[1];
  CHECK(lost.requests.lost == 1);
  CHECK(lost.requests.unfinished == 0);
  CHECK(lost.judged_ttft == 1);

  config.fleet[0].failures = FailureLaw{0.01, 0.001, 0, true, true};
  requests[0].output_tokens = 50;
  const ServiceResult r = serve(config, requests).result;
  CHECK(r.requests.retries > 0);
  CHECK(r.classes[1].requests.retries == r.requests.retries);
}

// 299 of the second prompt's 300 tokens are in the prefill instance's cache, none in the decode instance. There 620 tokens
// fit; contexts at 2 ms 302 and 301, at 10 ms 310 and 309: two more do not fit. The youngest goes, and when the other has
// ended it is computed again: 300 + 9 tokens.
TEST_CASE("A decode instance computes all of a preempted sequence again, whatever prefill had cached", "[sim][cache]") {
  LinearTimer timer;
  ServiceConfig config = split(timer);
  config.pools[0].prefix_cache = PrefixCacheConfig{};
  config.pools[0].prefix_cache->block_tokens = 1;
  config.pools[1].kv_tokens = 620;
  TreeSource source;
  const SegmentId segment = source.tree.add(kNoSegment, 0);
  source.add(0, segment, 300, 30, 300);
  source.add(1, segment, 300, 30, 300);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(1).request.cached_tokens == 299);
  CHECK(o.of.at(1).preemptions == 1);
  CHECK(o.of.at(0).end == ms(30));
  CHECK(o.result.pools[1].prompt_tokens == Approx(309));
  CHECK(o.of.at(1).end == ms(51));  // the prompt step gives token 10, twenty steps the others
}

// Pulled at 0.5 ms a token. The first lands at 1 + 150 ms; the second has had memory for 301 of 620 tokens since 101 and
// lands at 151 + 150. The first may grow to 319, which it has at 169. It is taken out and computed again when the second
// has ended, at 305: with 19 tokens made the prompt step gives number 20, 80 steps the others.
TEST_CASE("A sequence that decodes alone does not grow into the memory of one whose KV is on its way", "[sim][transfer]") {
  LinearTimer timer;
  ServiceConfig config = split(timer);
  config.pools[1].kv_tokens = 620;
  config.kv_transfer.per_token = Seconds{0.5e-3};
  config.kv_transfer.start = KvTransfer::Start::OnDecodePlace;
  const Outcomes o = serve(config, {request(0, 300, 100), request(100, 300, 5)});
  CHECK(o.of.at(0).first_token == ms(151));
  CHECK(o.of.at(1).first_token == ms(301));
  CHECK(o.of.at(1).end == ms(305));
  CHECK(o.of.at(0).preemptions == 1);
  CHECK(o.of.at(0).end == ms(386));
}

// The prompt of 100 is in the tier, 10 ms away. While one request has the only place, one of two may wait.
TEST_CASE("Who waits for a cache tier waits in the queue", "[sim][cache]") {
  LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 1;
  config.queue_limit_requests = 1;
  PrefixCacheConfig cache;
  cache.block_tokens = 1;
  cache.in_hbm = false;
  CacheTierConfig tier;
  tier.latency = Seconds{0.010};
  cache.tiers = {tier};
  config.pools[0].prefix_cache = cache;
  TreeSource source;
  const SegmentId known = source.tree.add(kNoSegment, 0), other = source.tree.add(kNoSegment, 0);
  source.add(0, known, 100, 1, 100);
  source.add(100, other, 100, 50, 100);
  source.add(110, known, 100, 1, 100);
  source.add(110, known, 100, 1, 100);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(2).outcome == Outcome::Completed);
  CHECK(o.of.at(3).outcome == Outcome::RejectedQueueFull);
}

// 1000 tokens fit. At 100 ms the cache holds 400 that are older than 50 ms and are dropped when they are looked for: they
// make room once, not twice. Beside the first of the two prompts of 600 the second does not fit.
TEST_CASE("What a cache drops for its age makes room once", "[sim][cache]") {
  LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 1000;
  config.pools[0].prefix_cache = PrefixCacheConfig{};
  config.pools[0].prefix_cache->block_tokens = 1;
  config.pools[0].prefix_cache->time_to_live = ms(50);
  TreeSource source;
  source.add(0, source.tree.add(kNoSegment, 0), 400, 1, 400);
  source.add(45, source.tree.add(kNoSegment, 0), 600, 20, 600);
  source.add(55, source.tree.add(kNoSegment, 0), 400, 20, 400);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(1).end == ms(65));
  CHECK(o.of.at(2).scheduled == ms(65));
}

// 1000 tokens of KV. At 10 ms contexts are 410 and 590: the second goes to host memory, back at 10 + 2 * 590 = 1190; the
// 580 of its prompt stay in the cache while there is room. The first ends with 449 tokens that the cache keeps. The second
// takes 590 and grows by 1: all of the 580 have to go, and of the 449 40 at 1190 and one at 1191.
TEST_CASE("A sequence that is swapped in takes its memory from the cache", "[sim][cache]") {
  LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 1000;
  config.pools[0].batching.swap = {true, 100'000, Seconds{1e-3}};
  config.pools[0].prefix_cache = PrefixCacheConfig{};
  config.pools[0].prefix_cache->block_tokens = 1;
  TreeSource source;
  source.add(0, source.tree.add(kNoSegment, 0), 400, 50, 450);
  source.add(0, source.tree.add(kNoSegment, 0), 580, 12, 592);
  const Outcomes o = serve(config, source);
  CHECK(o.of.at(0).end == ms(50));
  CHECK(o.of.at(1).end == ms(1192));
  CHECK(o.result.pools[0].cache.evicted[0] == Approx(580 + 41));
}

// One at a time. While a request of 10 ms is served, one of 100 unknown tokens comes, then one of 150 of which 100 are in
// the cache: the longer prefix, and the fewer tokens to compute.
TEST_CASE("Orders of the queue know what is in the instance's own cache", "[sim][queue][cache]") {
  LinearTimer timer;
  for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::ShortestPrompt, QueueOrder::LongestPrefix}) {
    ServiceConfig config = one_instance(timer);
    config.pools[0].batching.max_sequences = 1;
    config.pools[0].batching.queue = order;
    config.pools[0].prefix_cache = PrefixCacheConfig{};
    config.pools[0].prefix_cache->block_tokens = 1;
    TreeSource source;
    const SegmentId known = source.tree.add(kNoSegment, 0);
    source.add(0, known, 100, 1, 100);
    source.add(10, source.tree.add(kNoSegment, 0), 200, 10, 200);
    source.add(11, source.tree.add(kNoSegment, 0), 100, 1, 100);
    source.add(12, known, 150, 1, 150);
    const Outcomes o = serve(config, source);
    const bool looks = order != QueueOrder::Fcfs;
    CHECK(o.of.at(2).scheduled == ms(looks ? 21 : 20));
    CHECK(o.of.at(3).scheduled == ms(looks ? 20 : 21));
    CHECK(o.of.at(3).request.cached_tokens == 100);
  }
}

// A and B (40 + 30 each) fill the memory of 100. C, of the class before, goes on from B and came when nothing of B was
// there; B is swapped out, C is loaded while A has the memory, and takes it when A ends; B, ready by then, goes on behind
// it.
TEST_CASE("Who is loaded, who is swapped out and who waits for memory all get on", "[sim]") {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  timer.per_prompt_token_s = 0.0001;
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 100;
  config.pools[0].batching.queue = QueueOrder::Priority;
  config.pools[0].batching.swap = {true, 1000, Seconds{0.0001}};
  config.pools[0].prefix_cache = PrefixCacheConfig{16, false, kNever, {}};
  config.pools[0].prefix_cache->tiers.resize(1);
  config.pools[0].prefix_cache->tiers[0].per_token = Seconds{0.001};
  TreeSource source;
  const SegmentId talk = source.tree.add(kNoSegment, 0), other = source.tree.add(kNoSegment, 0);
  source.add(0, talk, 40, 30, 40);
  source.add(0, other, 40, 30, 40);
  source.add(5, other, 60, 1, 60);
  source.requests[0].priority = source.requests[1].priority = 1;
  const Outcomes o = serve(config, source);
  CHECK(o.result.requests.completed == 3);
  CHECK(o.of.at(1).preemptions == 1);
  CHECK(o.of.at(2).request.cached_tokens == 32);
  CHECK(o.of.at(2).scheduled == o.of.at(0).end);
  CHECK(o.of.at(1).end > o.of.at(2).end);
}
