// How many prefill instances go with a decode instance: worked out by hand.
#include "tokenomics/study/rate_match.hpp"
#include "support/catch.hpp"
#include "support/trivial_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// Prefill instances of 4 GPUs, decode instances of 8; two of one and one of the other.
struct Split {
  LinearTimer timer;
  PoolSpec prefill, decode;
  Scenario scenario;
  BuiltService service;
  Split() {
    prefill.plan.parallelism.attention_tp = 4;
    decode.plan.parallelism.attention_tp = 8;
    for (const PoolSpec* spec : {&prefill, &decode}) {
      BuiltPool pool;
      pool.spec = spec;
      pool.config = mixed_pool(timer);
      pool.config.role = spec == &prefill ? PoolRole::Prefill : PoolRole::Decode;
      pool.config.instances = spec == &prefill ? 2 : 1;
      pool.config.batching.max_sequences = 40;
      service.pools.push_back(std::move(pool));
    }
    timer.fixed_s = 0.010;
    timer.per_sequence_s = 0.001;
    service.length_statistics.mean_input = 600;
    service.length_statistics.mean_cached = 100;
    service.length_statistics.mean_output = 101;
    service.length_statistics.kv_per_output_token = 650;
  }
};

}  // namespace

// 3 and 10 requests/s: 3 1/3 prefill instances a decode one. 64 GPUs: one decode instance and 4 prefill instances take 24
// GPUs for 10/s; two and 7, 44 for 20/s; three leave 40 GPUs, ten prefill instances: all 64 for 30/s; four leave 32, eight:
// 24/s.
TEST_CASE("GPUs are shared so that both pools are full", "[study]") {
  const auto match = match_rates({3, 4}, {10, 8}, 64);
  REQUIRE(match);
  CHECK(match->prefill_per_decode == Approx(10.0 / 3));
  CHECK(match->prefill == 10);
  CHECK(match->decode == 3);
  CHECK(match->rate_per_s == Approx(30));
  // 40 GPUs: one and 4 serve 10/s, two and 6 serve 18/s.
  CHECK(match_rates({3, 4}, {10, 8}, 40)->prefill == 6);
  CHECK(match_rates({3, 4}, {10, 8}, 40)->rate_per_s == Approx(18));
  CHECK(match_rates({3, 4}, {10, 8}, 12)->rate_per_s == Approx(3));
  CHECK(match_rates({30, 4}, {10, 8}, 20)->prefill == 1);  // decode is what is short: no second prefill instance
  CHECK_FALSE(match_rates({3, 4}, {10, 8}, 11));
}

// 2,500 computed tokens/s over prompts of 500: 5 requests/s. A full batch of 40 in steps of 50 ms and 100 steps an answer: 8
// requests/s. 25 tok/s allow 40 ms, 30 sequences: 30 / (100 * 0.040) = 7.5 requests/s.
TEST_CASE("pools are matched at full batches, or at the speed to hold", "[study]") {
  Split split;
  const auto full = rate_match(split.scenario, split.service, 2500);
  REQUIRE(full);
  CHECK(full->prefill_rate_per_s == Approx(5));
  CHECK(full->decode_rate_per_s == Approx(8).epsilon(1e-6));
  CHECK(full->prefill_per_decode == Approx(1.6).epsilon(1e-6));
  CHECK(full->gpus == 16);
  CHECK(full->prefill == 2);
  CHECK(full->decode == 1);
  CHECK_FALSE(full->held_tok_s_user);
  split.scenario.slo.interactivity_tok_s_user = SloSpec::Bound{90, 25};
  CHECK(rate_match(split.scenario, split.service, 2500)->decode_rate_per_s == Approx(7.5).epsilon(0.04));
  CHECK(rate_match(split.scenario, split.service, 2500)->held_tok_s_user == 25);
  split.scenario.slo.interactivity_tok_s_user = SloSpec::Bound{90, 200};  // 100 is the fastest
  CHECK_FALSE(rate_match(split.scenario, split.service, 2500));
}

TEST_CASE("nothing is matched without two pools, or without second tokens", "[study]") {
  Split split;
  split.service.length_statistics.mean_output = 1;
  CHECK_FALSE(rate_match(split.scenario, split.service, 2500));
  split.service.length_statistics.mean_output = 101;
  CHECK_FALSE(rate_match(split.scenario, split.service, 0));
  split.service.pools.pop_back();
  CHECK_FALSE(rate_match(split.scenario, split.service, 2500));
}
