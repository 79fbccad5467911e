#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tokenomics/study/kernel_tables.hpp"

namespace tokenomics {

/// How a GEMM's operands are stored and computed.
struct NumberFormat {
  Precision arithmetic;
  double weight_B;
  double activation_B;
  bool weight_only = false;  ///< weights are widened before they are multiplied: kernels of another kind
};
std::optional<NumberFormat> number_format(std::string_view name);
std::vector<std::string> number_format_names();

/// `groups` products of m x k by k x n: 2 m n k FLOPs each; weights n k, activations m k and the 16-bit output m n moved
/// once.
TimedLaunch gemm_launch(const NumberFormat& format, double groups, double m, double n, double k);

/// Gate+up and down of one MoE layer on one of `tp` GPUs, when T tokens spread evenly over the experts: min(E, k T) of them
/// are read, k T / min(E, k T) rows each.
std::vector<TimedLaunch> expert_launches(const NumberFormat& format, int hidden, const MoeFfn& moe, double tp,
                                         double tokens);

/// Attention core of one query a sequence: `heads` queries share the `kv_heads` cached vectors of width qk and v.
/// 2 heads (qk + v) FLOPs a context token; keys and values read once, queries read and outputs written in 16 bit.
TimedLaunch decode_launch(Precision arithmetic, double heads, double kv_heads, double qk, double v,
                          double cached_B_per_token, double batch, double context);

/// Causal attention over a whole prompt: 2 heads (qk + v) FLOPs for each of n (n + 1) / 2 pairs; queries, keys, values and
/// outputs moved once in 16 bit.
TimedLaunch prefill_launch(Precision arithmetic, double heads, double kv_heads, double qk, double v, double batch,
                           double tokens);

}  // namespace tokenomics
