#include "support/catch.hpp"

#include <numeric>

#include "roofline/plans.hpp"

using namespace plans;

namespace {

InstancePlan drafting(int drafts) {
  InstancePlan plan = v3_decode(16, 0);
  plan.draft_tokens = drafts;
  return plan;
}

double step_s(const InstancePlan& plan, std::int64_t sequences = 160) {
  return StepModel(plan, h800_calibration()).step(decode_load(sequences, 4000), {}).value();
}

}  // namespace

TEST_CASE("Overhead of a draft is paid once a draft", "[roofline]") {
  for (const int drafts : {1, 2, 5}) {
    InstancePlan plan = drafting(drafts);
    const double without = step_s(plan);
    plan.draft_module.overhead_us = 100;
    CHECK(step_s(plan) - without == Approx(drafts * 100e-6));
  }
  InstancePlan none = drafting(0);
  const double without = step_s(none);
  none.draft_module.overhead_us = 100;
  CHECK(step_s(none) == without);
  // A step without decodes runs the module once over its prompts.
  InstancePlan plan = drafting(3);
  const double prompts_only = StepModel(plan, h800_calibration()).step({}, prompts(64, 1000)).value();
  plan.draft_module.overhead_us = 100;
  CHECK(StepModel(plan, h800_calibration()).step({}, prompts(64, 1000)).value() - prompts_only == Approx(100e-6));
}

// The module is one expert layer and the 2h -> h projection: in 16 bit each of its matrices is twice as long to read and
// to hold; arithmetic is at half the rate.
TEST_CASE("A module left in 16 bit beside FP8 layers holds twice the bytes and takes longer", "[roofline]") {
  InstancePlan same = drafting(1), wide = drafting(1);
  same.draft_module.weights = Precision::Fp8;
  wide.draft_module.weights = Precision::Bf16;
  CHECK(step_s(same) == step_s(drafting(1)));
  CHECK(step_s(wide) > step_s(same));
  const MemoryPlan in_fp8 = plan_memory(same), in_bf16 = plan_memory(wide);
  // The router is 16 bit in both.
  const double router = 7168.0 * 256 * 2;
  CHECK(in_bf16.mtp_weights.value() - router == Approx(2 * (in_fp8.mtp_weights.value() - router)).epsilon(1e-3));  // scales
  CHECK(in_bf16.expert_weights == in_fp8.expert_weights);
}

TEST_CASE("The explanation of drafts adds up to the step, in whatever format the module is", "[roofline]") {
  for (const auto format : {std::optional<Precision>{}, std::optional(Precision::Bf16)}) {
    InstancePlan plan = drafting(3);
    plan.draft_module = {format, 40};
    const StepModel model(plan, h800_calibration());
    const StepExplanation step = model.explain(decode_load(160, 4000), {});
    const double total =
        std::accumulate(step.operators.begin(), step.operators.end(), 0.0,
                        [](double sum, const OperatorTime& o) { return sum + o.time.value() * o.exposed_share; });
    CHECK(total == Approx(step.total.value()).epsilon(1e-6));
    CHECK(step.total.value() == Approx(model.step(decode_load(160, 4000), {}).value()).epsilon(0.01));
  }
}

// One sequence a GPU: the second token touches other experts, and their weights are all that is read. Then most are read
// anyway, and in the end they are full.
TEST_CASE("A draft gains most in between: with few sequences it reads more experts, with many it fills them", "[roofline]") {
  const auto gain = [](std::int64_t sequences) {
    return 1.8 * step_s(drafting(0), sequences) / step_s(drafting(1), sequences);
  };
  CHECK(gain(16) > 1.4);
  CHECK(gain(160) > gain(16));
  double before = gain(160);
  for (const std::int64_t sequences : {1280, 2560, 5120, 10240}) {
    const double now = gain(sequences);
    CHECK(now < before);
    before = now;
  }
  CHECK(gain(10240) < gain(160) - 0.3);
}

TEST_CASE("Drafts on a network without MTP stay refused, and an overhead below nothing too", "[roofline]") {
  InstancePlan plan = small_plan();
  plan.draft_tokens = 1;
  CHECK_THROWS_AS(StepModel(plan, h800_calibration()), ScenarioError);
  plan = drafting(1);
  plan.draft_module.overhead_us = -1;
  CHECK_THROWS_AS(StepModel(plan, h800_calibration()), ScenarioError);
}

// FP8 KV: half the bytes of the latent, so twice the tokens fit and the core reads half.
TEST_CASE("KV in 8 bit: half the bytes, twice the tokens, a faster step", "[roofline]") {
  InstancePlan wide = v3_decode(16, 0), narrow = v3_decode(16, 0);
  narrow.precisions.kv = Precision::Fp8;
  const MemoryPlan in_16 = plan_memory(wide), in_8 = plan_memory(narrow);
  CHECK(in_16.kv_bytes_per_token == Approx(70272));
  CHECK(in_8.kv_bytes_per_token == Approx(70272 / 2.0).epsilon(1e-3));  // and scales
  CHECK(static_cast<double>(in_8.kv_tokens_per_instance) ==
        Approx(2.0 * static_cast<double>(in_16.kv_tokens_per_instance)).epsilon(1e-3));
  CHECK(step_s(narrow) < step_s(wide));
  // A core that is bound by memory reads it in half the time: dense heads, one query each.
  InstancePlan dense_16 = small_plan(), dense_8 = small_plan();
  dense_8.precisions.kv = Precision::Fp8;
  Calibration plain = h800_calibration();
  for (auto& [family, efficiency] : plain.kernels) efficiency.launch_us.value = 0;
  const auto core = [&](const InstancePlan& plan) {
    for (const OperatorTime& o : StepModel(plan, plain).explain(decode_load(64, 16000), {}).operators) {
      if (o.name == "attention_core") return o;
    }
    return OperatorTime{};
  };
  CHECK(core(dense_8).hbm_bytes.value() == Approx(core(dense_16).hbm_bytes.value() / 2).epsilon(0.01));
  // Half, but for arithmetic that shows beside it.
  CHECK(core(dense_8).time.value() < 0.6 * core(dense_16).time.value());
  CHECK(core(dense_8).time.value() >= 0.5 * core(dense_16).time.value());
}
