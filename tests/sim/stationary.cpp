// Runs that begin in the stationary state.
#include "support/catch.hpp"
#include "support/one_service.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct FixedLaw final : LengthLaw {
  Lengths lengths;
  explicit FixedLaw(Lengths l) : lengths(l) {}
  Lengths draw(RandomStream&) const override { return lengths; }
};

/// Exponential lengths, means 200 and 500.
struct ExponentialLaw final : LengthLaw {
  Lengths draw(RandomStream& random) const override {
    Lengths l;
    l.input = 1 + static_cast<std::int64_t>(200 * random.exponential());
    l.output = 1 + static_cast<std::int64_t>(500 * random.exponential());
    return l;
  }
};

LengthStatistics hundred_steps() {
  LengthStatistics lengths;
  lengths.mean_input = 500;
  lengths.mean_output = 101;
  lengths.kv_per_output_token = 1000;
  return lengths;
}

PoolConfig decode_pool(const StepTimer& timer) {
  PoolConfig pool = mixed_pool(timer);
  pool.role = PoolRole::Decode;
  pool.batching.max_sequences = 90;
  return pool;
}

}  // namespace

// T(n) = 10 ms + 1 us * 1,000 n; 100 steps an answer. One request a second: n = 100 (0.01 + 0.001 n), n = 1 / 0.9.
// 90 sequences give 90 / (100 * 0.1) = 9 requests/s and no more.
TEST_CASE("The stationary batch is the fixed point of load and step time", "[sim]") {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  timer.per_context_s = 1e-6;
  PoolConfig pool = decode_pool(timer);
  const StationaryBatch one = stationary_batch(pool, hundred_steps(), 1);
  CHECK(one.sequences == Approx(1 / 0.9).epsilon(1e-4));
  CHECK(one.step.value() == Approx(0.01 + 0.001 / 0.9).epsilon(1e-4));
  CHECK_FALSE(one.saturated);
  CHECK_FALSE(stationary_batch(pool, hundred_steps(), 8.9).saturated);
  CHECK(stationary_batch(pool, hundred_steps(), 9.1).saturated);
  CHECK(stationary_batch(pool, hundred_steps(), 9.1).sequences == 90);
  // Memory for 50 sequences of 1,000 tokens, half a block of 64 and 200 besides: 50 / (100 * 0.06) = 8.33.
  pool.kv_tokens = 50 * (1000 + 32 + 200);
  pool.kv_tokens_per_sequence = 200;
  CHECK_FALSE(stationary_batch(pool, hundred_steps(), 8.3).saturated);
  CHECK(stationary_batch(pool, hundred_steps(), 8.4).saturated);
}

// In a mixed pool prompts of 500 tokens at 20 us each add 10 ms to a step of 10 ms. 10 requests/s: a share x of the steps
// carries one, x = 10 * step, step = 10 + 10 x ms: step = 10 / 0.9 ms, and n = 10 * 100 * step = 11.11.
TEST_CASE("Prompts lengthen the steps that carry them, and only those", "[sim]") {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  timer.per_prompt_token_s = 2e-5;
  PoolConfig pool = decode_pool(timer);
  pool.role = PoolRole::Mixed;
  const StationaryBatch batch = stationary_batch(pool, hundred_steps(), 10);
  CHECK(batch.step.value() == Approx(0.010 / 0.9).epsilon(1e-4));
  CHECK(batch.sequences == Approx(11.111).epsilon(1e-3));
}

// Prompts of 500 tokens that read at most 100 each: 50,000 at 0.1 us are 5 ms. 10 requests/s: step = 10 / (1 - 0.05) ms.
TEST_CASE("Prompts read no further than the timer's cap in the stationary state either", "[sim]") {
  struct WindowTimer final : StepTimer {
    Seconds step(const DecodeLoad&, const PrefillLoad& p) const override {
      return Seconds{0.010 + 1e-7 * p.capped_attended_tokens};
    }
    LinearRun run(const DecodeLoad&, const DecodeGrowth&) const override { return {0.010, 0, 1e18}; }
    std::int64_t context_cap() const override { return 100; }
  };
  const WindowTimer timer;
  PoolConfig pool = decode_pool(timer);
  pool.role = PoolRole::Mixed;
  CHECK(stationary_batch(pool, hundred_steps(), 10).step.value() == Approx(0.010 / 0.95).epsilon(1e-4));
}

// T = 5 ms + 2 us n; 400 requests/s of 500 steps: n = 200,000 T = 1,000 + 0.4 n, so n = 1,667 and T = 8.33 ms. The window,
// 3 s, is shorter than an answer of 4.
TEST_CASE("A stationary start is stationary: batch, speed, completions and output", "[sim]") {
  LinearTimer timer;
  timer.fixed_s = 5e-3;
  timer.per_sequence_s = 2e-6;
  const ExponentialLaw law;
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 10'000;
  config.measure.duration_s = 3;
  config.stationary = StationaryStart{&law, 400};
  PoissonSource source(21, 400, [&](RandomStream& random, Request& r) {
    const Lengths l = law.draw(random);
    r.input_tokens = l.input;
    r.output_tokens = l.output;
  });
  const ServiceResult r = simulate(config, source);
  CHECK(r.pools[0].sequence_s / r.measured_s == Approx(1667).epsilon(0.04));
  CHECK(r.pools[0].busy_s / r.pools[0].steps == Approx(8.33e-3).epsilon(0.015));
  CHECK(r.tpot.histogram().mean() == Approx(8.33e6).epsilon(0.02));
  CHECK(static_cast<double>(r.answers) / 3 == Approx(400).epsilon(0.10));
  CHECK(r.output_tokens / 3 == Approx(400 * 500).epsilon(0.04));
  CHECK(r.e2e.histogram().count() == 0);
  CHECK(r.requests.arrived == r.requests.completed + r.requests.rejected() + r.requests.unfinished);
}

TEST_CASE("Answers of one token leave no residents", "[sim]") {
  LinearTimer timer;
  const FixedLaw law({10, 0, 1, 0});
  ServiceConfig config = one_instance(timer);
  config.measure.duration_s = 1e-3;
  config.stationary = StationaryStart{&law, 1000};
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {  // one in some thousand would draw a resident
    config.seed = seed;
    ListSource source;
    source.requests = {request(0, 10, 1)};
    const ServiceResult r = simulate(config, source);
    if (r.pools[0].sequence_s != 0) FAIL("residents of one token");
  }
}

TEST_CASE("A law seen through a limit: long prompts are drawn again, long answers cut", "[sim]") {
  RandomStream random(1, "test");
  const FixedLaw law({100, 50, 30, 20});
  const Lengths cut = TruncatedLaw(law, 110).draw(random);
  CHECK(cut.input == 100);
  CHECK(cut.cached == 50);
  CHECK(cut.output == 10);
  CHECK(cut.reasoning == 9);
  CHECK(TruncatedLaw(law, 101).draw(random).output == 1);
  CHECK(TruncatedLaw(law, 1000).draw(random).output == 30);
  CHECK(TruncatedLaw(law, 110).representative(7, random).size() == 7);
}

TEST_CASE("A limit that no prompt fits is an answer, not an endless search", "[sim]") {
  RandomStream random(1, "test");
  const FixedLaw law({100, 0, 30, 0});
  CHECK_THROWS_AS(TruncatedLaw(law, 100).draw(random), Infeasible);
  CHECK_THROWS_AS(TruncatedLaw(law, 100).representative(10, random), Infeasible);
}
