#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "llm/networks.hpp"
#include "tokenomics/llm/counts.hpp"

using namespace tokenomics;
using namespace tokenomics::networks;

TEST_CASE("KV bytes of a token in BF16 are those of ISCA'25, table 1", "[llm]") {
  // Zhao et al., arXiv 2505.09343: 70.272, 327.680 and 516.096 KB (1000 B).
  CHECK(kv_bytes_per_token(deepseek_v3(), Precision::Bf16).value() == 70'272.0);      // (512 + 64) x 61 x 2 B
  CHECK(kv_bytes_per_token(qwen2_5_72b(), Precision::Bf16).value() == 327'680.0);     // 2 x 8 x 128 x 80 x 2 B
  CHECK(kv_bytes_per_token(llama_3_1_405b(), Precision::Bf16).value() == 516'096.0);  // 2 x 8 x 128 x 126 x 2 B
  CHECK(kv_elements_per_token(deepseek_v3()) == 35'136.0);
}

TEST_CASE("a window caps what a sequence holds, not what a token leaves behind", "[llm]") {
  const Network n = gpt_oss_120b();
  // 2 x 8 x 64 elements x 2 B = 2,048 B a layer and token, 36 layers.
  CHECK(kv_bytes_per_token(n, Precision::Bf16).value() == 73'728.0);
  // 100 tokens lie inside the window of 128: all 36 layers hold 100.
  CHECK(kv_bytes_of_sequence(n, Precision::Bf16, 100).value() == 7'372'800.0);
  CHECK(kv_bytes_of_sequence(n, Precision::Bf16, 128).value() == 128 * 73'728.0);
  // 129: 18 layers hold 128 and 18 hold 129; 18 x 257 x 2,048 B.
  CHECK(kv_bytes_of_sequence(n, Precision::Bf16, 129).value() == 9'474'048.0);
  // 10,000: 18 x 128 + 18 x 10,000 = 182,304 layer-tokens of 2,048 B.
  CHECK(kv_bytes_of_sequence(n, Precision::Bf16, 10'000).value() == 373'358'592.0);
}

TEST_CASE("three of four layers of Llama 4 stop growing at 8,192 tokens", "[llm]") {
  const Network n = llama_4_maverick();
  CHECK(kv_bytes_per_token(n, Precision::Bf16).value() == 196'608.0);
  const double at_100k = kv_bytes_of_sequence(n, Precision::Bf16, 100'000).value();
  // 36 x 8,192 + 12 x 100,000 = 1,494,912 layer-tokens of 2 x 8 x 128 x 2 B = 4,096 B
  CHECK(at_100k == 6'123'159'552.0);
  // Each further token adds the 12 full layers only.
  CHECK(kv_bytes_of_sequence(n, Precision::Bf16, 100'001).value() - at_100k == 49'152.0);
}

TEST_CASE("the indexer keeps a key of 132 bytes a token and layer beside the latent", "[llm]") {
  const Network n = deepseek_v3_2();
  CHECK(indexer_key_bytes(*n.sparse).value() == 132.0);  // 128 x 1 B and one scale of 4 B
  CHECK(indexer_key_bytes({.top_k = 1, .heads = 1, .head_dim = 129}).value() == 137.0);
  CHECK(kv_bytes_per_token(n, Precision::Bf16).value() == 70'272.0);
  // 1,000 tokens x 61 layers x (576 x 2 + 132) B
  CHECK(kv_bytes_of_sequence(n, Precision::Bf16, 1'000).value() == 78'324'000.0);
}

TEST_CASE("DeepSeek's 64K window takes 4.61 GB a sequence, 163,840 tokens 11.5 GB", "[llm]") {
  CHECK(kv_bytes_of_sequence(deepseek_v3(), Precision::Bf16, 65'536).value() == 4'605'345'792.0);
  CHECK(kv_bytes_of_sequence(deepseek_v3(), Precision::Bf16, 163'840).value() == 11'513'364'480.0);
}

TEST_CASE("KV precision scales the cache and not the indexer's keys", "[llm]") {
  // 8-bit without block scales: half of BF16.
  CHECK(kv_bytes_per_token(deepseek_v3(), Precision::Int8).value() == 35'136.0);
  CHECK(kv_bytes_of_sequence(deepseek_v3_2(), Precision::Int8, 1'000).value() == 43'188'000.0);  // 61,000 x (576 + 132)
}

TEST_CASE("KV of a sequence grows with its context and stays below context times the bytes of a token", "[llm]") {
  rc::prop("for any network and window", [] {
    Network n = *rc::gen::element(deepseek_v3(), deepseek_v3_2(), gpt_oss_120b(), llama_4_maverick(), qwen2_5_72b());
    for (LayerGroup& group : n.layers) group.window_tokens = *rc::gen::inRange<std::int64_t>(0, 20'000);
    const Precision kv = *rc::gen::element(Precision::Bf16, Precision::Fp8, Precision::Int8);
    const int shorter = *rc::gen::inRange(0, 100'000);
    const int longer = shorter + *rc::gen::inRange(0, 100'000);
    const Bytes held = kv_bytes_of_sequence(n, kv, longer);
    const double indexer = n.sparse ? n.layer_count() * indexer_key_bytes(*n.sparse).value() : 0.0;
    const double bound = longer * (kv_bytes_per_token(n, kv).value() + indexer);
    RC_ASSERT(kv_bytes_of_sequence(n, kv, shorter) <= held);
    RC_ASSERT(held.value() <= bound * (1 + 1e-12));
  });
}

TEST_CASE("without windows a sequence holds exactly context times the bytes of a token", "[llm]") {
  rc::prop("for any context", [] {
    const Network n = *rc::gen::element(deepseek_v3(), qwen2_5_72b(), llama_3_1_405b());
    const int context = *rc::gen::inRange(0, 1'000'000);
    const double held = kv_bytes_of_sequence(n, Precision::Bf16, context).value();
    RC_ASSERT(held == context * kv_bytes_per_token(n, Precision::Bf16).value());
  });
}
