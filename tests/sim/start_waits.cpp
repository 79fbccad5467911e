// Prompts that are held until enough of them can start: attention-DP balance and delayed batching.
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

struct Held {
  std::vector<SimTime> scheduled;
  double held_s;
};

/// Leaping and step by step alike.
Held starts(ServiceConfig config, const std::vector<Request>& requests) {
  std::vector<Held> both;
  for (const bool step_by_step : {false, true}) {
    config.step_by_step = step_by_step;
    const Outcomes o = serve(config, requests);
    Held& held = both.emplace_back();
    for (std::size_t i = 0; i < requests.size(); ++i) held.scheduled.push_back(o.of.at(i).scheduled);
    held.held_s = o.result.pools[0].start_held_s;
    CHECK(o.result.pools[0].held_s == 0);
  }
  CHECK(both[0].scheduled == both[1].scheduled);
  CHECK(both[0].held_s == Approx(both[1].held_s));
  return both[0];
}

ServiceConfig two_ranks(const StepTimer& timer, RankBalanceWait wait) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].ranks = 2;
  config.pools[0].batching.rank_balance_wait = wait;
  return config;
}

/// 200 tokens a step.
ServiceConfig delayed(const StepTimer& timer, BatchWait wait) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_tokens_per_step = 200;
  config.pools[0].batching.batch_wait = wait;
  return config;
}

const Request kA = request(0, 100, 20), kB = request(0, 100, 20);

}  // namespace

// A and B: prompts 0-30, then steps of 12 ms: 42, 54, 66, 78, 90, 102, 114. C (50 + 3) comes at 50 and could start at 54.
TEST_CASE("With attention-DP balance a prompt waits for one on every rank, or for its time", "[sim]") {
  const LinearTimer timer = round_timer();
  const Held alone = starts(two_ranks(timer, {5, 0}), {kA, kB, request(50, 50, 3)});
  CHECK(alone.scheduled == std::vector<SimTime>{0, 0, ms(114)});
  CHECK(alone.held_s == Approx(0.060));
  const Held pair = starts(two_ranks(timer, {5, 0}), {kA, kB, request(50, 50, 3), request(80, 50, 3)});
  CHECK(pair.scheduled == std::vector<SimTime>{0, 0, ms(90), ms(90)});
  CHECK(pair.held_s == Approx(0.036));
}

TEST_CASE("Batching steps follow when every rank has a prompt", "[sim]") {
  const LinearTimer timer = round_timer();
  const Held late = starts(two_ranks(timer, {5, 2}), {kA, kB, request(50, 50, 3), request(80, 50, 3), request(100, 50, 3)});
  CHECK(late.scheduled == std::vector<SimTime>{0, 0, ms(114), ms(114), ms(114)});
  CHECK(late.held_s == Approx(0.060));
}

// B ends at 78 and leaves its rank without a decode.
TEST_CASE("A rank that decodes nothing is not kept waiting", "[sim]") {
  const LinearTimer timer = round_timer();
  const Held held = starts(two_ranks(timer, {50, 0}), {kA, request(0, 100, 5), request(50, 50, 3)});
  CHECK(held.scheduled[2] == ms(78));
  CHECK(held.held_s == Approx(0.024));
}

// With three places only one rank has a free one: time alone lets C go, and D finds no place until C ends. C's prompt shares
// a step of 17 ms (114-131), two of 13 ms follow.
TEST_CASE("Every rank needs a free place, too", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = two_ranks(timer, {5, 0});
  config.pools[0].batching.max_sequences = 3;
  const Held held = starts(config, {kA, kB, request(50, 50, 3), request(80, 50, 3)});
  CHECK(held.scheduled[2] == ms(114));
  // D could start at 157 and waits five steps of 12 ms.
  CHECK(held.scheduled[3] == ms(157 + 60));
  CHECK(held.held_s == Approx(0.120));
}

// The step that ends at 54 was running when C came, the one after it is decided: C could start at 66, D (80) at 102.
TEST_CASE("Scheduling ahead, a prompt counts from the first step that can hold it", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = two_ranks(timer, {5, 0});
  config.pools[0].batching.schedules_ahead = true;
  CHECK(starts(config, {kA, kB, request(50, 50, 3)}).scheduled[2] == ms(126));
  const Held pair = starts(config, {kA, kB, request(50, 50, 3), request(80, 50, 3)});
  CHECK(pair.scheduled == std::vector<SimTime>{0, 0, ms(102), ms(102)});
}

// A: prompt 0-20, then steps of 11 ms: 31, 42, 53, 64, 75. B (50 + 3) comes at 25: with A's token 51 of 100 in the step.
TEST_CASE("Delayed batching waits for a step that is half full, or for its time", "[sim]") {
  const LinearTimer timer = round_timer();
  const Held alone = starts(delayed(timer, {4, 0.5}), {kA, request(25, 50, 3)});
  CHECK(alone.scheduled[1] == ms(75));
  CHECK(alone.held_s == Approx(0.044));
  const Held pair = starts(delayed(timer, {4, 0.5}), {kA, request(25, 50, 3), request(45, 50, 3)});
  CHECK(pair.scheduled == std::vector<SimTime>{0, ms(53), ms(53)});
  CHECK(pair.held_s == Approx(0.022));
  const Held nobody = starts(delayed(timer, {4, 0.5}), {request(0, 100, 1), request(25, 50, 3)});
  CHECK(nobody.scheduled[1] == ms(25));
  CHECK(nobody.held_s == 0);
}

// Two prompts of 120 tokens do not fit one step of 200, and one does not make it 0.9 full. B starts at 75, in 23 ms; C is
// then held for four steps of 12 ms of A and B.
TEST_CASE("Whole prompts that fit no step together do not count together", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = delayed(timer, {4, 0.9});
  config.pools[0].batching.chunked_prefill = false;
  const Held held = starts(config, {kA, request(25, 120, 20), request(26, 120, 3)});
  CHECK(held.scheduled == std::vector<SimTime>{0, ms(75), ms(98 + 48)});
  config.pools[0].batching.chunked_prefill = true;  // a part of C fills the step
  CHECK(starts(config, {kA, request(25, 120, 20), request(26, 120, 3)}).scheduled ==
        std::vector<SimTime>{0, ms(31), ms(31)});
}

// One place beside A: of B and C only one can start, which is not half a step.
TEST_CASE("Prompts without a place do not count", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = delayed(timer, {4, 0.5});
  const std::vector<Request> requests{kA, request(25, 60, 3), request(25, 60, 3)};
  CHECK(starts(config, requests).scheduled[1] == ms(31));
  config.pools[0].batching.max_sequences = 2;
  CHECK(starts(config, requests).scheduled[1] == ms(75));
}

TEST_CASE("A wait for company that a pool cannot keep is refused", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = two_ranks(timer, {5, 0});
  config.pools[0].ranks = 1;
  CHECK_THROWS_AS(serve(config, {kA}), std::logic_error);
  config = delayed(timer, {4, 0.5});
  config.pools[0].ranks = 2;
  CHECK_THROWS_AS(serve(config, {kA}), std::logic_error);
  config = delayed(timer, {4, 0.5});
  config.pools[0].batching.queue = QueueOrder::ShortestPrompt;
  CHECK_THROWS_AS(serve(config, {kA}), std::logic_error);
}
