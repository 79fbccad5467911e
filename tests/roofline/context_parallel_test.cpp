#include "support/catch.hpp"

#include <algorithm>

#include <rapidcheck/catch.h>

#include "roofline/plans.hpp"

using namespace plans;

namespace {

InstancePlan dense(int cp, int tp = 1) {
  InstancePlan plan = small_plan();
  plan.parallelism.attention_tp = tp;
  plan.parallelism.cp = cp;
  return plan;
}

InstancePlan v3(int dp, int cp) {
  InstancePlan plan = v3_decode(dp * cp, 0);
  plan.parallelism.attention_dp = dp;
  plan.parallelism.cp = cp;
  plan.all_to_all = AllToAll::Normal;
  plan.prefill_schedule = {};
  return plan;
}

OperatorTime named(const StepExplanation& step, const std::string& name) {
  const auto op =
      std::find_if(step.operators.begin(), step.operators.end(), [&](const OperatorTime& o) { return o.name == name; });
  REQUIRE(op != step.operators.end());
  return *op;
}

/// Without the floor that a prefill step has whatever its GPUs.
Calibration calibration() {
  Calibration c = h800_calibration();
  c.prefill_host_floor_ms.value = 0;
  return c;
}

std::string refusal(const InstancePlan& plan) {
  try {
    StepModel(plan, calibration());
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

double seconds(const InstancePlan& plan, const PrefillLoad& load) {
  return StepModel(plan, calibration()).step({}, load).value();
}

}  // namespace

// A prompt of 16,384 on 4 GPUs of one domain. Keys and values of a token: 2 x 4 heads x 64 x 2 B = 1,024 B; gathered:
// 3/4 x 16,384 x 1,024 B = 12.58 MB at 0.7 x 200 GB/s = 89.9 us, and 10 us latency: 99.9 us in each of 8 layers.
TEST_CASE("Gathering keys and values by hand", "[roofline]") {
  const StepExplanation step = StepModel(dense(4), calibration()).explain({}, prompts(1, 16384));
  const OperatorTime gather = named(step, "context_parallel_kv_gather");
  CHECK(gather.calls == 8);
  CHECK(gather.link_bytes.value() == Approx(8 * 12582912.0).epsilon(1e-3));
  CHECK(gather.time.value() == Approx(8 * 99.9e-6).epsilon(2e-3));
  CHECK(gather.bound == "network");
}

// Attention of 4 x d x h FLOPs on each of n (n + 1) / 2 pairs, a quarter on each of 4 GPUs.
TEST_CASE("Attention is divided evenly, its keys are read by all", "[roofline]") {
  const PrefillLoad load = prompts(1, 16384);
  const OperatorTime whole = named(StepModel(dense(1), calibration()).explain({}, load), "attention_core");
  const OperatorTime part = named(StepModel(dense(4), calibration()).explain({}, load), "attention_core");
  CHECK(whole.flops.value() == Approx(8 * 4.0 * 16 * 64 * 16384.0 * 16385 / 2));
  CHECK(part.flops.value() == Approx(whole.flops.value() / 4));
  // Of 1,024 B a token of keys and 4,096 B of queries and answers, the latter in quarters.
  CHECK(whole.hbm_bytes.value() == Approx(8 * 16384 * (1024.0 + 4096)).epsilon(1e-3));
  CHECK(part.hbm_bytes.value() == Approx(8 * 16384 * (1024.0 + 4096 / 4)).epsilon(1e-3));
}

TEST_CASE("MLA's parts gather latents and expand all of them", "[roofline]") {
  const PrefillLoad load = prompts(1, 32768);
  const StepExplanation one = StepModel(v3(8, 1), calibration()).explain({}, prompts(8, 32768));
  const StepExplanation parts = StepModel(v3(1, 8), calibration()).explain({}, load);
  // The same GPUs hold the same tokens: one prompt each, or an eighth of one prompt.
  CHECK(named(parts, "q_up_projection").flops.value() == Approx(named(one, "q_up_projection").flops.value() / 8));
  CHECK(named(parts, "kv_up_projection").flops.value() == Approx(named(one, "kv_up_projection").flops.value()));
  // 7/8 of 32,768 latents of 576 x 2 B in 61 layers.
  CHECK(named(parts, "context_parallel_kv_gather").link_bytes.value() == Approx(61 * 7.0 / 8 * 32768 * 1152).epsilon(1e-3));
}

TEST_CASE("Context parallelism shortens a long prompt, never to less than its part of the time", "[roofline]") {
  rc::prop("seconds(1) / cp <= seconds(cp)", [] {
    const int cp = *rc::gen::element(2, 4, 8);
    const double length = *rc::gen::inRange(512, 100000);
    const double whole = seconds(dense(1), prompts(1, length)), part = seconds(dense(cp), prompts(1, length));
    RC_ASSERT(part >= whole / cp * (1 - 1e-9));
  });
  for (const double length : {32768.0, 131072.0}) {
    double before = seconds(dense(1), prompts(1, length));
    for (const int cp : {2, 4, 8}) {
      const double now = seconds(dense(cp), prompts(1, length));
      CHECK(now < before);
      before = now;
    }
  }
  // Experts too: one prompt of 64K over 8 GPUs that would have stood still beside the one that has it.
  const double alone = seconds(v3(8, 1), prompts(1, 65536)), shared = seconds(v3(1, 8), prompts(1, 65536));
  WARN("a prompt of 65,536 on 8 H800 of EP8: " << alone << " s on one attention rank, " << shared << " s over cp 8");
  CHECK(shared < 0.3 * alone);
  CHECK(shared > alone / 8);
}

TEST_CASE("Over nodes the gather goes through the NIC", "[roofline]") {
  const StepExplanation step = StepModel(dense(16), calibration()).explain({}, prompts(1, 65536));
  // 8 inside: 1/2 of the shard of 65,536 x 1,024 / 8 B outside at 0.8 x 50 GB/s = 104.9 us, 7/8 inside at 140 GB/s = 419.4
  // us, 10 us twice.
  CHECK(named(step, "context_parallel_kv_gather").time.value() == Approx(8 * 544.3e-6).epsilon(2e-3));
}

TEST_CASE("GPUs, experts and memory count the parts", "[roofline]") {
  CHECK(v3(2, 4).parallelism.gpus() == 8);
  InstancePlan plan = dense(4);
  const MemoryPlan four = plan_memory(plan);
  CHECK(four.kv_tokens_per_instance == 4 * plan_memory(dense(1)).kv_tokens_per_instance);
  InstancePlan wrong = v3(2, 4);
  wrong.parallelism.ep = 2;
  CHECK(refusal(wrong).find("ep * moe_tp = attention_tp * attention_dp * cp = 8") != std::string::npos);
  CHECK(refusal(dense(0)).find("/parallelism/cp: 0") != std::string::npos);
}
