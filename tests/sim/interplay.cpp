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
