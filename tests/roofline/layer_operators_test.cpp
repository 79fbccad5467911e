#include "support/catch.hpp"

#include <algorithm>

#include "roofline/plans.hpp"
#include "tokenomics/roofline/layer_operators.hpp"

using namespace plans;

namespace {

const Operator& named(const std::vector<Operator>& list, std::string_view name) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const Operator& o) { return o.name == name; });
  REQUIRE(it != list.end());
  return *it;
}

bool has(const std::vector<Operator>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(), [&](const Operator& o) { return o.name == name; });
}

}  // namespace

TEST_CASE("A projection does 2 m K N FLOPs and moves weights, input and output once", "[roofline]") {
  const InstancePlan plan = small_plan();
  const Calibration calibration = h800_calibration();
  const LayerOperators operators(plan, calibration);
  const auto list = operators.rank_operators(plan.network.layers[0], Phase::Decode, 10);
  // qkv: 1024 -> (16 + 2 * 4) * 64 = 1536. 2 * 10 * 1024 * 1536 = 31,457,280 FLOP.
  // Bytes: 1024 * 1536 * 2 + 10 * 1024 * 2 + 10 * 1536 * 2 = 3,196,928.
  const Operator& qkv = named(list, "qkv_projection");
  CHECK(qkv.work.flops == 31457280);
  CHECK(qkv.work.bytes == 3196928);
  CHECK(qkv.work.padded_flops == Approx(31457280 * 6.4));  // ten rows fill a tile of 64
  // Down: 4096 -> 1024.
  CHECK(named(list, "dense_ffn_down").work.flops == 2.0 * 10 * 4096 * 1024);
  CHECK(!has(list, "attention_all_reduce"));
  CHECK(!has(list, "dispatch"));
}

TEST_CASE("Weights, activations and arithmetic have their own formats", "[roofline]") {
  InstancePlan plan = small_plan();
  plan.precisions.weights = Precision::Fp4;  // MXFP4: 4.25 bit, computed as the activations are
  const Calibration calibration = h800_calibration();
  const LayerOperators operators(plan, calibration);
  const auto& qkv = named(operators.rank_operators(plan.network.layers[0], Phase::Decode, 10), "qkv_projection");
  CHECK(qkv.work.arithmetic == Precision::Bf16);
  // 1024 * 1536 * 0.53125 + 10 * 1024 * 2 + 10 * 1536 * 2 = 886,784.
  CHECK(qkv.work.bytes == Approx(1024 * 1536 * bytes_per_element(Precision::Fp4) + 51200));
}

TEST_CASE("Decode multiplies with the absorbed matrices, prefill expands keys and values", "[roofline]") {
  const InstancePlan plan = v3_decode(128, 0);
  const Calibration calibration = h800_calibration();
  const LayerOperators operators(plan, calibration);
  const auto decode = operators.rank_operators(plan.network.layers[1], Phase::Decode, 128);
  // 2 * 128 tokens * 128 heads * 128 * 512.
  CHECK(named(decode, "absorbed_query_product").work.flops == 2.0 * 128 * 128 * 128 * 512);
  CHECK(named(decode, "absorbed_query_product").work.arithmetic == Precision::Bf16);
  CHECK(!has(decode, "kv_up_projection"));
  const auto prefill = operators.rank_operators(plan.network.layers[1], Phase::Prefill, 128);
  CHECK(named(prefill, "kv_up_projection").work.flops == 2.0 * 128 * 512 * 128 * 256);
  CHECK(!has(prefill, "absorbed_query_product"));
  const auto mixed = operators.rank_operators(plan.network.layers[1], Phase::Mixed, 128);
  CHECK(!has(mixed, "kv_up_projection"));
  CHECK(!has(mixed, "absorbed_query_product"));
}

TEST_CASE("Experts read the weights that are touched and compute the rows of the slowest rank", "[roofline]") {
  InstancePlan plan = v3_decode(128, 0);
  plan.routing.force_balance = true;
  const Calibration calibration = h800_calibration();
  const LayerOperators operators(plan, calibration);
  const auto list = operators.expert_operators(128 * 128);
  // 1024 rows on a rank, 512 for each of its 2 experts: whole tiles. Gate+up: 7168 -> 4096.
  const Operator& up = named(list, "expert_gate_up");
  CHECK(up.work.flops == 2.0 * 1024 * 7168 * 4096);
  CHECK(up.work.padded_flops == up.work.flops);
  CHECK(up.work.bytes ==
        Approx(2 * 7168 * 4096 * bytes_per_element(Precision::Fp8) + 1024 * 7168 * (1 + 4 / 128.0) + 1024 * 4096 * 2));
}

TEST_CASE("Dispatch carries FP8 and scales, combine 16 bit, k copies each", "[roofline]") {
  InstancePlan plan = v3_decode(128, 0);
  plan.routing.force_balance = true;
  Calibration calibration = h800_calibration();
  calibration.all_to_all_low_latency = {assumed(0), assumed(0), assumed(1), assumed(0)};
  const LayerOperators operators(plan, calibration);
  const auto list = operators.rank_operators(plan.network.layers[1], Phase::Decode, 128);
  // 128 * 8 * 7168 * (1 + 4/128) B = 7,569,408 B over 50 GB/s = 151.39 us; combine 14,680,064 B = 293.60 us.
  CHECK(named(list, "dispatch").link_bytes == 7569408);
  CHECK(named(list, "dispatch").link_s == Approx(151.39e-6).epsilon(1e-4));
  CHECK(named(list, "combine").link_s == Approx(293.60e-6).epsilon(1e-4));
}

TEST_CASE("The GPUs of a tensor-parallel group share the sending of its tokens", "[roofline]") {
  const Calibration calibration = h800_calibration();
  InstancePlan plan = v3_decode(128, 0);
  plan.routing.force_balance = true;
  const LayerOperators whole(plan, calibration);
  InstancePlan groups = plan;
  groups.parallelism = {4, 32, 128, 1, 1};
  const LayerOperators shared(groups, calibration);
  const auto sent = [&](const LayerOperators& operators) {
    return named(operators.rank_operators(plan.network.layers[1], Phase::Decode, 128), "dispatch").link_bytes;
  };
  CHECK(sent(shared) == Approx(sent(whole) / 4));
}

TEST_CASE("With tensor-parallel attention alone partial sums are reduced instead of tokens sent", "[roofline]") {
  InstancePlan plan = v3_decode(8, 0);
  plan.parallelism = {8, 1, 8, 1, 1};
  const Calibration calibration = h800_calibration();
  const LayerOperators operators(plan, calibration);
  const auto list = operators.rank_operators(plan.network.layers[1], Phase::Decode, 64);
  CHECK(!has(list, "dispatch"));
  // 2 * 7/8 * 64 * 7168 * 2 B = 1,605,632 B.
  CHECK(named(list, "expert_all_reduce").link_bytes == 1605632);
  CHECK(named(list, "attention_all_reduce").link_bytes == 1605632);
  // q up-projection: 128 / 8 heads of 192.
  CHECK(named(list, "q_up_projection").work.flops == 2.0 * 64 * 1536 * 16 * 192);
  CHECK(named(list, "kv_down_projection").work.flops == 2.0 * 64 * 7168 * 576);  // replicated
}

TEST_CASE("Prompt attention is causal and expanded", "[roofline]") {
  const InstancePlan plan = v3_prefill();
  const Calibration calibration = h800_calibration();
  const LayerOperators operators(plan, calibration);
  // 100 tokens after 1000 cached ones: 100 * (1000 + 50.5) = 105,050 attended; 2 * 128 * (128 + 64 + 128) FLOP each.
  const FewOperators core = operators.prompt_core(false, {100, 105050, 105050, 0, 1});
  REQUIRE(core.end() - core.begin() == 1);
  CHECK(core.begin()->work.flops == 2.0 * 128 * 320 * 105050);
  // It reads 1100 expanded tokens and moves 100 queries and outputs: 128 * 320 * 2 B * 1200.
  CHECK(core.begin()->work.bytes == Approx(128 * 320 * 2.0 * 1200));
}
