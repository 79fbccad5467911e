#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "llm/networks.hpp"
#include "tokenomics/llm/counts.hpp"

using namespace tokenomics;
using namespace tokenomics::networks;

TEST_CASE("DeepSeek-V3 has 187.1e6 attention parameters a layer and 44.04e6 an expert", "[llm]") {
  const ParameterCount count = count_parameters(deepseek_v3());
  // query  7168 x 1536 + 1536 x 128 (128 + 64)  =  11,010,048 + 37,748,736
  // kv     7168 x (512 + 64) + 512 x 128 (128 + 128)  =  4,128,768 + 16,777,216
  // output 128 x 128 x 7168 = 117,440,512
  CHECK(count.attention_per_layer == 187'105'280.0);
  CHECK(count.attention == 61 * 187'105'280.0);
  CHECK(count.expert == 44'040'192.0);  // 3 x 7168 x 2048
}

TEST_CASE("DeepSeek-V3's parts add up to the published 671e9", "[llm]") {
  const ParameterCount count = count_parameters(deepseek_v3());
  CHECK(count.dense_ffn == 1'189'085'184.0);         // 3 layers x 3 x 7168 x 18432
  CHECK(count.routed_experts == 653'908'770'816.0);  // 58 x 256 x 44,040,192
  CHECK(count.shared_experts == 2'554'331'136.0);    // 58 x 44,040,192
  CHECK(count.router == 106'430'464.0);              // 58 x 7168 x 256
  CHECK(count.embedding == 926'679'040.0);           // 129,280 x 7168
  CHECK(count.head == 926'679'040.0);
  // 11,413,422,080 + 1,189,085,184 + 653,908,770,816 + 2,554,331,136 + 106,430,464 + 2 x 926,679,040
  CHECK(count.total() == 671'025'397'760.0);
  // DeepSeek-V3 README: 671B main weights.
  CHECK(count.total() == Approx(671.0e9).epsilon(0.001));
}

TEST_CASE("a token of DeepSeek-V3 meets 36.6e9 parameters, 37.5e9 with the input embedding", "[llm]") {
  const Network v3 = deepseek_v3();
  // 11.413e9 attention + 1.189e9 dense + 2.554e9 shared + 58 x 8 x 44.040e6 = 20.435e9 chosen + 0.106e9 + 0.927e9 head
  CHECK(active_parameters(v3) == Approx(36.625e9).epsilon(0.0005));
  CHECK(active_parameters(v3) + count_parameters(v3).embedding == Approx(37.55e9).epsilon(0.0005));
  // Published: 37B activated.
  CHECK(active_parameters(v3) + count_parameters(v3).embedding == Approx(37.0e9).epsilon(0.02));
}

TEST_CASE("DeepSeek-V3's MTP module has 11.6e9 parameters of its own, outside the total", "[llm]") {
  Network v3 = deepseek_v3();
  const ParameterCount with = count_parameters(v3);
  // 187.1e6 attention + 256 x 44.040e6 + 44.040e6 shared + 1.835e6 router + 2 x 7168 x 7168 = 102.8e6 projection
  CHECK(with.mtp == Approx(11.610e9).epsilon(0.0005));
  // DeepSeek-V3 README_WEIGHTS.md: 11.5B unique parameters; with 0.9B embedding and 0.9B head "14B".
  CHECK(with.mtp == Approx(11.5e9).epsilon(0.012));
  v3.mtp_layers.reset();
  CHECK(count_parameters(v3).mtp == 0.0);
  CHECK(count_parameters(v3).total() == with.total());
}

TEST_CASE("the sparse indexer adds 13.96e6 parameters a layer", "[llm]") {
  const ParameterCount dense = count_parameters(deepseek_v3());
  const ParameterCount sparse = count_parameters(deepseek_v3_2());
  // 1536 x 64 x 128 + 7168 x 128 + 7168 x 64 = 12,582,912 + 917,504 + 458,752
  CHECK(sparse.attention_per_layer - dense.attention_per_layer == 13'959'168.0);
  CHECK(sparse.total() == Approx(671.88e9).epsilon(0.0001));
}

TEST_CASE("without a query latent MLA projects the query directly", "[llm]") {
  Network n = deepseek_v3();
  std::get<MlaAttention>(n.attention).q_lora_rank = 0;
  // 7168 x 24,576 = 176,160,768 in place of 48,758,784
  CHECK(count_parameters(n).attention_per_layer == 314'507'264.0);
}

TEST_CASE("published totals are met by counting", "[llm]") {
  struct Row {
    Network network;
    double total, active;  // as published
    double tolerance;
    const char* source;
  };
  const std::vector<Row> rows{
      {deepseek_v3(), 671e9, 37e9, 0.001, "deepseek-ai/DeepSeek-V3 README"},
      {qwen2_5_72b(), 72.7e9, 72.7e9, 0.002, "Qwen2.5-72B model card"},
      {llama_3_1_405b(), 405e9, 405e9, 0.003, "model name"},
      {gpt_oss_120b(), 116.8e9, 5.1e9, 0.001, "OpenAI gpt-oss model card"},
      {llama_4_maverick(), 400e9, 17e9, 0.002, "Meta Llama 4 model card"},
  };
  for (const Row& row : rows) {
    INFO(row.network.name << ", " << row.source << ": counted " << count_parameters(row.network).total() / 1e9
                          << "e9 in all, " << active_parameters(row.network) / 1e9 << "e9 active");
    CHECK(count_parameters(row.network).total() == Approx(row.total).epsilon(row.tolerance));
    // "Active" is published with or without the input embedding, and rounded: between the two within 1.5%.
    const double embedding = count_parameters(row.network).embedding;
    CHECK(active_parameters(row.network) < 1.015 * row.active);
    CHECK(active_parameters(row.network) + embedding > 0.985 * row.active);
  }
}

TEST_CASE("a tied head is stored once and still multiplied with", "[llm]") {
  Network tied = llama_3_1_405b();
  const double untied_active = active_parameters(tied);
  const double untied_total = count_parameters(tied).total();
  tied.tied_embeddings = true;
  CHECK(count_parameters(tied).head == 0.0);
  CHECK(active_parameters(tied) == untied_active);
  CHECK(untied_total - count_parameters(tied).total() == 128256.0 * 16384.0);
}

TEST_CASE("layers are counted over all groups, and the MoE layers' FFN is found", "[llm]") {
  CHECK(deepseek_v3().layer_count() == 61);
  CHECK(llama_4_maverick().layer_count() == 48);
  REQUIRE(deepseek_v3().moe() != nullptr);
  CHECK(llama_3_1_405b().moe() == nullptr);
  const Network maverick = llama_4_maverick();
  CHECK(maverick.moe()->routed_experts == 128);
}

TEST_CASE("doubling the layers doubles the attention parameters and leaves the embeddings", "[llm]") {
  rc::prop("for any number of layers", [] {
    Network n = *rc::gen::element(deepseek_v3(), deepseek_v3_2(), gpt_oss_120b(), llama_4_maverick());
    for (LayerGroup& group : n.layers) group.count = *rc::gen::inRange(0, 200);
    const ParameterCount once = count_parameters(n);
    for (LayerGroup& group : n.layers) group.count *= 2;
    const ParameterCount twice = count_parameters(n);
    RC_ASSERT(twice.attention == 2 * once.attention);
    RC_ASSERT(twice.routed_experts == 2 * once.routed_experts);
    RC_ASSERT(twice.embedding == once.embedding);
  });
}

TEST_CASE("a token never meets more parameters than there are", "[llm]") {
  rc::prop("for any choice of experts", [] {
    Network n = gpt_oss_120b();
    const int routed = *rc::gen::inRange(1, 512);
    const int chosen = *rc::gen::inRange(1, routed + 1);
    for (LayerGroup& group : n.layers) {
      std::get<MoeFfn>(group.ffn).routed_experts = routed;
      std::get<MoeFfn>(group.ffn).experts_per_token = chosen;
    }
    const ParameterCount count = count_parameters(n);
    RC_ASSERT(active_parameters(n) <= count.total() - count.embedding);
    if (chosen == routed) RC_ASSERT(active_parameters(n) == count.total() - count.embedding);
  });
}
