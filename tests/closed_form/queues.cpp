// Queueing theory from the same engine with a trivial step timer: a request of one output token is one prompt step, so
// an instance with one slot is a single server whose service time is that step.
#include <cmath>

#include "support/catch.hpp"
#include "support/trivial_service.hpp"
#include "tokenomics/sim/service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr double kTokenSeconds = 1e-6;  // prompt tokens stand for microseconds of service

LinearTimer server() {
  LinearTimer timer;
  timer.fixed_s = 0;
  timer.per_prompt_token_s = kTokenSeconds;
  return timer;
}

ServiceResult queue(double rate, int servers, const std::function<void(RandomStream&, Request&)>& lengths,
                    std::uint64_t requests, std::uint64_t seed, RouterPolicy router = RouterPolicy::LeastLoaded) {
  const LinearTimer timer = server();
  ServiceConfig config;
  PoolConfig pool = mixed_pool(timer);
  pool.instances = servers;
  pool.batching.max_sequences = 1;
  config.pools = {pool};
  config.router = router;
  config.measure.warm_up_requests = requests / 20;
  config.measure.requests = requests;
  PoissonSource source(seed, rate, lengths);
  return simulate(config, source);
}

void deterministic(RandomStream&, Request& r) {
  r.input_tokens = 1'000'000;
  r.output_tokens = 1;
}

void exponential(RandomStream& random, Request& r) {
  r.input_tokens = 1 + static_cast<std::int64_t>(1e6 * random.exponential());
  r.output_tokens = 1;
}

}  // namespace

// Pollaczek-Khinchine: Wq = rho / (2 (1 - rho)) * service for D; rho = 0.8: 0.8 / 0.4 = 2 s. The standard error of the
// mean with two million requests is about 0.3%, so 1% cannot hide a 2% error.
TEST_CASE("M/D/1: the mean wait is that of Pollaczek and Khinchine", "[closed_form]") {
  const ServiceResult r = queue(0.8, 1, deterministic, 2'000'000, 11);
  INFO("wait " << r.queue_wait.histogram().mean() * 1e-9 << " +- " << r.queue_wait.ci95_of_mean() * 1e-9);
  CHECK(r.queue_wait.histogram().mean() * 1e-9 == Approx(2.0).epsilon(0.015));
  CHECK(r.queue_wait.ci95_of_mean() * 1e-9 < 0.03);
}

// M/M/1 at rho = 0.7: Wq = 0.7 / 0.3 = 2.3333 s; time in system 1 / 0.3 = 3.3333 s, exponential: p90 = ln(10) / 0.3 = 7.675
// s.
TEST_CASE("M/M/1: mean wait, mean and 90th percentile of the time in system", "[closed_form]") {
  const ServiceResult r = queue(0.7, 1, exponential, 3'000'000, 12);
  INFO("wait " << r.queue_wait.histogram().mean() * 1e-9 << " +- " << r.queue_wait.ci95_of_mean() * 1e-9);
  CHECK(r.queue_wait.histogram().mean() * 1e-9 == Approx(2.33333).epsilon(0.015));
  CHECK(r.e2e.histogram().mean() * 1e-9 == Approx(3.33333).epsilon(0.012));
  CHECK(r.e2e.histogram().quantile(0.9) * 1e-9 == Approx(7.67528).epsilon(0.012));
}

// M/D/1 with batches taken by whoever is free is not M/M/c; M/M/c needs one queue. A single instance with c slots whose
// sequences do not slow each other down serves c at once from one queue: decode steps of 1 ms, answers of exponential
// length, prompt for free. c = 4, rho = 0.8: Erlang C = 0.5964, Wq = C / (c mu - lambda) = 0.5964 / 0.8 = 0.7455 services.
TEST_CASE("M/M/4: Erlang's C gives the mean wait for a slot", "[closed_form]") {
  LinearTimer timer;
  timer.fixed_s = 1e-3;
  ServiceConfig config;
  PoolConfig pool = mixed_pool(timer);
  pool.batching.max_sequences = 4;
  config.pools = {pool};
  config.measure.warm_up_requests = 20'000;
  config.measure.requests = 600'000;
  // Answers of geometric length with mean 1,000 steps and one token from the prompt step: 1 s of service.
  PoissonSource source(13, 3.2, [](RandomStream& random, Request& r) {
    r.input_tokens = 1;
    r.output_tokens = 2 + static_cast<std::int64_t>(std::floor(random.exponential() / -std::log(1 - 1e-3)));
  });
  const ServiceResult r = simulate(config, source);
  // A prompt step of 1 ms halts nobody here (it shares the decode step); half a step of waiting for the boundary is added.
  INFO("wait " << r.queue_wait.histogram().mean() * 1e-9 << " +- " << r.queue_wait.ci95_of_mean() * 1e-9);
  CHECK(r.queue_wait.histogram().mean() * 1e-9 == Approx(0.7455).epsilon(0.02));
}

// Little: mean number decoding = rate of completions * mean decode time, whatever the timer.
TEST_CASE("Little's law holds for the decode batch", "[closed_form]") {
  LinearTimer timer;
  timer.per_sequence_s = 2e-5;
  timer.per_context_s = 1e-9;
  ServiceConfig config;
  PoolConfig pool = mixed_pool(timer);
  pool.instances = 3;
  pool.batching.max_sequences = 1000;
  config.pools = {pool};
  config.measure.warm_up_s = 200;
  config.measure.duration_s = 5000;
  PoissonSource source(14, 60, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(500 * random.exponential());
    r.output_tokens = 2 + static_cast<std::int64_t>(300 * random.exponential());
  });
  const ServiceResult r = simulate(config, source);
  const double completions = static_cast<double>(r.answers) / r.measured_s;
  const double decode_s = (r.e2e.histogram().mean() - r.ttft.histogram().mean()) * 1e-9;
  CHECK(r.pools[0].sequence_s / r.measured_s == Approx(completions * decode_s).epsilon(0.01));
}
