// Requests that wait for a place in a decode pool: what their first tokens contain, and who is held up by it.
#include <algorithm>

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

/// One prefill instance, decode instances of one place each; KV is sent in 2 ms and 0.05 ms a token.
ServiceConfig single_places(const StepTimer& timer, int instances, KvTransfer::Start start) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].role = PoolRole::Prefill;
  config.pools.push_back(config.pools[0]);
  config.pools[1].role = PoolRole::Decode;
  config.pools[1].instances = instances;
  config.pools[1].batching.max_sequences = 1;
  config.kv_transfer = {Seconds{0.002}, Seconds{0.00005}, 1, start};
  return config;
}

/// Users who ask again as soon as they have their answer: 100 tokens, and between `shortest` and 100 of the answer.
struct Loop final : RequestSource {
  std::vector<Request> waiting;
  RandomStream lengths{1, "answers"};
  std::int64_t shortest;
  std::uint64_t id = 0;

  Loop(int users, std::int64_t shortest_answer) : shortest(shortest_answer) {
    for (int i = 0; i < users; ++i) waiting.push_back(request(0, 100, 100));
  }
  SimTime next_arrival() const override { return waiting.empty() ? kNever : waiting.front().arrival; }
  Request take() override {
    Request r = waiting.front();
    waiting.erase(waiting.begin());
    r.id = id++;
    r.output_tokens = shortest + static_cast<std::int64_t>(lengths.below(static_cast<std::uint64_t>(101 - shortest)));
    return r;
  }
  void ended(const Request& r, SimTime now) override {
    waiting.push_back(r);
    waiting.back().arrival = now;
  }
};

ServiceResult loop(ServiceConfig config, int users, std::int64_t shortest_answer = 100) {
  config.measure.warm_up_requests = 100;
  config.measure.requests = 1000;
  config.measure.drain = true;
  Loop source(users, shortest_answer);
  return simulate(config, source);
}

double mean_ms(const LatencyMetric& metric) { return metric.histogram().mean() * 1e-6; }

}  // namespace

// Two prompts of 100 tokens, one a step: A 0-20, B 20-40. A's KV leaves at 20, is there at 27, its tokens at 38 and 49.
// Pulled, B waits for A's place until 49, its KV leaves then: queue 20 + prefill 20 + place 9 + transfer 7. Pushed, its KV
// is there at 47 and waits two more.
TEST_CASE("A first token is prefill's queue, prefill, the wait for a decode place and the transfer", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const auto start : {KvTransfer::Start::OnDecodePlace, KvTransfer::Start::AfterPrefill}) {
    ServiceConfig config = single_places(timer, 1, start);
    config.pools[0].batching.max_tokens_per_step = 100;
    const bool pulls = start == KvTransfer::Start::OnDecodePlace;
    const Outcomes o = serve(config, {request(0, 100, 3), request(0, 100, 3)});
    CHECK(o.of.at(0).first_token == ms(27));
    CHECK(o.of.at(0).end == ms(49));
    CHECK(o.of.at(1).first_token == (pulls ? ms(56) : ms(49)));
    CHECK(o.of.at(1).end == o.of.at(1).first_token + ms(22));
  }
}

// B's prompt is done at 40, in the middle of A's step 38-49. At 49 the decode instance asks for the KV, which is there at
// 56, in the middle of the next step: the user has the token when B is in the batch, at 60. Two steps of 12 ms follow.
TEST_CASE("A first token is the user's at the step boundary at which the decode instance takes the request over", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = single_places(timer, 1, KvTransfer::Start::OnDecodePlace);
  config.pools[0].batching.max_tokens_per_step = 100;
  config.pools[1].batching.max_sequences = 2;
  const Outcomes o = serve(config, {request(0, 100, 9), request(0, 100, 3)});
  CHECK(o.of.at(1).first_token == ms(60));
  CHECK(o.of.at(1).end == ms(84));
}

// Two users share each of three places: an answer waits for another whole one, 99 steps of 11 ms, and its own follows.
TEST_CASE("With twice as many users as decode places half of a request is waiting for one", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const RouterPolicy router : {RouterPolicy::RoundRobin, RouterPolicy::LeastLoaded}) {
    ServiceConfig config = single_places(timer, 3, KvTransfer::Start::OnDecodePlace);
    config.router_rules.decode = router;
    const ServiceResult r = loop(config, 6);
    CHECK(mean_ms(r.tpot) == Approx(11).epsilon(0.01));
    CHECK(mean_ms(r.ttft) / mean_ms(r.e2e) == Approx(0.5).margin(0.03));
    CHECK(r.requests.completed == 1000);
  }
}

// As many users as places: whoever is sent where there is room waits for nothing but prefill and KV. In turn, two meet at
// one place while another is empty, where answers differ much; users of nearly the same answers keep out of each other's
// way.
TEST_CASE("In turn, requests meet at one place while another is empty", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = single_places(timer, 3, KvTransfer::Start::OnDecodePlace);
  const auto ttft_ms = [&](RouterPolicy router, std::int64_t shortest_answer) {
    config.router_rules.decode = router;
    return mean_ms(loop(config, 3, shortest_answer).ttft);
  };
  for (const std::int64_t shortest_answer : {1, 80})  // 20 + 7, a little more where two prompts meet
    CHECK(ttft_ms(RouterPolicy::LeastLoaded, shortest_answer) == Approx(27).epsilon(0.05));
  CHECK(ttft_ms(RouterPolicy::RoundRobin, 1) > 3 * 27);
  CHECK(ttft_ms(RouterPolicy::RoundRobin, 80) < 1.5 * 27);
}

// Prefill has memory for three prompts that wait for a place, and eleven want one: it stands still until one has gone, and
// the places are never empty for longer than a hand-over takes (7 ms after some 1089).
TEST_CASE("Prefill that is full of prompts nobody has a place for goes on when there is one", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = single_places(timer, 1, KvTransfer::Start::OnDecodePlace);
  config.pools[0].kv_tokens = 310;
  const ServiceResult r = loop(config, 12);
  CHECK(r.requests.completed == 1000);
  CHECK(r.pools[1].busy_s / r.measured_s == Approx(1089.0 / 1096).epsilon(0.005));
}
