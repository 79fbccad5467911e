#include "tokenomics/llm/counts.hpp"

namespace tokenomics {
namespace {

/// Parameters of a matrix; in double, since embeddings and experts together pass 2^31.
double matrix(int rows, int columns) { return static_cast<double>(rows) * columns; }

/// A gated FFN: gate and up (h -> i) and down (i -> h).
double gated_ffn(int hidden, int intermediate) { return 3.0 * matrix(hidden, intermediate); }

/// MLA (DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C): with latent ranks r_q and r_kv, head sizes
/// d_n (no position), d_r (rotary, one key for all heads) and d_v,
///   W_DQ: h -> r_q,  W_UQ: r_q -> n (d_n + d_r),  W_DKV with the rotary key: h -> r_kv + d_r,
///   W_UK and W_UV: r_kv -> n (d_n + d_v),  W_O: n d_v -> h.
/// Without a query latent (r_q = 0) the query is projected directly, h -> n (d_n + d_r).
double attention(const MlaAttention& a, int hidden) {
  const int query_width = a.heads * (a.qk_nope_head_dim + a.qk_rope_head_dim);
  const double query =
      a.q_lora_rank > 0 ? matrix(hidden, a.q_lora_rank) + matrix(a.q_lora_rank, query_width) : matrix(hidden, query_width);
  const double key_value_down = matrix(hidden, a.kv_lora_rank + a.qk_rope_head_dim);
  const double key_value_up = matrix(a.kv_lora_rank, a.heads * (a.qk_nope_head_dim + a.v_head_dim));
  return query + key_value_down + key_value_up + matrix(a.heads * a.v_head_dim, hidden);
}

/// Query and output h <-> n d, key and value h -> n_kv d each.
double attention(const GqaAttention& a, int hidden) {
  return 2.0 * matrix(hidden, a.heads * a.head_dim) + 2.0 * matrix(hidden, a.kv_heads * a.head_dim);
}

/// The indexer reads the query latent where there is one, else the hidden state.
int indexer_query_width(const Network& network) {
  const auto* mla = std::get_if<MlaAttention>(&network.attention);
  return mla != nullptr && mla->q_lora_rank > 0 ? mla->q_lora_rank : network.hidden;
}

/// Lightning indexer (DeepSeek-V3.2-Exp, inference/model.py): queries r_q -> n_i d_i, one key h -> d_i, one weight for
/// each index head h -> n_i.
double indexer(const SparseIndexer& i, const Network& network) {
  return matrix(indexer_query_width(network), i.heads * i.head_dim) + matrix(network.hidden, i.head_dim) +
         matrix(network.hidden, i.heads);
}

double attention_of_layer(const Network& network) {
  const double core = std::visit([&](const auto& kind) { return attention(kind, network.hidden); }, network.attention);
  return network.sparse ? core + indexer(*network.sparse, network) : core;
}

void add_layers(ParameterCount& count, const DenseFfn& ffn, int layers, int hidden) {
  count.dense_ffn += layers * gated_ffn(hidden, ffn.intermediate);
}

void add_layers(ParameterCount& count, const MoeFfn& ffn, int layers, int hidden) {
  count.expert = gated_ffn(hidden, ffn.intermediate);
  count.routed_experts += layers * ffn.routed_experts * count.expert;
  count.shared_experts += layers * gated_ffn(hidden, ffn.shared_intermediate);
  count.router += layers * matrix(hidden, ffn.routed_experts);
}

/// An MTP module is one more layer like the network's MoE layers (its only kind where there are none) behind a
/// projection of [hidden; embedding] (DeepSeek-V3, arXiv 2412.19437, section 2.2). Embedding and head are the main
/// ones.
double mtp_module(const Network& network, double attention_per_layer) {
  ParameterCount layer;
  if (const MoeFfn* moe = network.moe()) {
    add_layers(layer, *moe, 1, network.hidden);
  } else if (!network.layers.empty()) {
    add_layers(layer, std::get<DenseFfn>(network.layers.back().ffn), 1, network.hidden);
  }
  return attention_per_layer + layer.total() + matrix(2 * network.hidden, network.hidden);
}

}  // namespace

double ParameterCount::total() const {
  return attention + dense_ffn + routed_experts + shared_experts + router + embedding + head;
}

ParameterCount count_parameters(const Network& network) {
  ParameterCount count;
  for (const LayerGroup& group : network.layers) {
    std::visit([&](const auto& ffn) { add_layers(count, ffn, group.count, network.hidden); }, group.ffn);
  }
  count.attention_per_layer = attention_of_layer(network);
  count.attention = network.layer_count() * count.attention_per_layer;
  count.embedding = matrix(network.vocab, network.hidden);
  count.head = network.tied_embeddings ? 0.0 : count.embedding;
  count.mtp = network.mtp_layers.value_or(0) * mtp_module(network, count.attention_per_layer);
  return count;
}

double active_parameters(const Network& network) {
  const ParameterCount count = count_parameters(network);
  double chosen = 0.0;
  for (const LayerGroup& group : network.layers) {
    if (const auto* moe = std::get_if<MoeFfn>(&group.ffn)) {
      chosen += static_cast<double>(group.count) * moe->experts_per_token * gated_ffn(network.hidden, moe->intermediate);
    }
  }
  // A tied head is the embedding matrix used once more: the token is multiplied with it all the same.
  const double head = matrix(network.vocab, network.hidden);
  return count.attention + count.dense_ffn + count.shared_experts + chosen + count.router + head;
}

}  // namespace tokenomics
