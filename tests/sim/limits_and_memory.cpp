// Admission, waiting on purpose, KV memory: what is held back, refused, cut or computed again.
#include "support/catch.hpp"
#include "support/one_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

LinearTimer ten_ms() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  return timer;
}

/// Keeps the prompt loads it was asked for.
struct RecordingTimer final : StepTimer {
  mutable std::vector<PrefillLoad> prompts;
  std::int64_t cap = 0;
  Seconds step(const DecodeLoad&, const PrefillLoad& p) const override {
    if (p.tokens > 0) prompts.push_back(p);
    return Seconds{0.010};
  }
  LinearRun run(const DecodeLoad&, const DecodeGrowth&) const override { return {0.010, 0, 1e18}; }
  std::int64_t context_cap() const override { return cap; }
};

}  // namespace

// Room 20: a prompt of 20 leaves none; 19 leaves one token; 10 + 10 just fits; 10 + 11 is cut.
TEST_CASE("The context limit refuses prompts and cuts answers, just inside and just outside", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.context_limit_tokens = 20;
  const Outcomes o =
      serve(config, {request(0, 20, 1), request(0, 19, 5), request(0, 10, 10), request(0, 10, 11), request(0, 19, 1)});
  CHECK(o.of.at(0).outcome == Outcome::RejectedContextLimit);
  CHECK(o.of.at(1).request.output_tokens == 1);
  CHECK(o.of.at(2).request.output_tokens == 10);
  CHECK(o.of.at(3).request.output_tokens == 10);
  CHECK(o.result.requests.truncated == 2);
  CHECK(o.result.requests.rejected_context_limit == 1);
  CHECK(o.result.requests.completed == 4);
  CHECK(o.result.answers_tokens == 22);
}

// 100 tokens on two ranks, blocks of 10, 5 held besides: 100 / 2 - 5 - 10 = 35.
TEST_CASE("The longest sequence is what one rank holds", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 100;
  config.pools[0].ranks = 2;
  config.pools[0].block_tokens = 10;
  config.pools[0].kv_tokens_per_sequence = 5;
  CHECK(sequence_limit(config) == 35);
  config.context_limit_tokens = 30;
  CHECK(sequence_limit(config) == 30);
}

TEST_CASE("A full queue refuses, one place before it does not", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 1;
  config.queue_limit_requests = 2;
  const Outcomes o = serve(config, {request(0, 10, 5), request(1, 10, 5), request(2, 10, 5), request(3, 10, 5)});
  CHECK(o.of.at(2).outcome == Outcome::Completed);
  CHECK(o.of.at(3).outcome == Outcome::RejectedQueueFull);
  CHECK(o.of.at(3).end == ms(3));
  CHECK(o.result.requests.rejected_queue_full == 1);
}

// Two wait, or the first has waited 100 ms.
TEST_CASE("The waiting rule holds prompts until enough of them wait or the first has waited long enough", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.wait = {2, 0.1};
  SECTION("one alone waits its time") {
    const Outcomes o = serve(config, {request(500, 10, 1)});
    CHECK(o.of.at(0).scheduled == ms(600));
    CHECK(o.result.pools[0].held_s == Approx(0.1));
  }
  SECTION("the second lets both in") {
    const Outcomes o = serve(config, {request(500, 10, 1), request(530, 10, 1), request(800, 10, 1)});
    CHECK(o.of.at(0).scheduled == ms(530));
    CHECK(o.of.at(1).scheduled == ms(530));
    CHECK(o.of.at(2).scheduled == ms(900));
    CHECK(o.result.pools[0].held_s == Approx(0.03 + 0.1));
  }
  SECTION("beside a decoding one it waits as well, but nobody idles") {
    const Outcomes o = serve(config, {request(0, 10, 200), request(500, 10, 1)});
    CHECK(o.of.at(0).scheduled == ms(100));
    CHECK(o.of.at(1).scheduled == ms(600));          // a boundary: 110 + 49 steps of 10
    CHECK(o.result.pools[0].held_s == Approx(0.1));  // before the first
  }
  SECTION("the time held runs from the first") {
    config.pools[0].batching.wait.until_requests = 3;
    const Outcomes o = serve(config, {request(500, 10, 1), request(530, 10, 1)});
    CHECK(o.of.at(1).scheduled == ms(600));
    CHECK(o.result.pools[0].held_s == Approx(0.1));
  }
  SECTION("what arrives during a prompt step and is held when it ends") {
    const Outcomes o = serve(config, {request(0, 10, 1), request(0, 10, 1), request(5, 10, 1)});
    CHECK(o.of.at(1).scheduled == 0);
    CHECK(o.of.at(2).scheduled == ms(105));
    CHECK(o.result.pools[0].held_s == Approx(0.095));
  }
}

// Of 1,000 tokens 10 stay free: the first holds 489 + 1, which leaves 500 for the second, its first output token included.
TEST_CASE("Admission keeps one percent of the KV memory free", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 1000;
  CHECK(serve(config, {request(0, 489, 1), request(0, 499, 1)}).of.at(1).scheduled == 0);
  CHECK(serve(config, {request(0, 489, 1), request(0, 500, 1)}).of.at(1).scheduled == ms(10));
  config.pools[0].kv_tokens_per_sequence = 1;
  CHECK(serve(config, {request(0, 489, 1), request(0, 498, 1)}).of.at(1).scheduled == 0);
}

// Blocks of 64: 63 + 1 tokens take one, so two of them take 128, and one token of 129 stays free.
TEST_CASE("KV memory is given out in whole blocks", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].block_tokens = 64;
  config.pools[0].kv_tokens = 129;
  CHECK(serve(config, {request(0, 63, 1), request(0, 63, 1)}).of.at(1).scheduled == 0);
  config.pools[0].kv_tokens = 128;
  CHECK(serve(config, {request(0, 63, 1), request(0, 63, 1)}).of.at(1).scheduled == ms(10));
  config.pools[0].kv_tokens = 180;
  CHECK(serve(config, {request(0, 64, 1), request(0, 10, 1)}).of.at(1).scheduled == ms(10));  // 128 + 64
}

// Blocks of 8: the prompt and its first token take 16 for 10 ms; then 11 + 5 of padding, growing to 18: 17 for 20 ms.
TEST_CASE("Held KV memory counts the rest of the block", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].block_tokens = 8;
  CHECK(serve(config, {request(0, 10, 3)}).result.pools[0].kv_token_s == Approx(0.500));
  config.pools[0].kv_tokens_per_sequence = 4;
  CHECK(serve(config, {request(0, 10, 3)}).result.pools[0].kv_token_s == Approx(0.580));  // 4 while it decodes
}

// 32 tokens, two requests of 10 + 10. Prompts 0-10; contexts 11 + 11 grow to 16 + 16 at 60 ms: full. B, the younger, gives
// its 16 back. A goes on alone, 4 steps, to 100 ms. B's prompt and answer so far, 16 tokens, are computed again in a step
// that also gives its seventh token, at 110; three steps more: 140 ms.
TEST_CASE("When KV memory is full the youngest is computed again, and no token is lost or made twice", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 32;
  const Outcomes o = serve(config, {request(0, 10, 10), request(0, 10, 10)});
  CHECK(o.of.at(0).end == ms(100));
  CHECK(o.of.at(0).preemptions == 0);
  CHECK(o.of.at(1).end == ms(140));
  CHECK(o.of.at(1).preemptions == 1);
  CHECK(o.of.at(1).first_token == ms(10));
  CHECK(o.of.at(1).scheduled == 0);
  const ServiceResult& r = o.result;
  CHECK(r.requests.preemptions == 1);
  CHECK(r.pools[0].prompt_tokens == Approx(36));
  CHECK(r.input_computed_tokens == 20);
  CHECK(r.output_tokens == Approx(20));
  CHECK(r.itl.histogram().count() == 18);
  CHECK(r.itl.histogram().max() == ms(50));  // from 60 to 110
  CHECK(r.itl.histogram().mean() == Approx((90e6 + 130e6) / 18));
}

// As above with 4 of each prompt cached: they need not be computed again.
TEST_CASE("A preempted prompt finds its cached prefix again, and does not wait for company", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 32;
  config.pools[0].batching.wait = {2, 1.0};
  Request a = request(0, 10, 10), b = request(0, 10, 10);
  a.cached_tokens = b.cached_tokens = 4;
  const Outcomes o = serve(config, {a, b});
  CHECK(o.result.pools[0].prompt_tokens == Approx(6 + 6 + 12));
  CHECK(o.of.at(1).end == ms(140));
}

// A third request waits from 20 ms on; the preempted second goes before it.
TEST_CASE("A preempted sequence goes before those that never ran", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 32;
  const Outcomes o = serve(config, {request(0, 10, 10), request(0, 10, 10), request(20, 10, 10)});
  CHECK(o.of.at(1).end <= ms(160));
  CHECK(o.of.at(2).scheduled >= ms(100));
  CHECK(o.of.at(2).end > o.of.at(1).end);
  CHECK(o.result.output_tokens == Approx(30));
}

// A prompt of 100, 20 cached, in chunks of 50 and 30. Attended: 21 + ... + 70 = 2,275 and 71 + ... + 100 = 2,565; with a
// cap of 60: 21 + ... + 60 + 10 * 60 = 2,220 and 30 * 60 = 1,800. Earlier tokens: 20, then 70.
TEST_CASE("Chunks of a prompt attend to what was there before them", "[sim]") {
  RecordingTimer timer;
  timer.cap = 60;
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_tokens_per_step = 50;
  Request r = request(0, 100, 1);
  r.cached_tokens = 20;
  serve(config, {r});
  REQUIRE(timer.prompts.size() == 2);
  CHECK(timer.prompts[0].tokens == 50);
  CHECK(timer.prompts[0].attended_tokens == 2275);
  CHECK(timer.prompts[0].capped_attended_tokens == 2220);
  CHECK(timer.prompts[0].reexpanded_tokens == 20);
  CHECK(timer.prompts[0].finishing == 0);
  CHECK(timer.prompts[1].tokens == 30);
  CHECK(timer.prompts[1].attended_tokens == 2565);
  CHECK(timer.prompts[1].capped_attended_tokens == 1800);
  CHECK(timer.prompts[1].reexpanded_tokens == 70);
  CHECK(timer.prompts[1].finishing == 1);
}

// Two ranks with 50 tokens each: prompts of 40, 20 and 20. The second and the third share the second rank: 40 each.
// Attended: 820 on the first rank, 210 + 210 on the second.
TEST_CASE("Prompts go to the emptiest rank, and the fullest rank is told to the timer", "[sim]") {
  RecordingTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].ranks = 2;
  config.pools[0].batching.max_tokens_per_step = 100;
  serve(config, {request(0, 40, 1), request(0, 20, 1), request(0, 20, 1)});
  REQUIRE(timer.prompts.size() == 1);
  CHECK(timer.prompts[0].tokens == 80);
  CHECK(timer.prompts[0].sequences == 3);
  CHECK(timer.prompts[0].finishing == 3);
  CHECK(timer.prompts[0].fullest_rank_tokens == 40);
  CHECK(timer.prompts[0].fullest_rank_attention == 820);
}
