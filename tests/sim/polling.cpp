// Looking for arrivals every few decode steps only.
#include "support/catch.hpp"
#include "support/one_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// 10 ms, 1 ms per decoding sequence, 0.1 ms per prompt token.
LinearTimer round_timer() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  timer.per_sequence_s = 0.001;
  timer.per_prompt_token_s = 0.0001;
  return timer;
}

ServiceConfig polling(const StepTimer& timer, std::int64_t steps) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.policy = BatchPolicy::PrefillFirst;
  config.pools[0].batching.poll_steps = steps;
  return config;
}

}  // namespace

// A (100 + 9 tokens) at 0, B (50 + 3) at 25 ms, C (50 + 3) at 60 ms; a look every 3 decode steps.
//   0- 20  prompt of A, and a look                            A1
//  20- 53  three decode steps of A, then a look: B has come   A2 A3 A4
//  53- 68  prompt of B, and a look: C has come at 60          B1
//  68- 83  prompt of C                                        C1
//  83-122  three steps of 13 ms of all: B and C end at 109    A5 B2 C2, A6 B3 C3
// 109-142  A alone: 11 ms each                                A7 A8 A9
TEST_CASE("An arrival is seen after every third decode step, and after each prompt step", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = polling(timer, 3);
    config.step_by_step = step_by_step;
    config.pools[0].batching.max_tokens_per_step = 100;
    const Outcomes o = serve(config, {request(0, 100, 9), request(25, 50, 3), request(60, 50, 3)});
    CHECK(o.of.at(0).first_token == ms(20));
    CHECK(o.of.at(1).scheduled == ms(53));
    CHECK(o.of.at(1).first_token == ms(68));
    CHECK(o.of.at(2).scheduled == ms(68));
    CHECK(o.of.at(2).first_token == ms(83));
    CHECK(o.of.at(1).end == ms(109));
    CHECK(o.of.at(2).end == ms(109));
    CHECK(o.of.at(0).end == ms(142));
    CHECK(o.result.pools[0].poll_held_s == Approx(0.028));
    CHECK(o.result.pools[0].held_s == 0);
  }
}

// Looks at 53, 86 and 119: B comes at 90, between the second and the third, which no other event marks.
TEST_CASE("Looks are counted on through a long run", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = polling(timer, 3);
    config.step_by_step = step_by_step;
    const Outcomes o = serve(config, {request(0, 100, 20), request(90, 50, 1)});
    CHECK(o.of.at(1).scheduled == ms(119));
  }
}

// A ends at 42 with the second of three steps: nothing is left to do, and the engine looks at once.
TEST_CASE("An engine with nothing to do looks at once", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = polling(timer, 3);
    config.step_by_step = step_by_step;
    const Outcomes o = serve(config, {request(0, 100, 3), request(25, 50, 1), request(200, 50, 1)});
    CHECK(o.of.at(1).scheduled == ms(42));
    CHECK(o.of.at(2).scheduled == ms(200));
  }
}

// Two places: A and B start together (0-30) and step in 12 ms; C comes at 50, is seen at 66, and starts when B ends at 90.
TEST_CASE("Who has been seen and waits for a place is not held any longer", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = polling(timer, 3);
    config.step_by_step = step_by_step;
    config.pools[0].batching.max_sequences = 2;
    const Outcomes o = serve(config, {request(0, 100, 9), request(0, 100, 6), request(50, 50, 3)});
    const SimTime end = o.of.at(1).end;
    CHECK(end == ms(30 + 5 * 12));
    CHECK(o.of.at(2).scheduled == end);
    CHECK(o.result.pools[0].poll_held_s == 0);
  }
}
