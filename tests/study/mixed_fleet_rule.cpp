// The fleet rule on mixed pools, against batches and waits that are worked out by hand.
#include <limits>

#include "support/catch.hpp"
#include "support/trivial_service.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/study/fleet_rule.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// A step takes 10 ms, and 10 ms more when there are prompts in it, however many.
struct TenOrTwenty final : StepTimer {
  Seconds step(const DecodeLoad&, const PrefillLoad& prompts) const override {
    return Seconds{prompts.tokens > 0 ? 0.020 : 0.010};
  }
  LinearRun run(const DecodeLoad&, const DecodeGrowth&) const override {
    return {0.010, 0, std::numeric_limits<double>::infinity()};
  }
  std::int64_t context_cap() const override { return 0; }
};

/// Prompts of 100 tokens, answers of 101: 100 decode steps.
struct Mixed {
  TenOrTwenty timer;
  PoolSpec spec;
  Scenario scenario;
  BuiltService service;
  explicit Mixed(double tok_s_user, double ttft_p90_s = 0) {
    spec.name = "mixed";
    scenario.fleet.kind = FleetSpec::Kind::HoldService;
    scenario.fleet.interactivity_tok_s_user = tok_s_user;
    scenario.fleet.ttft_p90_s = ttft_p90_s;
    scenario.workload.arrivals = PoissonArrivals{1};
    scenario.workload.lengths = IndependentLengths{LengthMarginal{FixedLaw{100}}, LengthMarginal{FixedLaw{101}}};
    service.length_statistics.mean_input = 100;
    service.length_statistics.mean_output = 101;
    BuiltPool pool;
    pool.spec = &spec;
    pool.config = mixed_pool(timer);
    pool.config.batching.max_sequences = 10'000;
    service.config.pools = {pool.config};
    service.pools.push_back(std::move(pool));
  }
  [[nodiscard]] double rate() const { return instance_capacity(scenario, service).decode_rate_per_s; }
};

}  // namespace

// Of R steps a second p have prompts: 20 ms p + 10 ms (R - p) = 1 s, R = 100 - p. 80 tok/s leave room for p = 20. In turn
// over four instances, prompts come to one with gaps of four exponential ones, so that three in a hundred share a step with
// the one before: 20.6/s. Some 26 sequences decode then, so that there is always a step.
TEST_CASE("a mixed instance takes what its speed leaves room for, prompts included", "[study]") {
  CHECK(Mixed(80).rate() == Approx(20.6).epsilon(0.05));
}

// A prompt waits for the rest of a step and takes 20 ms: 40 ms at most, and 29 ms at p90 where the steps before it have no
// prompts.
TEST_CASE("a mixed instance holds the rule's first token too", "[study]") {
  const double fast = Mixed(60).rate();
  CHECK(Mixed(60, 0.041).rate() == fast);
  CHECK(Mixed(60, 0.032).rate() < 0.95 * fast);
  CHECK(Mixed(60, 0.032).rate() > Mixed(60, 0.030).rate());
}

TEST_CASE("a mixed instance that misses the rule when nearly empty has no capacity", "[study]") {
  CHECK(Mixed(99).rate() > 0);
  CHECK_THROWS_MATCHES(Mixed(101).rate(), Infeasible,
                       Catch::Matchers::Message("fleet: an instance of pool \"mixed\" reaches 100.00 tok/s/user and a p90 "
                                                "first token of 0.020 s when nearly empty, the "
                                                "fleet rule wants 101.00 tok/s/user"));
  CHECK_THROWS_AS(Mixed(80, 0.019).rate(), Infeasible);
}

// Prompts of 100 tokens and 40 places of budget beside 10 sequences with a draft each: 20 are left, so a prompt takes five
// parts. One sequence in 10 ms each step; a part costs 1 ms and prompts come at 20 a second: T = 10 + 20 * 5 T ms.
TEST_CASE("prompts longer than the budget take several steps of a stationary batch", "[study]") {
  struct PartTimer final : StepTimer {
    Seconds step(const DecodeLoad&, const PrefillLoad& p) const override {
      return Seconds{0.010 + 0.001 * static_cast<double>(p.sequences)};
    }
    LinearRun run(const DecodeLoad&, const DecodeGrowth&) const override { return {}; }
    std::int64_t context_cap() const override { return 0; }
  } timer;
  PoolConfig pool = mixed_pool(timer);
  pool.batching.max_tokens_per_step = 20 + 20;
  pool.batching.max_sequences = 20;
  LengthStatistics lengths;
  lengths.mean_input = 100;
  lengths.mean_output = 51;  // 50 steps
  lengths.kv_per_output_token = 100;
  // 20 sequences leave 20 tokens: five parts. One part at least in the steps that have some: rate 4/s * 5 * T < 1, so
  // T = 10 + 20 T ms, T = 10.2041 ms, and 20 sequences complete 20 / (50 T) = 39.2 requests/s: far from saturated at 4/s,
  // where n = 4 * 50 * T = 2 and 37.96 tokens are left: 2.634 parts, T = 10 / (1 - 0.001 * 4 * 2.634) = 10.1065 ms.
  const StationaryBatch batch = stationary_batch(pool, lengths, 4);
  CHECK_FALSE(batch.saturated);
  CHECK(batch.step.value() == Approx(0.0101065).epsilon(1e-4));
  CHECK(batch.sequences == Approx(2.0213).epsilon(1e-3));
  pool.batching.chunked_prefill = false;  // a prompt is one part: T = 10 / (1 - 0.004) ms
  CHECK(stationary_batch(pool, lengths, 4).step.value() == Approx(0.0100402).epsilon(1e-4));
}
