#include "support/catch.hpp"

#include <algorithm>
#include <cmath>

#include <rapidcheck/catch.h>

#include "roofline/plans.hpp"
#include "tokenomics/llm/counts.hpp"

using namespace plans;

namespace {

const OperatorTime* find(const StepExplanation& e, const std::string& name, bool per_step = false) {
  const auto it = std::find_if(e.operators.begin(), e.operators.end(),
                               [&](const OperatorTime& o) { return o.name == name && o.per_step == per_step; });
  return it == e.operators.end() ? nullptr : &*it;
}

double shown(const StepExplanation& e) {
  double total = 0;
  for (const OperatorTime& o : e.operators) total += o.time.value() * o.exposed_share;
  return total;
}

}  // namespace

TEST_CASE("An explanation lists every operator of a step", "[roofline]") {
  InstancePlan plan = v3_decode(128, 0);
  plan.draft_tokens = 1;
  const StepExplanation e = StepModel(plan, h800_calibration()).explain(decode_load(128 * 128, 4096), {});
  for (const char* name : {"q_down_projection", "q_up_projection", "kv_down_projection", "absorbed_query_product",
                           "attention_core", "absorbed_value_product", "output_projection", "router", "dispatch",
                           "expert_gate_up", "expert_down", "shared_expert_gate_up", "shared_expert_down", "combine",
                           "attention_norm_quantize", "expert_activation", "dense_ffn_gate_up", "dense_ffn_down"}) {
    CAPTURE(name);
    const OperatorTime* op = find(e, name);
    REQUIRE(op != nullptr);
    CHECK(op->time.value() > 0);
    CHECK(op->time >= op->speed_of_light);
    CHECK(op->calls > 0);
    CHECK(!op->bound.empty());
    CHECK(!op->source.empty());
  }
  for (const char* name : {"lm_head", "mtp_projection", "mtp_head", "host_gap", "attention_core"})
    CHECK(find(e, name, true) != nullptr);
  CHECK(find(e, "kv_up_projection") == nullptr);  // absorbed in decode
  CHECK(find(e, "dispatch")->bound == "network");
  CHECK(find(e, "attention_core")->calls == 122);  // 61 layers, two halves
}

TEST_CASE("A lone token does two FLOPs a parameter that it meets, and attention", "[roofline]") {
  InstancePlan plan = v3_decode(1, 0);
  plan.decode_schedule = {};
  const StepExplanation e = StepModel(plan, h800_calibration()).explain(decode_load(1, 1000), {});
  double flops = 0;
  for (const OperatorTime& o : e.operators) {
    if (o.name != "attention_core") flops += o.flops.value();
  }
  CHECK(flops == Approx(2 * active_parameters(plan.network)).epsilon(1e-9));
  // 61 layers x 278,528 FLOP x 1,000 tokens.
  CHECK(find(e, "attention_core")->flops.value() == Approx(16.990e9).epsilon(1e-4));
  CHECK(e.distinct_experts == Approx(8));
}

TEST_CASE("Cached latents that MLA expands again cost 2.05 GFLOP a token of DeepSeek-V3", "[roofline]") {
  InstancePlan plan = v3_prefill();
  PrefillLoad load = prompts(32, 1024);
  load.reexpanded_tokens = 32 * 1000;
  const StepExplanation e = StepModel(plan, h800_calibration()).explain({}, load);
  REQUIRE(find(e, "kv_reexpansion") != nullptr);
  CHECK(find(e, "kv_reexpansion")->flops.value() / 1000 == Approx(2.047e9).epsilon(1e-3));
}

TEST_CASE("What shows of the operators is the step", "[roofline]") {
  InstancePlan drafts = v3_decode(144, 32);
  drafts.draft_tokens = 3;
  for (const InstancePlan& plan : {small_plan(), v3_decode(128, 0), v3_prefill(), drafts}) {
    Calibration calibration = h800_calibration();
    calibration.layer_overhead_us = assumed(11);
    const StepModel model(plan, calibration);
    for (const DecodeLoad& decode : {decode_load(5000, 3000), decode_load(40000, 900), DecodeLoad{}}) {
      for (const PrefillLoad& prefill : {PrefillLoad{}, prompts(64, 900)}) {
        if (decode.sequences == 0 && prefill.tokens == 0) continue;
        const StepExplanation e = model.explain(decode, prefill);
        CHECK(shown(e) == Approx(e.total.value()).epsilon(1e-9));
        CHECK(e.speed_of_light < e.total);
        CHECK(e.layers < e.total);
      }
    }
  }
}

TEST_CASE("An explanation's total is the step's time up to interpolation between tabulated tokens", "[roofline]") {
  InstancePlan drafts = v3_decode(128, 0);
  drafts.draft_tokens = 2;
  InstancePlan tp = v3_decode(8, 0);
  tp.parallelism = {8, 1, 8, 1, 1};
  for (const InstancePlan& plan : {small_plan(), v3_decode(144, 32), v3_prefill(), drafts, tp}) {
    const StepModel model(plan, h800_calibration());
    rc::prop("within 2%", [&] {
      const DecodeLoad decode = decode_load(*rc::gen::inRange<std::int64_t>(0, 20000), *rc::gen::inRange(1, 20000));
      const PrefillLoad prefill =
          prompts(*rc::gen::inRange<std::int64_t>(decode.sequences > 0 ? 0 : 1, 40), *rc::gen::inRange(1, 4000));
      const double step = model.step(decode, prefill).value();
      RC_ASSERT(std::abs(model.explain(decode, prefill).total.value() / step - 1) < 0.02);
    });
  }
}

TEST_CASE("At token counts that are tabulated the explanation is exact", "[roofline]") {
  InstancePlan plan = v3_decode(1, 0);
  plan.decode_schedule = {};
  InstancePlan one_draft = plan;
  one_draft.draft_tokens = 1;
  InstancePlan three_drafts = plan;
  three_drafts.draft_tokens = 3;
  for (const InstancePlan& each : {small_plan(), plan, one_draft, three_drafts}) {
    const StepModel model(each, h800_calibration());
    for (const std::int64_t n : {1, 3, 4}) {
      const double step = model.step(decode_load(n, 3000), {}).value();
      CHECK(model.explain(decode_load(n, 3000), {}).total.value() == Approx(step).epsilon(1e-9));
    }
  }
}
