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

// Decode steps of 1 ms from 1 on. The second is through prefill at 10.5: the step 10-11 runs, 11-12 is decided.
TEST_CASE("KV that arrives waits for the decided step too, however it comes", "[sim]") {
  const LinearTimer timer;
  for (const bool step_by_step : {false, true}) {
    for (const auto start : {KvTransfer::Start::AfterPrefill, KvTransfer::Start::OnDecodePlace}) {
      ServiceConfig config = one_instance(timer);
      config.pools[0].role = PoolRole::Prefill;
      config.pools.push_back(config.pools[0]);
      config.pools[1].role = PoolRole::Decode;
      config.pools[1].batching.schedules_ahead = true;
      config.kv_transfer.start = start;
      config.step_by_step = step_by_step;
      const Outcomes o = serve(config, {request(0, 100, 40), request(9.5, 100, 3)});
      CHECK(o.of.at(1).first_token == ms(12));
      CHECK(o.of.at(1).end == ms(14));
    }
  }
}

// Each prompt is held for 5 ms. The second, of 7.2, may begin from 12.2 on: the step from 12 on was decided at 11, that from
// 13 on at 12, when it had long been there.
TEST_CASE("Who has been held is not late", "[sim]") {
  const LinearTimer timer;
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = ahead(timer);
    config.pools[0].batching.wait = {2, 0.005};
    config.step_by_step = step_by_step;
    const Outcomes o = serve(config, {request(0, 100, 40), request(7.2, 100, 3)});
    CHECK(o.of.at(0).scheduled == ms(5));
    CHECK(o.of.at(1).scheduled == ms(13));
  }
}
