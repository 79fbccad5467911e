#pragma once

#include "tokenomics/llm/network.hpp"

/// Networks written out by hand from the vendors' configurations, for tests of layers that cannot read files.
namespace tokenomics::networks {

inline Network deepseek_v3() {
  Network n;
  n.name = "deepseek-v3";
  n.hidden = 7168;
  n.vocab = 129280;
  n.max_context_tokens = 163840;
  n.attention = MlaAttention{.heads = 128,
                             .q_lora_rank = 1536,
                             .kv_lora_rank = 512,
                             .qk_rope_head_dim = 64,
                             .qk_nope_head_dim = 128,
                             .v_head_dim = 128};
  const MoeFfn moe{.routed_experts = 256,
                   .experts_per_token = 8,
                   .shared_experts = 1,
                   .intermediate = 2048,
                   .shared_intermediate = 2048,
                   .groups = 8,
                   .top_groups = 4};
  n.layers = {{.count = 3, .window_tokens = 0, .ffn = DenseFfn{18432}}, {.count = 58, .window_tokens = 0, .ffn = moe}};
  n.mtp_layers = 1;
  n.native_weights = Precision::Fp8;
  n.native_experts = Precision::Fp8;
  return n;
}

inline Network deepseek_v3_2() {
  Network n = deepseek_v3();
  n.name = "deepseek-v3.2-exp";
  n.sparse = SparseIndexer{.top_k = 2048, .heads = 64, .head_dim = 128};
  return n;
}

/// ISCA'25 (arXiv 2505.09343), table 1, compares its KV cache; sizes from the vendor's configuration.
inline Network qwen2_5_72b() {
  Network n;
  n.name = "qwen2.5-72b";
  n.hidden = 8192;
  n.vocab = 152064;
  n.max_context_tokens = 131072;
  n.attention = GqaAttention{.heads = 64, .kv_heads = 8, .head_dim = 128};
  n.layers = {{.count = 80, .window_tokens = 0, .ffn = DenseFfn{29568}}};
  return n;
}

inline Network llama_3_1_405b() {
  Network n;
  n.name = "llama-3.1-405b";
  n.hidden = 16384;
  n.vocab = 128256;
  n.max_context_tokens = 131072;
  n.attention = GqaAttention{.heads = 128, .kv_heads = 8, .head_dim = 128};
  n.layers = {{.count = 126, .window_tokens = 0, .ffn = DenseFfn{53248}}};
  return n;
}

inline Network gpt_oss_120b() {
  Network n;
  n.name = "gpt-oss-120b";
  n.hidden = 2880;
  n.vocab = 201088;
  n.max_context_tokens = 131072;
  n.attention = GqaAttention{.heads = 64, .kv_heads = 8, .head_dim = 64};
  const MoeFfn moe{.routed_experts = 128, .experts_per_token = 4, .intermediate = 2880};
  n.layers = {{.count = 18, .window_tokens = 128, .ffn = moe}, {.count = 18, .window_tokens = 0, .ffn = moe}};
  n.native_experts = Precision::Fp4;
  return n;
}

/// 48 layers: every second one dense, every fourth one with full attention. Order does not matter, so the three kinds
/// that occur are: windowed MoE, windowed dense, full (MoE: the fourth of each four is an MoE layer).
inline Network llama_4_maverick() {
  Network n;
  n.name = "llama-4-maverick";
  n.hidden = 5120;
  n.vocab = 202048;
  n.max_context_tokens = 1048576;
  n.attention = GqaAttention{.heads = 40, .kv_heads = 8, .head_dim = 128};
  const MoeFfn moe{
      .routed_experts = 128, .experts_per_token = 1, .shared_experts = 1, .intermediate = 8192, .shared_intermediate = 8192};
  const DenseFfn dense{16384};
  n.layers = {{.count = 24, .window_tokens = 8192, .ffn = dense},
              {.count = 12, .window_tokens = 8192, .ffn = moe},
              {.count = 12, .window_tokens = 0, .ffn = moe}};
  return n;
}

}  // namespace tokenomics::networks
