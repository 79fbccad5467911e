// Small services worked out by hand: when each token comes out, and what is counted.
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

LinearTimer ten_ms() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  return timer;
}

}  // namespace

// A (100 + 4 tokens) at 0, B (50 + 3) at 25 ms.
//   0- 20  prompt of A: 10 + 10                       A1
//  20- 31  decode A: 11; B arrives at 25              A2
//  31- 47  decode A and prompt of B: 10 + 1 + 5       A3 B1
//  47- 59  decode both: 12                            A4 B2
//  59- 70  decode B: 11                               B3
TEST_CASE("Two requests that share steps", "[sim]") {
  const LinearTimer timer = round_timer();
  const Outcomes o = serve(one_instance(timer), {request(0, 100, 4), request(25, 50, 3)});
  const ServiceResult& r = o.result;
  CHECK(o.of.at(0).scheduled == 0);
  CHECK(o.of.at(0).first_token == ms(20));
  CHECK(o.of.at(0).end == ms(59));
  CHECK(o.of.at(1).scheduled == ms(31));
  CHECK(o.of.at(1).first_token == ms(47));
  CHECK(o.of.at(1).end == ms(70));
  CHECK(r.measured_s == Approx(0.070));
  CHECK(r.ttft.histogram().mean() == ms(21));       // 20 and 22
  CHECK(r.queue_wait.histogram().mean() == ms(3));  // 0 and 6
  CHECK(r.e2e.histogram().mean() == ms(52));        // 59 and 45
  CHECK(r.service.histogram().mean() == ms(49));    // 59 and 39
  CHECK(r.tpot.histogram().mean() == ms(12.25));    // 39 / 3 and 23 / 2
  CHECK(r.interactivity_sum == Approx(1 / 0.013 + 1 / 0.0115));
  CHECK(r.itl.histogram().count() == 5);  // 11, 16, 12 and 12, 11
  CHECK(r.itl.histogram().mean() == Approx(62e6 / 5));
  CHECK(r.itl.histogram().max() == ms(16));
  const PoolResult& pool = r.pools[0];
  CHECK(pool.busy_s == Approx(0.070));
  CHECK(pool.decode_s == Approx(0.045));  // 11 + 11 of the shared step + 12 + 11
  CHECK(pool.prefill_s == Approx(0.025));
  CHECK(pool.steps == Approx(5));
  CHECK(pool.decode_steps == Approx(4));
  CHECK(pool.sequence_s == Approx(0.062));     // 11 + 16 + 2 * 12 + 11
  CHECK(pool.attended_tokens == Approx(409));  // 101, 102, 103 + 51, 52
  CHECK(pool.prompt_tokens == Approx(150));
  CHECK(pool.output_tokens == Approx(5));
  // Held: 101 for 20 ms; 101.5 for 11; 102.5 + 51 for 16; 103 + 51 + 1 for 12; 52.5 for 11.
  CHECK(pool.kv_token_s == Approx(8.03));
  CHECK(r.output_tokens == Approx(7));
  CHECK(r.input_computed_tokens == 150);
}

// The same with prompts on their own: B's prompt step, 31-46, halts A; then 12 ms a step for both until 70.
// Gaps of A: 11, 27, 12; of B: 12, 12 - the halt came before B's first token.
TEST_CASE("A prompt on its own halts those who decode, and nobody else", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.policy = BatchPolicy::PrefillFirst;
  const Outcomes o = serve(config, {request(0, 100, 4), request(25, 50, 3)});
  CHECK(o.of.at(1).first_token == ms(46));
  CHECK(o.of.at(0).end == ms(70));
  CHECK(o.of.at(1).end == ms(70));
  const Histogram& gaps = o.result.itl.histogram();
  CHECK(gaps.count() == 5);
  CHECK(gaps.mean() == Approx(74e6 / 5));
  CHECK(gaps.max() == ms(27));
  CHECK(gaps.count_at_most(ms(13)) == 4);
  CHECK(o.result.pools[0].prefill_s == Approx(0.035));
  // A holds 102 while B's 51 are computed: nothing grows. 101 * 20 + 101.5 * 11 + 153 * 15 + 154 * 12 + 156 * 12 + ...
  // = 2020 + 1116.5 + 2295 + (153 + 1) * 12 + (155 + 1) * 12 = 9151.5
  CHECK(o.result.pools[0].kv_token_s == Approx(9.1515));
}

// B and C come one after the other, each in a step of its own: 31-46 and 46-61 (C arrives at 40); decode 13 ms a step.
// A's gap is 15 + 15 + 13, B's 15 + 13, C's 13.
TEST_CASE("Of two prompts in a row the second halts the first as well", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.policy = BatchPolicy::PrefillFirst;
  const Outcomes o = serve(config, {request(0, 100, 3), request(25, 50, 2), request(40, 50, 2)});
  CHECK(o.of.at(2).end == ms(74));
  const Histogram& gaps = o.result.itl.histogram();
  CHECK(gaps.count() == 4);  // and A's first, 11
  CHECK(gaps.mean() == Approx((11 + 43 + 28 + 13) * 1e6 / 4));
  CHECK(gaps.max() == ms(43));
}

// Steps of 10 ms + 1 ms per token of context: after the prompt (10 ms) contexts 11, 12, 13 give 21, 22, 23 ms.
TEST_CASE("Steps grow with the context they read", "[sim]") {
  LinearTimer timer = ten_ms();
  timer.per_context_s = 0.001;
  const Outcomes o = serve(one_instance(timer), {request(0, 10, 4)});
  CHECK(o.of.at(0).end == ms(76));
  CHECK(o.result.itl.histogram().count() == 3);
  CHECK(o.result.itl.histogram().mean() == Approx(22e6));
  CHECK(o.result.itl.histogram().max() == ms(23));
  CHECK(o.result.pools[0].attended_tokens == Approx(36));
  CHECK(o.result.pools[0].decode_steps == Approx(3));
  CHECK(o.result.events == 4);  // an arrival, a step planned, the prompt's end, one leap
}

// At most 30 tokens a step, of which a decoding sequence takes one (three with two drafts): B's prompt of 60 needs 29 + 29
// + 2 (27 + 27 + 6); with a budget of 30 and nobody decoding 30 + 30.
TEST_CASE("Decoding sequences take their tokens out of the step's budget", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_tokens_per_step = 30;
  CHECK(serve(config, {request(0, 60, 1)}).of.at(0).end == ms(20));
  CHECK(serve(config, {request(0, 10, 50), request(15, 60, 1)}).of.at(1).end == ms(50));
  config.pools[0].mtp = {2, {0, 0}};
  CHECK(serve(config, {request(0, 10, 50), request(15, 82, 1)}).of.at(1).end == ms(60));  // 27 + 27 + 27 + 1
  config.pools[0].mtp = {};
  config.pools[0].batching.policy = BatchPolicy::PrefillFirst;
  CHECK(serve(config, {request(0, 10, 50), request(15, 60, 1)}).of.at(1).end == ms(40));
}

// Prompts of 40 and 60 with a budget of 50: whole prompts go one by one; cut, the second starts beside the first.
TEST_CASE("A prompt that may not be cut waits for a step of its own", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_tokens_per_step = 50;
  CHECK(serve(config, {request(0, 40, 1), request(0, 60, 1)}).of.at(1).scheduled == 0);
  config.pools[0].batching.chunked_prefill = false;
  const Outcomes o = serve(config, {request(0, 40, 1), request(0, 60, 1)});
  CHECK(o.of.at(1).scheduled == ms(10));
  CHECK(o.of.at(1).end == ms(20));
}

// Prefill: 10 ms + 0.1 per computed token; transfer 3 ms + 0.02 ms per prompt token; decode 10 ms a step.
// A (100 + 3): prefill 0-20, KV there at 25: first token; 35, 45. B (100, 40 cached, + 1) from 20: 16 ms, first token at 36
// with no KV to move.
TEST_CASE("Prefill and decode apart: the first token comes when the KV cache has moved", "[sim]") {
  LinearTimer prefill = ten_ms();
  prefill.per_prompt_token_s = 0.0001;
  const LinearTimer decode = ten_ms();
  ServiceConfig config = one_instance(prefill);
  config.pools.push_back(mixed_pool(decode));
  config.pools[0].role = PoolRole::Prefill;
  config.pools[1].role = PoolRole::Decode;
  config.kv_transfer = {Seconds{0.003}, Seconds{0.00002}};
  Request b = request(12, 100, 1);
  b.cached_tokens = 40;
  const Outcomes o = serve(config, {request(0, 100, 3), b});
  CHECK(o.of.at(0).first_token == ms(25));
  CHECK(o.of.at(0).end == ms(45));
  CHECK(o.of.at(1).scheduled == ms(20));
  CHECK(o.of.at(1).first_token == ms(36));
  CHECK(o.of.at(1).end == ms(36));
  CHECK(o.result.input_computed_tokens == 160);
  CHECK(o.result.input_cached_tokens == 40);
  CHECK(o.result.pools[0].prompt_tokens == Approx(160));
  CHECK(o.result.pools[0].busy_s == Approx(0.036));
  CHECK(o.result.pools[1].busy_s == Approx(0.020));
  CHECK(o.result.pools[1].output_tokens == Approx(2));
  CHECK(o.result.output_tokens == Approx(4));
}

// One draft that is always accepted: ten tokens after the first in five steps, every second one with its forerunner.
TEST_CASE("Tokens accepted together come with no gap between them", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].mtp = {1, {1.0}};
  const Outcomes o = serve(config, {request(0, 10, 11)});
  CHECK(o.of.at(0).end == ms(60));
  CHECK(o.result.output_tokens == Approx(11));
  CHECK(o.result.itl.histogram().count() == 10);
  CHECK(o.result.itl.histogram().count_at_most(0) == 5);
  CHECK(o.result.tpot.histogram().mean() == ms(5));
}

// 9 reasoning tokens of 20: the answer starts with token 10, nine gaps of 10 ms after the first at 10 ms.
TEST_CASE("The first token of the answer comes after those of the reasoning", "[sim]") {
  const LinearTimer timer = ten_ms();
  Request r = request(0, 10, 20);
  r.reasoning_tokens = 9;
  CHECK(serve(one_instance(timer), {r}).result.ttft_answer.histogram().mean() == ms(100));
}

// A at 0 for long, B for one token: round robin brings C back to A's instance, least loaded to the empty one.
TEST_CASE("Round robin goes round, least loaded goes where least is", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].instances = 2;
  const std::vector<Request> requests = {request(0, 10, 50), request(1, 10, 1), request(100, 10, 1), request(101, 10, 1)};
  const auto places = [&] {
    const Outcomes o = serve(config, requests);
    return std::vector<int>{o.of.at(0).instance, o.of.at(1).instance, o.of.at(2).instance, o.of.at(3).instance};
  };
  CHECK(places() == std::vector<int>{0, 1, 0, 1});
  config.router = RouterPolicy::LeastLoaded;
  CHECK(places() == std::vector<int>{0, 1, 1, 0});  // the last is a tie of one each: the lower
}
