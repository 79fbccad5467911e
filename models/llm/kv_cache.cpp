#include <algorithm>

#include "tokenomics/llm/counts.hpp"

namespace tokenomics {
namespace {

/// One latent and one rotary key whatever the number of heads (arXiv 2405.04434, section 2.1).
double kv_elements_of_layer(const MlaAttention& a) { return a.kv_lora_rank + a.qk_rope_head_dim; }

/// A key and a value for each key/value head.
double kv_elements_of_layer(const GqaAttention& a) { return 2.0 * a.kv_heads * a.head_dim; }

double kv_elements_of_layer(const Network& network) {
  return std::visit([](const auto& kind) { return kv_elements_of_layer(kind); }, network.attention);
}

/// Tokens of a sequence that the layers of a group still hold: sum over its layers of min(context, window).
double tokens_held(const LayerGroup& group, double context_tokens) {
  const double held =
      group.window_tokens > 0 ? std::min(context_tokens, static_cast<double>(group.window_tokens)) : context_tokens;
  return group.count * held;
}

}  // namespace

double kv_elements_per_token(const Network& network) { return kv_elements_of_layer(network) * network.layer_count(); }

BytesPerToken kv_bytes_per_token(const Network& network, Precision kv) {
  return BytesPerToken{kv_elements_per_token(network) * bytes_per_element(kv)};
}

Bytes indexer_key_bytes(const SparseIndexer& indexer) {
  constexpr int kBlock = 128;
  constexpr int kScaleBytes = 4;
  const int blocks = (indexer.head_dim + kBlock - 1) / kBlock;
  return Bytes{static_cast<double>(indexer.head_dim + kScaleBytes * blocks)};
}

Bytes kv_bytes_of_sequence(const Network& network, Precision kv, double context_tokens) {
  const double bytes_of_layer = kv_elements_of_layer(network) * bytes_per_element(kv) +
                                (network.sparse ? indexer_key_bytes(*network.sparse).value() : 0.0);
  double layer_tokens = 0.0;
  for (const LayerGroup& group : network.layers) layer_tokens += tokens_held(group, context_tokens);
  return Bytes{layer_tokens * bytes_of_layer};
}

}  // namespace tokenomics
