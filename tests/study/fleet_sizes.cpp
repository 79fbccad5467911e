// Fleets from rules and schedules, on services put together by hand: nothing is simulated.
#include "../../sim/study/summaries.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/fleet_rule.hpp"

using namespace tokenomics;

namespace {

/// Prefill units of 32 GPUs, 4 nodes, and decode units of 144, 18 nodes; three of one and one of the other: 30 nodes.
struct SplitService {
  PoolSpec prefill, decode;
  BuiltService service;
  SplitService() {
    prefill.plan.parallelism.attention_dp = 32;
    decode.plan.parallelism.attention_dp = 144;
    for (const PoolSpec* spec : {&prefill, &decode}) {
      BuiltPool pool;
      pool.spec = spec;
      service.pools.push_back(std::move(pool));
    }
    service.pools[0].config.instances = 3;
    service.pools[1].config.instances = 1;
  }
};

/// Mixed units of 16 GPUs, 2 nodes.
struct MixedService {
  PoolSpec spec;
  BuiltService service;
  MixedService() {
    spec.plan.parallelism.attention_tp = 16;
    BuiltPool pool;
    pool.spec = &spec;
    pool.config.instances = 3;
    service.pools.push_back(std::move(pool));
  }
};

struct CapTimer final : StepTimer {
  std::int64_t cap = 0;
  Seconds step(const DecodeLoad&, const PrefillLoad&) const override { return Seconds{1}; }
  LinearRun run(const DecodeLoad&, const DecodeGrowth&) const override { return {}; }
  std::int64_t context_cap() const override { return cap; }
};

const std::vector<std::pair<double, int>> kSchedule = {{1.25, 10}, {8.0, 40}, {20.5, 5}};

}  // namespace

TEST_CASE("A schedule holds from its change on, and the last of the day holds past midnight", "[study]") {
  CHECK(scheduled_nodes(kSchedule, 0.0) == 5);
  CHECK(scheduled_nodes(kSchedule, 1.24) == 5);
  CHECK(scheduled_nodes(kSchedule, 1.25) == 10);
  CHECK(scheduled_nodes(kSchedule, 7.99) == 10);
  CHECK(scheduled_nodes(kSchedule, 8.0) == 40);
  CHECK(scheduled_nodes(kSchedule, 20.5) == 5);
  CHECK(scheduled_nodes(kSchedule, 23.99) == 5);
  CHECK_THROWS_AS(scheduled_nodes({}, 1), std::logic_error);
}

// 1.25 h of 5, 6.75 h of 10, 12.5 h of 40, 3.5 h of 5: 591.25 node-hours.
TEST_CASE("The mean of a schedule weighs each number by its hours", "[study]") {
  CHECK(mean_scheduled_nodes(kSchedule) == Approx(591.25 / 24).epsilon(1e-12));
  CHECK(mean_scheduled_nodes({{0.0, 7}}) == Approx(7).epsilon(1e-12));
  CHECK(mean_scheduled_nodes({{13.0, 7}}) == Approx(7).epsilon(1e-12));
  CHECK_THROWS_AS(mean_scheduled_nodes({}), std::logic_error);
}

// 100 requests/s at 10 a prefill and 50 a decode unit: 10 * 4 + 2 * 18 = 76 nodes.
TEST_CASE("A held service takes as many units as its rate needs", "[study]") {
  const SplitService split;
  const InstanceCapacity capacity{10, 50};
  const FleetSize size = hold_service({}, split.service, capacity, 100);
  CHECK(size.instances == std::vector<int>{10, 2});
  CHECK(size.nodes == 76);
  CHECK_FALSE(size.capped);
  CHECK(hold_service({}, split.service, capacity, 100.1).instances == std::vector<int>{11, 3});
  CHECK(hold_service({}, split.service, capacity, 0.001).instances == std::vector<int>{1, 1});
  CHECK(hold_service({}, MixedService().service, {0, 50}, 101).instances == std::vector<int>{3});
}

TEST_CASE("A cap on nodes takes decode units away, never the last one nor prefill units", "[study]") {
  const SplitService split;
  const InstanceCapacity capacity{10, 50};
  FleetSpec rule;
  rule.max_nodes = 76;
  CHECK_FALSE(hold_service(rule, split.service, capacity, 100).capped);
  rule.max_nodes = 75;  // 40 for prefill leave 35: one unit of 18
  FleetSize size = hold_service(rule, split.service, capacity, 100);
  CHECK(size.instances == std::vector<int>{10, 1});
  CHECK(size.nodes == 58);
  CHECK(size.capped);
  rule.max_nodes = 10;
  size = hold_service(rule, split.service, capacity, 100);
  CHECK(size.instances == std::vector<int>{10, 1});
  CHECK(size.capped);
}

// Of 30 nodes one decode unit: 68 nodes give 2.27, so 2, and 32 nodes for 8 prefill units.
TEST_CASE("Nodes are shared as in the deployment, in whole units", "[study]") {
  const SplitService split;
  CHECK(share_nodes(split.service, 68).instances == std::vector<int>{8, 2});
  CHECK(share_nodes(split.service, 68).nodes == 68);
  CHECK(share_nodes(split.service, 70).instances == std::vector<int>{8, 2});  // two nodes are no unit
  CHECK(share_nodes(split.service, 70).nodes == 68);
  CHECK(share_nodes(split.service, 20).instances == std::vector<int>{1, 1});  // at least one of each
  CHECK(share_nodes(split.service, 20).nodes == 22);
  const MixedService mixed;
  CHECK(share_nodes(mixed.service, 7).instances == std::vector<int>{3});
  CHECK(share_nodes(mixed.service, 7).nodes == 6);
  CHECK(share_nodes(mixed.service, 8).instances == std::vector<int>{4});
}

// Prompts of 100 with 40 cached: 120 computed tokens are two prompts, each token attends to 40 + 30 on average.
TEST_CASE("A step of mean prompts", "[study]") {
  CapTimer timer;
  PoolConfig pool;
  pool.timer = &timer;
  LengthStatistics lengths;
  lengths.mean_input = 100;
  lengths.mean_cached = 40;
  const PrefillLoad load = mean_prompts(pool, lengths, 120);
  CHECK(load.tokens == Approx(120));
  CHECK(load.attended_tokens == Approx(8400));
  CHECK(load.capped_attended_tokens == Approx(8400));
  CHECK(load.reexpanded_tokens == Approx(80));
  CHECK(load.sequences == 2);
  CHECK(mean_prompts(pool, lengths, 90).sequences == 2);  // one and a half
  timer.cap = 50;
  CHECK(mean_prompts(pool, lengths, 120).attended_tokens == Approx(8400));
  CHECK(mean_prompts(pool, lengths, 120).capped_attended_tokens == Approx(6000));
}

// 10 sequences while busy, 5,000 tokens of context together: 500 each, of which a window of 300 is read.
TEST_CASE("The mean decode load reads no further than the timer's cap", "[study]") {
  CapTimer timer;
  PoolConfig pool;
  pool.timer = &timer;
  PoolResult result;
  result.busy_s = 2;
  result.sequence_s = 20;
  result.decode_steps = 40;
  result.attended_tokens = 200'000;
  CHECK(mean_decode_load(pool, result).sequences == 10);
  CHECK(mean_decode_load(pool, result).context_tokens == Approx(5000));
  CHECK(mean_decode_load(pool, result).capped_tokens == Approx(5000));
  timer.cap = 300;
  CHECK(mean_decode_load(pool, result).context_tokens == Approx(5000));
  CHECK(mean_decode_load(pool, result).capped_tokens == Approx(3000));
  CHECK(mean_decode_load(pool, PoolResult{}).sequences == 0);
}

// 20 s measured stand for an hour: everything counts 180-fold.
TEST_CASE("A window stands for its part of the day", "[study]") {
  WindowOutcome outcome;
  outcome.plan.stands_for_s = 3600;
  outcome.result.measured_s = 20;
  outcome.result.input_computed_tokens = 10;
  outcome.result.input_cached_tokens = 20;
  outcome.result.output_tokens = 30;
  CHECK(scale_of(outcome) == Approx(180));
  CHECK(volume_of(outcome).input_computed == Approx(1800));
  CHECK(volume_of(outcome).input_cached == Approx(3600));
  CHECK(volume_of(outcome).output == Approx(5400));
  outcome.plan.stands_for_s = 0;
  CHECK(scale_of(outcome) == 1);
}
