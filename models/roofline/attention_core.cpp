#include "tokenomics/roofline/attention_core.hpp"

#include <algorithm>
#include <cmath>

namespace tokenomics {
namespace {

double divided(int heads, int tp) { return static_cast<double>((heads + tp - 1) / tp); }

CoreCost mla_core(const MlaAttention& mla, const InstancePlan& plan, const KernelTimer& timer, int queries) {
  const double heads = divided(mla.heads, plan.parallelism.attention_tp);
  const double latent = mla.kv_lora_rank + mla.qk_rope_head_dim;
  CoreCost core;
  core.flops_per_context = queries * heads * 2.0 * (latent + mla.kv_lora_rank);
  // All heads share the one latent: heads x queries rows fill the tile.
  core.padded_flops_per_context =
      core.flops_per_context * timer.padded_rows(core.family, heads * queries) / (heads * queries);
  core.bytes_per_context = latent * bytes_per_element(plan.precisions.kv);
  core.bytes_per_sequence = queries * heads * (latent + mla.kv_lora_rank) * bytes_per_element(Precision::Bf16);
  return core;
}

CoreCost gqa_core(const GqaAttention& gqa, const InstancePlan& plan, const KernelTimer& timer, int queries) {
  const double heads = divided(gqa.heads, plan.parallelism.attention_tp);
  const double kv_heads = divided(gqa.kv_heads, plan.parallelism.attention_tp);
  const double rows = heads / kv_heads * queries;
  CoreCost core;
  core.flops_per_context = queries * heads * 4.0 * gqa.head_dim;
  core.padded_flops_per_context = core.flops_per_context * timer.padded_rows(core.family, rows) / rows;
  core.bytes_per_context = 2.0 * kv_heads * gqa.head_dim * bytes_per_element(plan.precisions.kv);
  core.bytes_per_sequence = queries * heads * 2.0 * gqa.head_dim * bytes_per_element(Precision::Bf16);
  return core;
}

}  // namespace

CoreCost decode_core(const InstancePlan& plan, const KernelTimer& timer, int queries) {
  const auto* mla = std::get_if<MlaAttention>(&plan.network.attention);
  CoreCost core = mla != nullptr ? mla_core(*mla, plan, timer, queries)
                                 : gqa_core(std::get<GqaAttention>(plan.network.attention), plan, timer, queries);
  core.arithmetic = plan.precisions.attention;
  return core;
}

CoreCost decode_indexer(const InstancePlan& plan, const KernelTimer&, int queries) {
  const SparseIndexer& indexer = *plan.network.sparse;
  CoreCost core;
  core.family = KernelFamily::Indexer;
  core.arithmetic = Precision::Fp8;
  core.flops_per_context = core.padded_flops_per_context = queries * 2.0 * indexer.heads * indexer.head_dim;
  core.bytes_per_context = indexer.head_dim;
  core.bytes_per_sequence = queries * static_cast<double>(indexer.heads) * indexer.head_dim;
  return core;
}

CoreTable::CoreTable(const KernelTimer& timer, const CoreCost& cost) : cost_(cost) {
  launch_s_ = timer.parts(cost.work(1, 0)).launch_s;
  const auto exact = [&](double mean_context) { return timer.time(cost.work(1, mean_context)) - launch_s_; };
  const auto chord_is_close = [&](double from, double to) {
    constexpr double kTolerance = 5e-4;
    const double a = exact(from);
    const double b = exact(to);
    for (const double u : {0.15, 0.3, 0.45, 0.6, 0.8}) {
      const double value = exact(from + u * (to - from));
      if (std::abs(a + u * (b - a) - value) > kTolerance * value) return false;
    }
    return true;
  };
  // From one token to 16 Mi; each node as far from the last as the tolerance allows, at most an octave times eight.
  constexpr double kLongest = 16777216.0;
  mean_context_ = {0.0, 1.0};
  while (mean_context_.back() < kLongest) {
    const double from = mean_context_.back();
    double ratio = 8.0;
    while (ratio > 1.01 && !chord_is_close(from, from * ratio)) ratio = std::sqrt(ratio);
    mean_context_.push_back(from * ratio);
  }
  for (const double mean : mean_context_) seconds_.push_back(exact(mean));
}

StepLine CoreTable::at(double sequences, double context, double growth) const {
  const double mean = context / sequences;
  const auto above = std::upper_bound(mean_context_.begin() + 1, mean_context_.end() - 1, mean);
  const auto i = static_cast<std::size_t>(above - mean_context_.begin());
  const double per_token = (seconds_[i] - seconds_[i - 1]) / (mean_context_[i] - mean_context_[i - 1]);
  StepLine line;
  line.value = sequences * seconds_[i - 1] + per_token * (context - sequences * mean_context_[i - 1]) + launch_s_;
  line.slope = per_token * growth;
  const bool last = i + 1 == mean_context_.size();
  if (growth > 0 && !last) line.span = std::max(0.0, (sequences * mean_context_[i] - context) / growth);
  return line;
}

}  // namespace tokenomics
