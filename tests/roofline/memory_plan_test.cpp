#include "support/catch.hpp"

#include <string>

#include "roofline/plans.hpp"
#include "tokenomics/llm/counts.hpp"

using namespace plans;

namespace {

InstancePlan v3_one_node(double hbm_GB) {
  InstancePlan plan = v3_decode(8, 0);
  plan.parallelism = {8, 1, 8, 1, 1};
  plan.gpu.hbm_capacity = Bytes{hbm_GB * 1e9};
  return plan;
}

}  // namespace

TEST_CASE("A decode GPU of DeepSeek's unit holds 22 to 25 GB of weights, a prefill GPU about 40", "[roofline]") {
  const MemoryPlan decode = plan_memory(v3_decode(144, 32));
  CHECK(decode.weights().value() * 1e-9 > 22);
  CHECK(decode.weights().value() * 1e-9 < 25);
  // 2 routed experts x 58 layers x 44.04e6 FP8 parameters = 5.11 GB, one shared: 2.55 GB; 61 x 187.1e6 = 11.41 GB.
  CHECK(decode.expert_weights.value() * 1e-9 == Approx(5.110).epsilon(1e-3));
  CHECK(decode.shared_expert_weights.value() * 1e-9 == Approx(2.555).epsilon(1e-3));
  CHECK(decode.attention_weights.value() * 1e-9 == Approx(11.415).epsilon(1e-3));
  CHECK(plan_memory(v3_prefill()).weights().value() * 1e-9 == Approx(41).margin(1.5));
}

TEST_CASE("What is not weights or reserve is KV, per rank in whole tokens", "[roofline]") {
  InstancePlan plan = v3_decode(144, 32);
  plan.reserved_per_gpu = 5.0_GB;
  const MemoryPlan m = plan_memory(plan);
  // 80 GB * 0.9 - 24.19 - 5 = 42.81 GB; 70,272 B a token: 609,2xx tokens a rank.
  CHECK(m.capacity.value() == Approx(72e9));
  CHECK(m.kv_bytes_per_token == Approx(70272));
  CHECK((m.weights() + m.reserved + m.kv_budget).value() == Approx(72e9));
  CHECK(m.kv_tokens_per_instance % 144 == 0);
  CHECK(m.kv_tokens_per_instance / 144 == static_cast<std::int64_t>(m.kv_budget.value() / 70272));
}

TEST_CASE("FP8 DeepSeek-V3 does not fit eight GPUs of 80 GB and fits eight of 141 GB", "[roofline]") {
  try {
    plan_memory(v3_one_node(80));
    FAIL("fits");
  } catch (const Infeasible& refusal) {
    const std::string text = refusal.what();
    CHECK(text.find("needs 85.") != std::string::npos);
    CHECK(text.find("has 72.0 GB") != std::string::npos);
    CHECK(text.find("experts 81.8") != std::string::npos);
  }
  CHECK(plan_memory(v3_one_node(141)).kv_tokens_per_instance > 400000);
}

TEST_CASE("A plan is refused just when one block of KV is missing", "[roofline]") {
  InstancePlan plan = small_plan();
  plan.hbm_utilization = 1;
  const double weights = plan_memory(plan).weights().value();
  const double block = 64 * plan_memory(plan).kv_bytes_per_token;
  plan.gpu.hbm_capacity = Bytes{weights + block + 1};
  CHECK(plan_memory(plan).kv_tokens_per_instance == 64);
  plan.gpu.hbm_capacity = Bytes{weights + block - 1};
  CHECK_THROWS_AS(plan_memory(plan), Infeasible);
}

TEST_CASE("All weights of one GPU are the network's parameters in their formats", "[roofline]") {
  const InstancePlan plan = small_plan();
  const ParameterCount count = count_parameters(plan.network);
  CHECK(plan_memory(plan).weights().value() == Approx(2 * count.total()));
}

TEST_CASE("More expert parallelism never raises weight bytes per GPU", "[roofline]") {
  double last = 1e30;
  for (const int ep : {8, 16, 32, 64, 128, 256}) {
    InstancePlan plan = v3_decode(ep, 0);
    plan.gpu.hbm_capacity = Bytes{2e12};
    const double weights = plan_memory(plan).weights().value();
    CHECK(weights < last);
    last = weights;
  }
}

TEST_CASE("Tensor parallelism divides GQA's KV and replicates MLA's", "[roofline]") {
  InstancePlan gqa = small_plan();  // 8 layers x 2 x 4 x 64 x 2 B = 8,192 B a token
  CHECK(plan_memory(gqa).kv_bytes_per_token == Approx(8192));
  gqa.parallelism.attention_tp = 4;
  CHECK(plan_memory(gqa).kv_bytes_per_token == Approx(2048));
  gqa.parallelism.attention_tp = 8;
  CHECK(plan_memory(gqa).kv_bytes_per_token == Approx(2048));
  CHECK(plan_memory(v3_one_node(141)).kv_bytes_per_token == Approx(70272));
}

TEST_CASE("Drafts hold the MTP module's weights and a cache of its own", "[roofline]") {
  InstancePlan plan = v3_decode(144, 32);
  plan.draft_tokens = 1;
  const MemoryPlan m = plan_memory(plan);
  // One layer: 187.1e6 + 3 experts x 44.04e6 + router and a projection of 2 x 7168^2 = 102.8e6, in FP8.
  CHECK(m.mtp_weights.value() * 1e-9 == Approx(0.4257).epsilon(5e-3));
  CHECK(m.kv_bytes_per_token == Approx(70272 * 62.0 / 61.0));
}

TEST_CASE("A pipeline stage holds its layers' weights and KV, and one end of the vocabulary", "[roofline]") {
  InstancePlan plan = small_plan();
  const MemoryPlan one = plan_memory(plan);
  plan.parallelism.pp = 2;
  const MemoryPlan two = plan_memory(plan);
  CHECK(two.attention_weights.value() == Approx(one.attention_weights.value() / 2));
  CHECK(two.dense_weights.value() == Approx(one.dense_weights.value() / 2));
  CHECK(two.embedding_weights.value() == Approx(one.embedding_weights.value() / 2));
  CHECK(two.kv_bytes_per_token == Approx(4096));  // 4 of 8 layers
}
