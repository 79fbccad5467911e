#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tokenomics/hw/precision.hpp"

namespace tokenomics {

/// Multi-head latent attention: one latent of kv_lora_rank + qk_rope_head_dim elements a token, whatever the heads.
struct MlaAttention {
  int heads = 0;
  int q_lora_rank = 0;  ///< 0: the query is projected directly
  int kv_lora_rank = 0;
  int qk_rope_head_dim = 0;
  int qk_nope_head_dim = 0;
  int v_head_dim = 0;
};

/// Grouped-query attention; MHA when kv_heads == heads, MQA when kv_heads == 1.
struct GqaAttention {
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
};

/// DeepSeek sparse attention: a small indexer scores all cached tokens, the main attention reads the best `top_k`.
struct SparseIndexer {
  int top_k = 0;
  int heads = 0;
  int head_dim = 0;
};

struct DenseFfn {
  int intermediate = 0;
};

struct MoeFfn {
  int routed_experts = 0;
  int experts_per_token = 0;
  int shared_experts = 0;
  int intermediate = 0;         ///< of one routed expert
  int shared_intermediate = 0;  ///< of all shared experts together
  int groups = 1;               ///< the router picks `top_groups` of these first ...
  int top_groups = 1;           ///< ... and its experts inside them (DeepSeek-V3: 4 of 8)
};

/// A run of layers that are alike. `window_tokens` == 0: full attention; else no token looks further back.
struct LayerGroup {
  int count = 0;
  std::int64_t window_tokens = 0;
  std::variant<DenseFfn, MoeFfn> ffn;
};

/// A network's architecture: everything else (parameters, bytes, FLOPs) is counted from it, nothing typed in.
/// All FFNs are gated (three matrices). Made by `scenario/network_file`, which refuses what is not modelled.
struct Network {
  std::string name;
  int hidden = 0;
  int vocab = 0;
  bool tied_embeddings = false;
  std::int64_t max_context_tokens = 0;
  std::variant<MlaAttention, GqaAttention> attention;
  std::optional<SparseIndexer> sparse;
  std::vector<LayerGroup> layers;  ///< order does not matter for cost
  std::optional<int> mtp_layers;   ///< absent: not published, refused when drafts are asked for
  Precision native_weights = Precision::Bf16;
  Precision native_experts = Precision::Bf16;
  std::optional<double> published_parameters_total;
  std::optional<double> published_parameters_active;
  std::string not_modelled;  ///< e.g. "linear attention in 70 of 80 layers"; empty when everything is modelled

  [[nodiscard]] int layer_count() const;
  [[nodiscard]] const MoeFfn* moe() const;  ///< the MoE layers' FFN, or null for a dense network
};

}  // namespace tokenomics
