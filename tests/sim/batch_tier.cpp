// The batch tier: who fills what the others leave idle, and what its rule costs.
#include "support/catch.hpp"
#include "support/one_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// Steps of 10 ms whatever is in them.
LinearTimer ten_ms() {
  LinearTimer timer;
  timer.fixed_s = 10e-3;
  return timer;
}

ServiceConfig with_tier(const StepTimer& timer, std::int64_t places, double idle_below, bool preempt = false) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = places;
  config.pools[0].batching.batch_tier = BatchTier{1, idle_below, preempt};
  return config;
}

Request batch(double arrival_ms, std::int64_t input, std::int64_t output) {
  Request r = request(arrival_ms, input, output);
  r.priority = 1;
  return r;
}

}  // namespace

// Four places, the tier may use the instance up to two. Three batch requests of 3 steps: two run, the third is held until
// they end at 30 ms.
TEST_CASE("The batch tier fills an instance up to its share, and the time it holds requests back carries its name",
          "[sim][batch_tier]") {
  const LinearTimer timer = ten_ms();
  const Outcomes o = serve(with_tier(timer, 4, 0.5), {batch(0, 5, 3), batch(0, 5, 3), batch(0, 5, 3)});
  CHECK(o.of.at(0).scheduled == ms(0));
  CHECK(o.of.at(1).scheduled == ms(0));
  CHECK(o.of.at(2).scheduled == ms(30));
  CHECK(o.of.at(2).end == ms(60));
  CHECK(o.result.pools[0].held_s == 0);
  CHECK(o.result.pools[0].batch_held_s == Approx(0.030));
  CHECK(o.result.pools[0].busy_s == Approx(0.060));
}

TEST_CASE("Batch requests wait while others wait, and others take any place", "[sim][batch_tier]") {
  const LinearTimer timer = ten_ms();
  // Two places; batch 0 runs alone in an idle instance, 1 (others) joins it at 10 ms, 2 (others) waits for a place although
  // batch 3 came before it.
  const Outcomes o = serve(with_tier(timer, 2, 0.5), {batch(0, 5, 4), request(5, 5, 4), batch(6, 5, 4), request(7, 5, 4)});
  CHECK(o.of.at(1).scheduled == ms(10));
  CHECK(o.of.at(3).scheduled == ms(40));  // batch 0 has ended
  CHECK(o.of.at(2).scheduled == ms(80));  // 1 ended at 50, 3 at 80: only an empty instance is idle enough
}

// The same with preemption: 3 takes the place of batch 0 at the next step; 0 is computed again when all others have gone.
TEST_CASE("With preemption others take the places of the batch tier at once", "[sim][batch_tier]") {
  const LinearTimer timer = ten_ms();
  const Outcomes o =
      serve(with_tier(timer, 2, 0.5, true), {batch(0, 5, 4), request(5, 5, 4), request(17, 5, 4), batch(18, 5, 4)});
  CHECK(o.of.at(1).scheduled == ms(10));
  CHECK(o.of.at(2).scheduled == ms(20));
  CHECK(o.of.at(0).preemptions == 1);
  CHECK(o.of.at(2).end == ms(60));
  CHECK(o.of.at(0).end == ms(80));        // two tokens were out at 20 ms: two more steps
  CHECK(o.of.at(3).scheduled == ms(80));  // preempted ones first
  CHECK(o.result.requests.preemptions == 1u);
}

// 40 tokens of KV, of which the tier may use 20. Batch 0 holds 11; 1 would make it 22.
TEST_CASE("The tier's share counts memory too", "[sim][batch_tier]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = with_tier(timer, 100, 0.5);
  config.pools[0].kv_tokens = 40;
  const Outcomes o = serve(config, {batch(0, 10, 4), batch(0, 10, 4), batch(0, 6, 2)});
  CHECK(o.of.at(1).scheduled == ms(40));
  CHECK(o.of.at(2).scheduled >= ms(40));  // not past the one before it
}

// Both grow until memory is full: the batch one goes although the other is younger.
TEST_CASE("When memory runs out the batch tier is preempted first", "[sim][batch_tier]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = with_tier(timer, 2, 1.0);
  config.pools[0].kv_tokens = 60;
  const Outcomes o = serve(config, {batch(0, 20, 25), request(5, 20, 25)});
  CHECK(o.of.at(0).preemptions == 1);
  CHECK(o.of.at(1).preemptions == 0);
}
