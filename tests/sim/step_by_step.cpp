// The proof of the fast way: stepping one by one must give the same service as leaping.
#include <map>

#include "support/catch.hpp"
#include "support/trivial_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct Recorder final : Observer {
  std::map<std::uint64_t, RequestRecord> requests;
  std::int64_t decode_steps = 0;
  void request_ended(const RequestRecord& r) override { requests[r.request.id] = r; }
  void run_ended(const RunRecord& r) override { decode_steps += r.steps; }
};

/// Steps that take longer with the batch, its contexts and the prompts that share them.
LinearTimer growing_timer() {
  LinearTimer timer;
  timer.per_sequence_s = 3e-5;
  timer.per_context_s = 2e-8;
  timer.per_prompt_token_s = 1e-5;
  return timer;
}

ServiceConfig base_config(const LinearTimer& timer) {
  ServiceConfig config;
  PoolConfig pool = mixed_pool(timer);
  pool.instances = 2;
  pool.batching.max_sequences = 40;
  pool.batching.max_tokens_per_step = 700;
  config.pools = {pool};
  config.measure.requests = 3000;
  config.measure.warm_up_requests = 100;
  return config;
}

PoissonSource requests(std::uint64_t seed, double rate) {
  return PoissonSource(seed, rate, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(400 * random.exponential());
    r.output_tokens = 1 + static_cast<std::int64_t>(150 * random.exponential());
  });
}

void compare(ServiceConfig config, double rate) {
  Recorder leap, step;
  auto source = requests(5, rate);
  config.observer = &leap;
  const ServiceResult fast = simulate(config, source);
  auto again = requests(5, rate);
  config.observer = &step;
  config.step_by_step = true;
  const ServiceResult slow = simulate(config, again);

  CHECK(leap.decode_steps == step.decode_steps);
  CHECK(fast.requests.completed == slow.requests.completed);
  CHECK(fast.requests.preemptions == slow.requests.preemptions);
  REQUIRE(leap.requests.size() == step.requests.size());
  SimTime worst = 0;
  for (const auto& [id, record] : leap.requests) {
    worst = std::max(worst, std::abs(record.end - step.requests.at(id).end));
    worst = std::max(worst, std::abs(record.first_token - step.requests.at(id).first_token));
  }
  CHECK(worst <= 2);  // nanoseconds: rounding of a boundary to the clock
  // A run that straddles an edge of the window counts by its share of time: up to a run's tokens of difference.
  CHECK(fast.output_tokens == Approx(slow.output_tokens).epsilon(1e-6));
  CHECK(fast.pools[0].busy_s == Approx(slow.pools[0].busy_s).epsilon(1e-9));
  CHECK(fast.pools[0].sequence_s == Approx(slow.pools[0].sequence_s).epsilon(1e-9));
  CHECK(fast.itl.histogram().mean() == Approx(slow.itl.histogram().mean()).epsilon(1e-4));
}

}  // namespace

TEST_CASE("Leaping and stepping agree to the nanosecond when step times grow with the context", "[sim]") {
  LinearTimer timer = growing_timer();
  compare(base_config(timer), 30);
}

TEST_CASE("Leaping and stepping agree when the timer's runs end early", "[sim]") {
  LinearTimer timer = growing_timer();
  timer.longest_run = 7;
  compare(base_config(timer), 25);
}

TEST_CASE("Leaping and stepping agree across a sliding window", "[sim]") {
  LinearTimer timer;
  timer.per_context_s = 1e-9;
  timer.per_capped_s = 3e-8;
  timer.cap = 300;
  compare(base_config(timer), 30);
}

TEST_CASE("Leaping and stepping agree when KV memory runs out and sequences are computed again", "[sim]") {
  LinearTimer timer = growing_timer();
  ServiceConfig config = base_config(timer);
  config.pools[0].kv_tokens = 7000;
  config.pools[0].block_tokens = 16;
  compare(config, 60);
  auto source = requests(5, 60);
  CHECK(simulate(config, source).requests.preemptions > 10);  // or the case tests nothing
}

TEST_CASE("Leaping and stepping agree with prefill-only steps and a waiting rule", "[sim]") {
  LinearTimer timer = growing_timer();
  ServiceConfig config = base_config(timer);
  config.pools[0].batching.policy = BatchPolicy::PrefillFirst;
  config.pools[0].batching.wait = {5, 0.2};
  compare(config, 30);
}

TEST_CASE("Leaping and stepping agree when steps are decided ahead, also when KV memory runs out", "[sim]") {
  LinearTimer timer = growing_timer();
  ServiceConfig config = base_config(timer);
  config.pools[0].batching.schedules_ahead = true;
  compare(config, 30);
  config.pools[0].kv_tokens = 7000;
  config.pools[0].block_tokens = 16;
  compare(config, 60);
}

TEST_CASE("Leaping and stepping agree when arrivals are looked for now and then, also when KV memory runs out", "[sim]") {
  LinearTimer timer = growing_timer();
  ServiceConfig config = base_config(timer);
  config.pools[0].batching.poll_steps = 7;
  for (const BatchPolicy policy : {BatchPolicy::ChunkedMixed, BatchPolicy::PrefillFirst}) {
    config.pools[0].batching.policy = policy;
    config.pools[0].kv_tokens = 1'000'000;
    compare(config, 30);
    config.pools[0].kv_tokens = 7000;
    config.pools[0].block_tokens = 16;
    compare(config, 60);
  }
}

TEST_CASE("Leaping and stepping agree when finished sequences keep their places, also when KV memory runs out", "[sim]") {
  LinearTimer timer = growing_timer();
  for (const bool ahead : {false, true}) {
    ServiceConfig config = base_config(timer);
    config.pools[0].batching.releases_late = true;
    config.pools[0].batching.schedules_ahead = ahead;
    config.pools[0].batching.max_sequences = 12;
    compare(config, 30);
    config.pools[0].kv_tokens = 7000;
    config.pools[0].block_tokens = 16;
    compare(config, 60);
  }
}

TEST_CASE("Leaping and stepping agree when prompts wait for company, also when KV memory runs out", "[sim]") {
  LinearTimer timer = growing_timer();
  for (const int ranks : {1, 2}) {
    for (const bool ahead : {false, true}) {
      ServiceConfig config = base_config(timer);
      PoolConfig& pool = config.pools[0];
      pool.ranks = ranks;
      pool.batching.schedules_ahead = ahead;
      if (ranks > 1) pool.batching.rank_balance_wait = RankBalanceWait{30, 3};
      else pool.batching.batch_wait = BatchWait{30, 0.5};
      compare(config, 30);
      pool.kv_tokens = 7000 * ranks;
      pool.block_tokens = 16;
      compare(config, 60);
    }
  }
}

// With drafts the fast way draws the number of steps at admission and lets the context grow by its expectation.
TEST_CASE("With multi-token prediction leaping agrees with stepping in the means and the 99th percentile", "[sim]") {
  LinearTimer timer = growing_timer();
  ServiceConfig config = base_config(timer);
  config.pools[0].mtp = {2, {0.8, 0.6}};
  config.measure.requests = 40'000;
  auto source = requests(6, 60);
  const ServiceResult fast = simulate(config, source);
  auto again = requests(6, 60);
  config.step_by_step = true;
  const ServiceResult slow = simulate(config, again);
  CHECK(fast.tpot.histogram().mean() == Approx(slow.tpot.histogram().mean()).epsilon(0.005));
  CHECK(fast.e2e.histogram().mean() == Approx(slow.e2e.histogram().mean()).epsilon(0.005));
  CHECK(fast.e2e.histogram().quantile(0.99) == Approx(slow.e2e.histogram().quantile(0.99)).epsilon(0.01));
  CHECK(fast.pools[0].decode_steps == Approx(slow.pools[0].decode_steps).epsilon(0.005));
}
