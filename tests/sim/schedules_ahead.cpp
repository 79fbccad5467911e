// Asynchronous scheduling: a step is decided while the one before it runs.
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

ServiceConfig ahead(const StepTimer& timer) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.schedules_ahead = true;
  return config;
}

}  // namespace

// A (100 + 5 tokens) at 0, B (50 + 3) at 25 ms. Without scheduling ahead B's prompt would be in the step at 31.
//   0- 20  prompt of A: nothing runs, so it starts at once    A1
//  20- 31  decode A; B arrives at 25                          A2
//  31- 42  decode A, decided at 20                            A3
//  42- 58  decode A and prompt of B: 10 + 1 + 5               A4 B1
//  58- 70  decode both: 12                                    A5 B2
//  70- 81  decode B: 11                                       B3
TEST_CASE("An arrival waits for the running step and for the one decided after it", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = ahead(timer);
    config.step_by_step = step_by_step;
    const Outcomes o = serve(config, {request(0, 100, 5), request(25, 50, 3)});
    CHECK(o.of.at(0).scheduled == 0);
    CHECK(o.of.at(0).first_token == ms(20));
    CHECK(o.of.at(1).scheduled == ms(42));
    CHECK(o.of.at(1).first_token == ms(58));
    CHECK(o.of.at(0).end == ms(70));
    CHECK(o.of.at(1).end == ms(81));
  }
}

// At 10 ms the prompt of A runs until 20; the step 20-31 is decided. At 20 sharp the step 20-31 begins and the next is
// decided: whoever has come by then is in it.
TEST_CASE("An arrival during a prompt step, and one at a boundary", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const double arrival_ms : {10.0, 20.0}) {
    const Outcomes o = serve(ahead(timer), {request(0, 100, 5), request(arrival_ms, 50, 3)});
    CHECK(o.of.at(1).scheduled == ms(31));
    CHECK(o.of.at(1).first_token == ms(47));
  }
}

// A has one token only: at 20 ms nothing decodes and nothing is decided, so B, who came at 10, starts at once.
TEST_CASE("Nothing is decided ahead of an empty engine", "[sim]") {
  const LinearTimer timer = round_timer();
  const Outcomes o = serve(ahead(timer), {request(0, 100, 1), request(10, 50, 3), request(10, 30, 3)});
  CHECK(o.of.at(1).scheduled == ms(20));
  CHECK(o.of.at(2).scheduled == ms(20));
}

// One slot: B waits for A's end whatever is decided ahead, and then starts at once.
TEST_CASE("Who waits for a slot is not held any longer", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = ahead(timer);
  config.pools[0].batching.max_sequences = 1;
  const Outcomes o = serve(config, {request(0, 100, 4), request(1, 50, 3)});
  CHECK(o.of.at(0).end == ms(53));
  CHECK(o.of.at(1).scheduled == ms(53));
}
