#pragma once

#include <string>
#include <vector>

#include "tokenomics/llm/network.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// Parameters by part. Norms and biases are left out (below 0.01%).
struct ParameterCount {
  double attention_per_layer = 0;  ///< one layer, indexer included
  double attention = 0;            ///< all layers
  double dense_ffn = 0;
  double routed_experts = 0;
  double shared_experts = 0;
  double router = 0;
  double embedding = 0;  ///< input embedding
  double head = 0;       ///< output head; 0 when tied
  double mtp = 0;        ///< MTP modules: a whole layer and a 2h -> h projection each; not in total()
  double expert = 0;     ///< one routed expert

  [[nodiscard]] double total() const;
};

ParameterCount count_parameters(const Network& network);

/// Parameters that one token is multiplied with: attention, dense FFN, shared and chosen experts, router, head.
/// The input embedding is a look-up and is left out (DeepSeek-V3: 36.6e9; with it 37.5e9).
double active_parameters(const Network& network);

/// Elements of KV cache a token leaves behind, summed over layers whatever their window, indexer keys left out.
/// DeepSeek-V3: 576 x 61.
double kv_elements_per_token(const Network& network);

/// KV bytes of one token in all layers at `kv` precision: 70,272 for DeepSeek-V3 in BF16. Sliding windows cap what a
/// *sequence* holds, not this figure.
BytesPerToken kv_bytes_per_token(const Network& network, Precision kv);

/// Bytes of one cached indexer key in one layer: FP8 elements and one 4-byte scale for each block of 128 of them
/// (DeepGEMM's fp8_mqa_logits; 132 B for DeepSeek-V3.2). The format does not follow the precision of the KV cache.
Bytes indexer_key_bytes(const SparseIndexer& indexer);

/// KV bytes that a sequence of `context_tokens` really holds: windowed layers stop at their window; DSA indexer keys
/// (one FP8 key a token and layer) are included.
Bytes kv_bytes_of_sequence(const Network& network, Precision kv, double context_tokens);

}  // namespace tokenomics
