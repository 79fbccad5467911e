// The steady-state evaluator on step times that are simple enough to work out by hand.
#include "tokenomics/study/steady_state.hpp"

#include <rapidcheck/catch.h>

#include "support/catch.hpp"
#include "support/one_service.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr std::int64_t kNoLimit = 1'000'000;

struct FixedLaw final : LengthLaw {
  Lengths lengths;
  explicit FixedLaw(Lengths l) : lengths(l) {}
  Lengths draw(RandomStream&) const override { return lengths; }
};

/// Exponential prompts and answers, independent of each other.
struct ExponentialLaw final : LengthLaw {
  double input, output;
  ExponentialLaw(double in, double out) : input(in), output(out) {}
  [[nodiscard]] Lengths at(double a, double b) const {
    Lengths l;
    l.input = 1 + static_cast<std::int64_t>(-input * std::log(a));
    l.output = 2 + static_cast<std::int64_t>(-output * std::log(b));
    return l;
  }
  Lengths draw(RandomStream& random) const override {
    const double a = 1 - random.uniform();
    return at(a, 1 - random.uniform());
  }
  /// Every cell of a square grid of quantiles.
  [[nodiscard]] std::vector<Lengths> representative(std::size_t count, RandomStream&) const override {
    const int side = static_cast<int>(std::sqrt(static_cast<double>(count)));
    std::vector<Lengths> all;
    for (int i = 0; i < side; ++i)
      for (int j = 0; j < side; ++j) all.push_back(at((i + 0.5) / side, (j + 0.5) / side));
    return all;
  }
};

/// Answers of 101 tokens: 100 decode steps.
WorkloadSample hundred_steps() { return sample_workload(FixedLaw({900, 0, 101, 0}), kNoLimit, 1); }

/// T(n) = 10 ms + 0.1 ms n; prompts cost nothing unless told.
struct TenAndOneTenth {
  LinearTimer timer;
  PoolConfig pool;
  explicit TenAndOneTenth(PoolRole role = PoolRole::Decode, double per_prompt_token_s = 0) {
    timer.fixed_s = 0.010;
    timer.per_sequence_s = 1e-4;
    timer.per_prompt_token_s = per_prompt_token_s;
    pool = mixed_pool(timer);
    pool.role = role;
    pool.batching.max_sequences = 10'000;
  }
};

/// Steps that emit `tokens`, one with probability 1 - a and two with a: E[N(m)] = 1 + (1 - a) E[N(m - 1)] + a E[N(m - 2)].
double steps_with_one_draft(int tokens, double a) {
  double before = 0, now = 1;
  for (int m = 2; m <= tokens; ++m) before = std::exchange(now, 1 + (1 - a) * now + a * before);
  return now;
}

struct Simulated {
  double sequences = 0, tpot_s = 0, tpot_p90_s = 0;
};
Simulated simulated(const PoolConfig& pool, const LengthLaw& law, double rate_per_s, std::uint64_t requests) {
  ServiceConfig config;
  config.pools = {pool};
  config.stationary = StationaryStart{&law, rate_per_s};
  config.measure.warm_up_requests = requests / 10;
  config.measure.requests = requests;
  PoissonSource source(7, rate_per_s, [&](RandomStream& random, Request& r) {
    const Lengths l = law.draw(random);
    r.input_tokens = l.input;
    r.output_tokens = l.output;
  });
  const ServiceResult result = simulate(config, source);
  const Histogram& tpot = result.tpot.histogram();
  return {result.pools[0].sequence_s / result.pools[0].provisioned_s, tpot.mean() * 1e-9, tpot.quantile(0.9) * 1e-9};
}

/// Prefill of prompts of 1,000 tokens in 5 ms + 95 ms, one a step.
struct TenthOfASecond {
  LinearTimer timer;
  PoolConfig pool;
  TenthOfASecond() {
    timer.fixed_s = 0.005;
    timer.per_prompt_token_s = 95e-6;
    pool = mixed_pool(timer);
    pool.role = PoolRole::Prefill;
    pool.batching.policy = BatchPolicy::PrefillFirst;
    pool.batching.max_tokens_per_step = 1000;
  }
  [[nodiscard]] WorkloadSample workload(std::uint64_t seed) const {
    return sample_workload(FixedLaw({1000, 0, 101, 0}), kNoLimit, seed);
  }
  /// Averaged over independent orders of the same gaps.
  [[nodiscard]] double mean_s(double rate_per_s, const DecodeState* decode = nullptr) const {
    constexpr int kSeeds = 64;
    double sum = 0;
    for (int seed = 1; seed <= kSeeds; ++seed)
      sum += first_tokens(pool, workload(static_cast<std::uint64_t>(seed)), rate_per_s, decode).mean_s;
    return sum / kSeeds;
  }
};

}  // namespace

// Prompts of 900 tokens and answers of 101: contexts from 900 to 1,001 as they decode, 950.5 in the mean; E[c^2] =
// 900^2 + 900 x 101 + 101^2 / 3 = 904,300.33 = 1.0009410 x 950.5^2.
TEST_CASE("A sample of fixed lengths has their moments", "[study]") {
  const WorkloadSample sample = hundred_steps();
  CHECK(sample.mean.mean_output == 101);
  CHECK(sample.mean.kv_per_output_token == Approx(950.5).epsilon(1e-12));
  CHECK(sample.kv_variation == Approx(1.0009410).epsilon(1e-7));
  CHECK(sample.computed_variation == Approx(1).epsilon(1e-12));
  CHECK(sample.mean_prompt.computed == Approx(900).epsilon(1e-12));
  CHECK(sample.mean_prompt.attended == Approx(900 * 901 / 2).epsilon(1e-12));
  CHECK(sample.tokens_after.front() == 100);
  CHECK(sample.rejected_share == 0);
  CHECK(sample.truncated_share == 0);
  double gaps = 0;
  for (const double gap : sample.gaps) gaps += gap;
  CHECK(gaps / static_cast<double>(sample.gaps.size()) == Approx(1).epsilon(1e-9));
}

// Prompts of 100 or 300 in equal parts, 50 of output. A limit of 120 rejects the long and cuts all others to 20.
TEST_CASE("A sample counts what the context limit rejects and cuts", "[study]") {
  struct TwoPrompts final : LengthLaw {
    Lengths draw(RandomStream& random) const override { return {random.below(2) == 0 ? 100 : 300, 0, 50, 0}; }
  };
  const WorkloadSample sample = sample_workload(TwoPrompts(), 120, 1);
  CHECK(sample.rejected_share == Approx(0.5).margin(0.03));
  CHECK(sample.truncated_share == 1);
  CHECK(sample.mean.mean_input == 100);
  CHECK(sample.mean.mean_output == 20);
  CHECK_THROWS_AS(sample_workload(TwoPrompts(), 100, 1), Infeasible);
}

// An exponential law of mean 1,000 on a grid of quantiles: the mean of its cells' middles is 0.4% below.
TEST_CASE("A sample keeps a law's own strata, also where the limit cuts", "[study]") {
  const ExponentialLaw law(1000, 100);
  RandomStream random(1, "test");
  double input = 0;
  const std::vector<Lengths> strata = law.representative(8192, random);
  for (const Lengths& l : strata) input += static_cast<double>(l.input) / static_cast<double>(strata.size());
  CHECK(input == Approx(1000).epsilon(0.005));
  CHECK(sample_workload(law, kNoLimit, 1).mean.mean_input == Approx(input).epsilon(1e-12));
  // Of prompts below 1,000 tokens the mean is 1,000 (1 - 1 / (e - 1)) = 418.
  const WorkloadSample cut = sample_workload(law, 1000, 1);
  CHECK(cut.mean.mean_input == Approx(418).epsilon(0.01));
  CHECK(cut.rejected_share == Approx(std::exp(-1)).epsilon(0.02));
  // Two requests in a hundred: the few are repeated.
  CHECK(sample_workload(law, 20, 1).prompts.size() >= 4096);
}

// 20 requests/s of 100 steps: n = 2,000 (10.1 ms + 0.1 ms n), n = 20.2 / 0.8 = 25.25; T(n + 1) = 12.625 ms.
TEST_CASE("The batch of a step time linear in it is that of processor sharing", "[study]") {
  const TenAndOneTenth service;
  const DecodeState state = decode_state(service.pool, hundred_steps(), 20);
  CHECK(state.refused == LoadLimit::None);
  CHECK(state.sequences == Approx(25.25).epsilon(1e-4));
  CHECK(state.step_s == Approx(0.012625).epsilon(1e-4));
  CHECK(state.tpot_s == Approx(0.012625).epsilon(1e-4));
  CHECK(state.prompt_share == 0);
  CHECK(state.step_slope_s == Approx(1e-4).epsilon(1e-4));
  CHECK(state.feedback == Approx(0.2).epsilon(1e-4));
}

TEST_CASE("The closed form holds at any rate, length and step time", "[study]") {
  rc::prop("n = rate m (a + b) / (1 - rate m b)", [] {
    const double a = *rc::gen::inRange(1, 100) * 1e-3, b = *rc::gen::inRange(1, 100) * 1e-5;
    const int steps = *rc::gen::inRange(1, 2000);
    const double rate = *rc::gen::inRange(1, 90) * 0.01 / (steps * b);  // rate m b < 0.9
    LinearTimer timer;
    timer.fixed_s = a;
    timer.per_sequence_s = b;
    PoolConfig pool = mixed_pool(timer);
    pool.role = PoolRole::Decode;
    pool.batching.max_sequences = std::int64_t{1} << 40;
    const WorkloadSample workload = sample_workload(FixedLaw({10, 0, steps + 1, 0}), kNoLimit, 1);
    const double n = rate * steps * (a + b) / (1 - rate * steps * b);
    const DecodeState state = decode_state(pool, workload, rate);
    RC_ASSERT(state.sequences == Approx(n).epsilon(1e-3));
    RC_ASSERT(state.tpot_s == Approx(a + b * (n + 1)).epsilon(1e-3));
  });
}

// n = 25.25, of variance 25.25 / (1 - 0.2): two deviations above are 36.49 sequences.
TEST_CASE("A load is refused where two deviations of the batch find no places", "[study]") {
  TenAndOneTenth service;
  service.pool.batching.max_sequences = 37;
  CHECK(decode_state(service.pool, hundred_steps(), 20).refused == LoadLimit::None);
  service.pool.batching.max_sequences = 36;
  CHECK(decode_state(service.pool, hundred_steps(), 20).refused == LoadLimit::Places);
  // 10 places give 10 / (100 x 11.1 ms) = 9.0 requests/s and no more.
  service.pool.batching.max_sequences = 10;
  const DecodeState full = decode_state(service.pool, hundred_steps(), 20);
  CHECK(full.refused == LoadLimit::Places);
  CHECK(full.sequences == 10);
}

// A sequence holds 950.5 tokens, half a block of 64 and 17.5 besides: 1,000. Memory, of which 1% is left alone, holds 36.49
// sequences (contexts vary little: 25.25 x 0.00094 beside 31.56) in 36.49 x 1,000 / 0.99 = 36,859 tokens.
TEST_CASE("A load is refused where two deviations of the contexts find no memory", "[study]") {
  TenAndOneTenth service;
  service.pool.block_tokens = 64;
  service.pool.kv_tokens_per_sequence = 18;
  service.pool.kv_tokens = 36'900;
  const DecodeState fits = decode_state(service.pool, hundred_steps(), 20);
  CHECK(fits.refused == LoadLimit::None);
  CHECK(fits.kv_share == Approx(25.25 * 1000.5 / 36'900).epsilon(1e-4));
  service.pool.kv_tokens = 36'850;
  CHECK(decode_state(service.pool, hundred_steps(), 20).refused == LoadLimit::KvMemory);
  service.pool.kv_tokens = 10'000;
  CHECK(decode_state(service.pool, hundred_steps(), 20).refused == LoadLimit::KvMemory);
}

// A prompt of 900 tokens at 1 us: 0.9 ms. 10 requests/s, T = 10.1 ms + 0.1 ms n + 10 T x 0.9 ms: T = (10.1 + 0.1 n) / 0.991
// ms and n = 1,000 T: n (0.991 - 0.1) = 10.1, n = 11.336.
TEST_CASE("Prompts in a mixed pool lengthen the time between decode steps by the time they take", "[study]") {
  const TenAndOneTenth service(PoolRole::Mixed, 1e-6);
  const DecodeState state = decode_state(service.pool, hundred_steps(), 10);
  CHECK(state.prompt_s == Approx(0.9e-3).epsilon(1e-6));
  CHECK(state.prompt_share == Approx(0.009).epsilon(1e-4));
  CHECK(state.sequences == Approx(11.336).epsilon(1e-3));
}

// At 0.2 ms a token a prompt takes 180 ms: 5.3 requests/s are 95.4% of the time, 5.2 are 93.6%.
TEST_CASE("A load is refused where prompts alone take nearly all the time", "[study]") {
  const TenAndOneTenth service(PoolRole::Mixed, 2e-4);
  const WorkloadSample one_step = sample_workload(FixedLaw({900, 0, 2, 0}), kNoLimit, 1);
  CHECK(decode_state(service.pool, one_step, 5.3).refused == LoadLimit::Compute);
  CHECK(decode_state(service.pool, one_step, 5.2).refused == LoadLimit::None);
}

// One draft, four of five accepted: 100 tokens take 55.8 steps (recursion above).
TEST_CASE("Accepted drafts shorten an answer's steps and with them the batch", "[study]") {
  TenAndOneTenth service;
  service.pool.mtp = {1, {0.8}};
  const double steps = steps_with_one_draft(100, 0.8);
  CHECK(steps == Approx(55.802).epsilon(1e-4));
  const double n = 20 * steps * 0.0101 / (1 - 20 * steps * 1e-4);
  const DecodeState state = decode_state(service.pool, hundred_steps(), 20);
  CHECK(state.sequences == Approx(n).epsilon(1e-3));
  CHECK(state.tpot_s == Approx((0.0101 + 1e-4 * n) * steps / 100).epsilon(1e-3));
}

TEST_CASE("Answers of one token never decode", "[study]") {
  const TenAndOneTenth service;
  const DecodeState state = decode_state(service.pool, sample_workload(FixedLaw({900, 0, 1, 0}), kNoLimit, 1), 20);
  CHECK(state.refused == LoadLimit::None);
  CHECK(state.sequences == 0);
  CHECK(state.tpot_s == 0);
}

// 40,000 requests of about 500 tokens: the batch of about 500 is sampled to half a percent.
TEST_CASE("Batch and TPOT of a linear step time are those of the simulation", "[study]") {
  TenAndOneTenth service(PoolRole::Mixed);
  service.timer.per_sequence_s = 1e-5;
  const ExponentialLaw law(200, 500);
  const double rate = 80;
  const WorkloadSample workload = sample_workload(law, kNoLimit, 1);
  const DecodeState state = decode_state(service.pool, workload, rate);
  const Simulated seen = simulated(service.pool, law, rate, 40'000);
  CHECK(state.sequences == Approx(seen.sequences).epsilon(0.015));
  CHECK(state.tpot_s == Approx(seen.tpot_s).epsilon(0.015));
  CHECK(tpot_quantile_s(service.pool, workload, rate, state, 0.9) == Approx(seen.tpot_p90_s).epsilon(0.02));
}

TEST_CASE("The slow tail of TPOT under prompts that stop the batch is that of the simulation", "[study]") {
  TenAndOneTenth service(PoolRole::Mixed, 2e-5);
  service.pool.batching.policy = BatchPolicy::PrefillFirst;
  const ExponentialLaw law(1000, 200);
  const double rate = 15;
  const WorkloadSample workload = sample_workload(law, kNoLimit, 1);
  const DecodeState state = decode_state(service.pool, workload, rate);
  const Simulated seen = simulated(service.pool, law, rate, 40'000);
  CHECK(state.tpot_s == Approx(seen.tpot_s).epsilon(0.03));
  CHECK(tpot_quantile_s(service.pool, workload, rate, state, 0.9) == Approx(seen.tpot_p90_s).epsilon(0.05));
}

// 8 ranks; a step takes 10 ms and 10 us for each prompt token of the fullest rank. A prompt alone in its step costs what it
// has itself, not an eighth: 5 ms for 500 tokens. Prompts that come together cost little more than the largest of them.
TEST_CASE("Prompts lie on ranks whole: their time is that of the fullest rank, as in the simulation", "[study]") {
  struct RankTimer final : StepTimer {
    Seconds step(const DecodeLoad&, const PrefillLoad& p) const override {
      return Seconds{0.010 + 10e-6 * p.fullest_rank_tokens};
    }
    LinearRun run(const DecodeLoad& d, const DecodeGrowth&) const override { return {step(d, {}).value(), 0, 1e18}; }
  };
  const RankTimer timer;
  PoolConfig pool = mixed_pool(timer);
  pool.ranks = 8;
  pool.batching.max_sequences = 100'000;
  const WorkloadSample equal = sample_workload(FixedLaw({500, 0, 101, 0}), kNoLimit, 1);
  CHECK(decode_state(pool, equal, 1e-3).prompt_s == Approx(0.005).epsilon(1e-4));
  const ExponentialLaw law(500, 200);
  const WorkloadSample workload = sample_workload(law, kNoLimit, 1);
  for (const double rate : {20.0, 60.0, 150.0}) {
    INFO(rate);
    CHECK(decode_state(pool, workload, rate).tpot_s == Approx(simulated(pool, law, rate, 20'000).tpot_s).epsilon(0.05));
  }
}

TEST_CASE("Quantiles of TPOT rise, and the mean lies between its tails", "[study]") {
  const TenAndOneTenth service(PoolRole::Mixed, 1e-5);
  const WorkloadSample workload = sample_workload(ExponentialLaw(500, 100), kNoLimit, 1);
  const DecodeState state = decode_state(service.pool, workload, 10);
  double before = 0;
  for (const double p : {0.01, 0.1, 0.5, 0.9, 0.99}) {
    const double quantile = tpot_quantile_s(service.pool, workload, 10, state, p);
    CHECK(quantile > before);
    before = quantile;
  }
  CHECK(tpot_quantile_s(service.pool, workload, 10, state, 0.05) < state.tpot_s);
  CHECK(tpot_quantile_s(service.pool, workload, 10, state, 0.95) > state.tpot_s);
}

TEST_CASE("A prompt alone gets its first token after one prompt step", "[study]") {
  const TenthOfASecond service;
  const FirstTokens first = first_tokens(service.pool, service.workload(1), 1e-3, nullptr);
  CHECK(first.mean_s == Approx(0.1).epsilon(1e-6));
  CHECK(first.quantile_s(0.01) == Approx(0.1).epsilon(1e-6));
  CHECK(first.quantile_s(0.99) == Approx(0.1).epsilon(1e-6));
  CHECK_FALSE(first.saturated);
}

TEST_CASE("A prompt of several budgets takes as many steps", "[study]") {
  TenthOfASecond service;
  service.pool.batching.max_tokens_per_step = 400;  // 400 + 400 + 200: 3 x 5 ms + 95 ms
  CHECK(first_tokens(service.pool, service.workload(1), 1e-3, nullptr).mean_s == Approx(0.110).epsilon(1e-6));
}

// M/D/1, Pollaczek and Khinchine: the mean wait is rho D / (2 (1 - rho)): 50 ms at half load, 16.7 ms at a quarter,
// 150 ms at three quarters.
TEST_CASE("Prompts that are computed one by one wait as in the queue M/D/1", "[study]") {
  const TenthOfASecond service;
  CHECK(service.mean_s(2.5) == Approx(0.1 + 0.1 / 6).epsilon(0.01));
  CHECK(service.mean_s(5) == Approx(0.15).epsilon(0.015));
  CHECK(service.mean_s(7.5) == Approx(0.25).epsilon(0.03));
}

TEST_CASE("Prompts that come faster than they are computed saturate", "[study]") {
  const TenthOfASecond service;
  CHECK_FALSE(first_tokens(service.pool, service.workload(1), 8, nullptr).saturated);
  CHECK(first_tokens(service.pool, service.workload(1), 11, nullptr).saturated);
  CHECK(first_tokens(service.pool, service.workload(1), 100, nullptr).saturated);
  CHECK(first_tokens(service.pool, service.workload(1), 5, nullptr).busy_share == Approx(0.5).epsilon(0.05));
}

// A batch that is always there decodes in steps of 60 ms + 1,000 x 40 us = 100 ms. A prompt that comes at any time waits
// for half of one in the mean; then it takes 160 ms of its own, or shares a step of 200 ms.
TEST_CASE("A prompt waits for half of the decode step that runs", "[study]") {
  for (const BatchPolicy policy : {BatchPolicy::PrefillFirst, BatchPolicy::ChunkedMixed}) {
    TenthOfASecond service;
    service.timer.fixed_s = 0.060;
    service.timer.per_sequence_s = 40e-6;
    service.timer.per_prompt_token_s = 100e-6;
    service.pool.role = PoolRole::Mixed;
    service.pool.batching.policy = policy;
    service.pool.batching.max_tokens_per_step = 1 << 20;
    DecodeState decode;
    decode.sequences = 1000;
    const double step_s = policy == BatchPolicy::PrefillFirst ? 0.160 : 0.200;
    CHECK(service.mean_s(0.05, &decode) - step_s == Approx(0.050).epsilon(0.03));
  }
}

TEST_CASE("At a low load a waiting rule adds its time, and none where enough prompts wait", "[study]") {
  TenthOfASecond service;
  service.pool.batching.wait = {100, 0.7};
  CHECK(first_tokens(service.pool, service.workload(1), 1e-4, nullptr).mean_s == Approx(0.8).epsilon(1e-6));
  service.pool.batching.wait = {1, 0.7};
  CHECK(first_tokens(service.pool, service.workload(1), 1e-4, nullptr).mean_s == Approx(0.1).epsilon(1e-6));
}

// The same gaps, scaled: each prompt of one rank waits at least as long (Lindley).
TEST_CASE("First tokens never come sooner under a heavier load of prompts computed one by one", "[study]") {
  const TenthOfASecond service;
  const WorkloadSample workload = service.workload(3);
  rc::prop("monotone", [&] {
    const double rate = *rc::gen::inRange(1, 60) * 0.1, more = rate * (1 + *rc::gen::inRange(1, 60) * 0.01);
    const FirstTokens light = first_tokens(service.pool, workload, rate, nullptr);
    const FirstTokens heavy = first_tokens(service.pool, workload, more, nullptr);
    RC_ASSERT(light.mean_s <= heavy.mean_s * (1 + 1e-9));
    RC_ASSERT(light.quantile_s(0.9) <= heavy.quantile_s(0.9) * (1 + 1e-9));
  });
}

// 3, 1, 4, 1, 5 sorted: the middles of five cells stand at 0.1, 0.3, 0.5 ...
TEST_CASE("A quantile of first tokens is read between the middles of equal cells", "[study]") {
  FirstTokens first;
  CHECK(first.quantile_s(0.5) == 0);
  first.sorted_s = {1, 1, 3, 4, 5};
  CHECK(first.quantile_s(0.5) == Approx(3));
  CHECK(first.quantile_s(0.6) == Approx(3.5));
  CHECK(first.quantile_s(0.01) == Approx(1));
  CHECK(first.quantile_s(0.99) == Approx(5));
}
