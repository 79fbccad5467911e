#pragma once

#include <vector>

#include "tokenomics/roofline/kernel_time.hpp"
#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

/// A value that is linear in the step index: value + k * slope for k up to `span` (not rounded to whole steps).
struct StepLine {
  double value = 0;
  double slope = 0;
  double span = 1e15;

  StepLine& operator+=(const StepLine& other) {
    value += other.value;
    slope += other.slope;
    span = other.span < span ? other.span : span;
    return *this;
  }
  friend StepLine operator*(double factor, StepLine line) { return {factor * line.value, factor * line.slope, line.span}; }
};

/// What the attention core of one layer does on one rank in decode, per query position and token of context.
struct CoreCost {
  KernelFamily family = KernelFamily::AttentionDecode;
  Precision arithmetic = Precision::Bf16;
  double flops_per_context = 0;         ///< per context token of a sequence, all its queries
  double padded_flops_per_context = 0;  ///< with the query rows of a KV head filled to tiles
  double bytes_per_context = 0;         ///< KV read once per sequence, however many queries
  double bytes_per_sequence = 0;        ///< queries read and outputs written

  [[nodiscard]] KernelWork work(double sequences, double context) const {
    return {family,
            arithmetic,
            flops_per_context * context,
            padded_flops_per_context * context,
            bytes_per_context * context + bytes_per_sequence * sequences,
            1};
  }
};

/// Core (not indexer) of one layer with `queries` query positions a sequence on a rank of `attention_tp`.
/// MLA in the absorbed form: 2 n_h (r_kv + d_rope) + 2 n_h r_kv FLOPs and (r_kv + d_rope) b_kv bytes per context token, the
/// latent replicated over tp; GQA: 4 n_h d FLOPs and 2 n_kv d b_kv bytes, KV heads divided over tp until tp > n_kv.
CoreCost decode_core(const InstancePlan& plan, const KernelTimer& timer, int queries);

/// The indexer of sparse attention: scores every cached token; FP8 keys of head_dim bytes, replicated over tp.
CoreCost decode_indexer(const InstancePlan& plan, const KernelTimer& timer, int queries);

/// Time of a core as a function of sequences n and summed context S: A(n, S) = n g(S / n) + launch, since the p-norm is
/// homogeneous; g is tabulated piecewise linear at nodes chosen so that it is off by less than 0.05%.
class CoreTable {
 public:
  CoreTable(const KernelTimer& timer, const CoreCost& cost);

  /// Seconds at (sequences, context), where `context` grows by `growth` each step. sequences > 0.
  [[nodiscard]] StepLine at(double sequences, double context, double growth) const;
  [[nodiscard]] const CoreCost& cost() const { return cost_; }
  [[nodiscard]] std::size_t nodes() const { return mean_context_.size(); }

 private:
  CoreCost cost_;
  double launch_s_ = 0;
  std::vector<double> mean_context_;
  std::vector<double> seconds_;
};

}  // namespace tokenomics
