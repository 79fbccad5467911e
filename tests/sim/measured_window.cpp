// What is inside the measured window and what is not.
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

ServiceConfig window_of(const StepTimer& timer, double from_ms, double length_ms) {
  ServiceConfig config = one_instance(timer);
  config.measure.warm_up_s = from_ms * 1e-3;
  config.measure.duration_s = length_ms * 1e-3;
  return config;
}

}  // namespace

// Steps of 10 ms from 10 ms on, one run of 99. The window, 15 to 35 ms, holds two of them.
TEST_CASE("Only the part of a run inside the window counts", "[sim]") {
  const LinearTimer timer = ten_ms();
  const ServiceResult r = serve(window_of(timer, 15, 20), {request(0, 10, 100)}).result;
  CHECK(r.measured_s == Approx(0.020));
  CHECK(r.pools[0].provisioned_s == Approx(0.020));
  CHECK(r.pools[0].busy_s == Approx(0.020));
  CHECK(r.pools[0].decode_steps == Approx(2));
  CHECK(r.pools[0].output_tokens == Approx(2));
  CHECK(r.output_tokens == Approx(2));
  CHECK(r.itl.histogram().count() == 2);
  CHECK(r.pools[0].sequence_s == Approx(0.020));
  CHECK(r.pools[0].prompt_tokens == 0);
  CHECK(r.requests.arrived == 0);  // it arrived before
  CHECK(r.e2e.histogram().count() == 0);
}

// A prompt of 1,000 tokens takes 10 s; the window ends after 5: half of it was computed.
TEST_CASE("Of a prompt step cut by the end of the run the part before it counts", "[sim]") {
  LinearTimer timer;
  timer.fixed_s = 0;
  timer.per_prompt_token_s = 0.01;
  const ServiceResult r = serve(window_of(timer, 0, 5000), {request(0, 1000, 1)}).result;
  CHECK(r.pools[0].busy_s == Approx(5));
  CHECK(r.pools[0].prefill_s == Approx(5));
  CHECK(r.pools[0].steps == Approx(0.5));
  CHECK(r.pools[0].prompt_tokens == Approx(500));
  CHECK(r.requests.unfinished == 1);
  CHECK(r.input_computed_tokens == 0);  // of prompts that ended
}

// A's first token at 20, second at 30; then a step of 100 ms that also computes B's prompt, half of it before 80 ms.
TEST_CASE("Of a shared step cut by the end of the run the part before it counts", "[sim]") {
  LinearTimer timer = ten_ms();
  timer.per_prompt_token_s = 0.001;
  const ServiceResult r = serve(window_of(timer, 0, 80), {request(0, 10, 100), request(25, 90, 5)}).result;
  CHECK(r.output_tokens == Approx(2.5));
  CHECK(r.pools[0].decode_steps == Approx(1.5));
  CHECK(r.pools[0].prompt_tokens == Approx(10 + 45));
  CHECK(r.pools[0].decode_s == Approx(0.010 + 0.005));
  CHECK(r.pools[0].busy_s == Approx(0.080));
}

// Prompt 0-10, the only other token at 20: outside a window that ends there, inside one that begins there.
TEST_CASE("A token at the start of the window is in it, one at its end is not", "[sim]") {
  const LinearTimer timer = ten_ms();
  const std::vector<Request> one = {request(0, 10, 1)};
  CHECK(serve(window_of(timer, 10, 10), one).result.output_tokens == 1);
  CHECK(serve(window_of(timer, 0, 10), one).result.output_tokens == 0);
  CHECK(serve(window_of(timer, 0, 10), one).result.requests.unfinished == 1);
  CHECK(serve(window_of(timer, 0, 11), one).result.requests.completed == 1);
}

TEST_CASE("Requests of the warm-up are served and not measured", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.measure.warm_up_requests = 1;
  config.measure.requests = 2;
  const Outcomes o = serve(config, {request(0, 10, 5), request(20, 10, 5), request(100, 10, 3), request(200, 10, 5)});
  CHECK_FALSE(o.of.at(0).measured);
  CHECK(o.of.at(1).measured);
  CHECK(o.of.at(2).measured);
  CHECK(o.of.count(3) == 0);  // nobody arrives after the last measured one
  CHECK(o.result.requests.arrived == 2);
  CHECK(o.result.requests.completed == 2);
  CHECK(o.result.answers == 2);
  CHECK(o.result.answers_tokens == 8);
  CHECK(o.result.measured_s == Approx(0.130 - 0.020));
}

// A: first token after 20 ms, 10 ms a token. One token has no speed. A refused one misses everything.
TEST_CASE("Bounds are judged just inside and just outside", "[sim]") {
  LinearTimer timer = ten_ms();
  timer.per_prompt_token_s = 0.0001;
  ServiceConfig config = one_instance(timer);
  config.measure.slo_ttft_s = 0.020;
  config.measure.slo_interactivity_tok_s = 100;
  config.context_limit_tokens = 1000;
  const auto judge = [&] {
    return serve(config, {request(0, 100, 11), request(500, 100, 1), request(900, 2000, 11)}).result;
  };
  ServiceResult r = judge();
  CHECK(r.judged_ttft == 3);
  CHECK(r.met_ttft == 2);
  CHECK(r.judged_interactivity == 2);
  CHECK(r.met_interactivity == 1);
  CHECK(r.judged_all == 3);
  CHECK(r.met_all == 2);
  config.measure.slo_ttft_s = 0.0199;
  r = judge();
  CHECK(r.met_ttft == 0);
  CHECK(r.met_interactivity == 1);
  CHECK(r.met_all == 0);
  config.measure.slo_ttft_s = 0;
  config.measure.slo_interactivity_tok_s = 100.1;
  r = judge();
  CHECK(r.judged_ttft == 0);
  CHECK(r.met_interactivity == 0);
  CHECK(r.judged_all == 2);
}

TEST_CASE("Unfinished requests miss every bound", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = window_of(timer, 0, 50);
  config.measure.slo_ttft_s = 1;
  const ServiceResult r = serve(config, {request(0, 10, 3), request(0, 10, 100)}).result;
  CHECK(r.judged_ttft == 2);
  CHECK(r.met_ttft == 1);
}

// One latency in each of two batches: means 10 and 30, s^2 = 200, half-width t(1) sqrt(200 / 2) = 12.706 * 10.
TEST_CASE("The interval of a mean comes from the means of batches", "[sim]") {
  LatencyMetric metric;
  metric.add(10, 0);
  metric.add(30, 19);
  metric.close();
  CHECK(metric.ci95_of_mean() == Approx(127.06).epsilon(1e-4));
  LatencyMetric one;
  one.add(10, 3);
  one.close();
  CHECK(one.ci95_of_mean() < 0);
  // Two runs alike: twice the degrees of freedom, and the mean of both has 1 / sqrt 2 of the error: t(2) 10 / sqrt 2.
  LatencyMetric other = metric;
  other.merge(metric);
  CHECK(other.ci95_of_mean() == Approx(4.30265 * 10 / std::sqrt(2.0)).epsilon(1e-4));
}

// A clock that shows 23:59:59.900 at the start; hours told apart begin at midnight, after 100 ms. Steps of 10 ms: answers of
// 5, 12 and 3 tokens end at 50, 120 and (arrived at 95) 130 ms; the first outside, the others inside.
TEST_CASE("Requests are billed by the time of day at which they end", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = window_of(timer, 0, 500);
  config.measure.hours = Measurement::Hours{24 - 0.1 / 3600, 0, 1};
  Request half_cached = request(95, 10, 3);
  half_cached.cached_tokens = 4;
  const ServiceResult r = serve(config, {request(0, 100, 5), request(0, 200, 12), half_cached}).result;
  CHECK(r.billed.input_computed == 306);
  CHECK(r.billed.input_cached == 4);
  CHECK(r.billed.output == 20);
  CHECK(r.billed_in_hours.input_computed == 206);
  CHECK(r.billed_in_hours.input_cached == 4);
  CHECK(r.billed_in_hours.output == 15);
  config.measure.warm_up_s = 0.125;  // what ended before the window is not in it
  CHECK(serve(config, {request(0, 100, 5), request(0, 200, 12), half_cached}).result.billed.output == 3);
  config.measure.hours.reset();
  CHECK(serve(config, {request(0, 100, 5)}).result.billed.output == 0);
}
