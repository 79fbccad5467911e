// What lies between a request's arrival and the router.
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

/// Users who ask again as soon as they have their answer.
struct Loop final : RequestSource {
  std::vector<Request> waiting;
  std::uint64_t id = 0;

  explicit Loop(int users) {
    for (int i = 0; i < users; ++i) waiting.push_back(request(0, 100, 3));
  }
  SimTime next_arrival() const override { return waiting.empty() ? kNever : waiting.front().arrival; }
  Request take() override {
    Request r = waiting.front();
    waiting.erase(waiting.begin());
    r.id = id++;
    return r;
  }
  void ended(const Request& r, SimTime now) override {
    waiting.push_back(r);
    waiting.back().arrival = now;
  }
};

}  // namespace

// Ready at 100: prompt 100-120, two steps of 11 ms.
TEST_CASE("The latency before the router is part of every time of a request", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.request_latency.fixed = Seconds{0.1};
  const Outcomes o = serve(config, {request(0, 100, 3)});
  CHECK(o.of.at(0).scheduled == ms(100));
  CHECK(o.of.at(0).first_token == ms(120));
  CHECK(o.of.at(0).end == ms(142));
  CHECK(o.result.ttft.histogram().mean() == Approx(120e6));
  CHECK(o.result.e2e.histogram().mean() == Approx(142e6));
}

// A's 2,000 tokens take 40 ms, those of B, which comes 10 ms later, 10 ms.
TEST_CASE("Requests reach the router in the order in which they are ready", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.request_latency.per_ktoken = Seconds{0.02};
  const Outcomes o = serve(config, {request(0, 2000, 1), request(10, 500, 1)});
  CHECK(o.of.at(1).scheduled == ms(20));
  CHECK(o.of.at(1).first_token == ms(80));
  CHECK(o.of.at(0).scheduled == ms(80));
  CHECK(o.result.requests.completed == 2);
}

// One user: 50 ms, then 20 + 2 * 11 ms; 92 ms in all, whereas without the latency it would be 42.
TEST_CASE("A user in a closed loop asks again the later", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.request_latency.fixed = Seconds{0.05};
  config.measure.requests = 10;
  config.measure.drain = true;
  Loop loop(1);
  const ServiceResult r = simulate(config, loop);
  CHECK(r.measured_s == Approx(10 * 0.092));
  CHECK(r.e2e.histogram().mean() == Approx(92e6).epsilon(0.01));
}

// The instance has one place; B waits for it from 60 on. C arrives at 20, before anybody waits, and is judged at 70.
TEST_CASE("A full queue is one that is full when the request reaches the router", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 1;
  config.queue_limit_requests = 1;
  config.request_latency.fixed = Seconds{0.05};
  const Outcomes o = serve(config, {request(0, 100, 9), request(10, 100, 1), request(20, 100, 1)});
  CHECK(o.of.at(1).outcome == Outcome::Completed);
  CHECK(o.of.at(2).outcome == Outcome::RejectedQueueFull);
  CHECK(o.of.at(2).end == ms(70));
}

// A bucket of one request, full again after 100 ms: B comes 90 ms after A and reaches the router 120 ms after it.
TEST_CASE("Admission judges when the request reaches the router", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.admission.default_bucket = TokenBucketRule{BucketUnit::Requests, 10, 1};
  const std::vector<Request> requests{request(0, 100, 1), request(90, 400, 1)};
  CHECK(serve(config, requests).result.requests.rejected_admission == 1);
  config.request_latency.per_ktoken = Seconds{0.1};
  CHECK(serve(config, requests).result.requests.rejected_admission == 0);
}

TEST_CASE("A request still on its way to the router is unfinished", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = one_instance(timer);
  config.request_latency.fixed = Seconds{0.1};
  config.measure.duration_s = 0.05;
  const Outcomes o = serve(config, {request(0, 100, 3)});
  CHECK(o.result.requests.arrived == 1);
  CHECK(o.result.requests.unfinished == 1);
}
