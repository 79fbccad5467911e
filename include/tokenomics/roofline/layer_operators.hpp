#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "tokenomics/roofline/attention_core.hpp"
#include "tokenomics/roofline/collectives.hpp"
#include "tokenomics/roofline/expert_load.hpp"
#include "tokenomics/roofline/kernel_time.hpp"
#include "tokenomics/roofline/plan.hpp"
#include "tokenomics/roofline/rank_imbalance.hpp"
#include "tokenomics/roofline/step_model.hpp"

namespace tokenomics {

/// One operator of one layer and micro-batch on the slowest rank: kernels or a transfer.
struct Operator {
  std::string_view name;  ///< of a literal
  LayerPart part = LayerPart::AttentionIn;
  KernelWork work;
  bool network = false;
  double link_bytes = 0;
  double link_s = 0;  ///< time of a transfer, latency included
};

/// A handful of operators without the heap: steps with prompts are timed millions of times.
class FewOperators {
 public:
  void push_back(const Operator& op) { items_[size_++] = op; }
  [[nodiscard]] const Operator* begin() const { return items_.data(); }
  [[nodiscard]] const Operator* end() const { return items_.data() + size_; }

 private:
  std::array<Operator, 5> items_{};
  std::size_t size_ = 0;
};

/// A weight matrix of rows x columns on one GPU, with its storage.
struct WeightMatrix {
  std::string_view name;  ///< of a literal
  LayerPart part = LayerPart::AttentionIn;
  double rows = 0;     ///< inner dimension K
  double columns = 0;  ///< N
  Precision stored = Precision::Bf16;
};

/// Matrices of one layer's attention that a rank multiplies tokens with. Absorbed products are not among them (they use
/// the same parameters as kv_up_projection); kv_up_projection is last of the MLA ones.
std::vector<WeightMatrix> attention_matrices(const InstancePlan& plan);
std::vector<WeightMatrix> dense_ffn_matrices(const InstancePlan& plan, const DenseFfn& ffn);
std::vector<WeightMatrix> shared_expert_matrices(const InstancePlan& plan, const MoeFfn& moe);
/// Of one routed expert on one of moe_tp GPUs.
std::vector<WeightMatrix> expert_matrices(const InstancePlan& plan, const MoeFfn& moe);

/// Prompt tokens of a step on one rank, one micro-batch.
struct PromptWork {
  double tokens = 0;
  double attended = 0;  ///< summed context that they attend to
  double capped_attended = 0;
  double reexpanded = 0;
  double sequences = 0;
};

/// Counts the operators of a layer and times them: the only place that does. Refers to the plan and the calibration that
/// it is made from.
class LayerOperators {
 public:
  LayerOperators(const InstancePlan& plan, const Calibration& calibration);

  /// Everything of a layer that depends on the rank's own tokens: all but the attention core and the routed experts.
  [[nodiscard]] std::vector<Operator> rank_operators(const LayerGroup& group, Phase phase, double tokens) const;
  /// The routed experts, from the tokens of the whole expert group.
  [[nodiscard]] std::vector<Operator> expert_operators(double group_tokens) const;
  /// Prompt tokens' attention core, re-expansion of cached latents and indexer.
  [[nodiscard]] FewOperators prompt_core(bool windowed, const PromptWork& prompt) const;
  /// What a shared step adds to the core: absorbed products of decode tokens, KV expansion of prompt tokens.
  [[nodiscard]] FewOperators mixed_extras(double decode_tokens, double prompt_tokens) const;
  [[nodiscard]] Operator head(std::string_view name, double tokens) const;
  /// MTP's 2h -> h projection.
  [[nodiscard]] Operator draft_projection(double tokens) const;
  /// Activations handed to the next pipeline stage, all hops of one pass.
  [[nodiscard]] Operator pipeline_transfer(double tokens) const;

  [[nodiscard]] double seconds(const Operator& op, double compute_share = 1.0) const;
  [[nodiscard]] const KernelTimer& timer() const { return timer_; }
  [[nodiscard]] const InstancePlan& plan() const { return *plan_; }
  [[nodiscard]] const Calibration& calibration() const { return *calibration_; }
  [[nodiscard]] const ExpertLoad* experts() const { return experts_.empty() ? nullptr : &experts_.front(); }
  /// Wait of computing kernels per end of an expert transfer.
  [[nodiscard]] double sm_hold_s() const;
  /// Every expert rank already has every token (attention is not data parallel): no all-to-all.
  [[nodiscard]] bool tokens_replicated() const { return plan_->parallelism.token_ranks() == 1; }

 private:
  void scale(KernelWork& work, Precision stored) const;
  [[nodiscard]] Operator gemm(const WeightMatrix& weight, double tokens) const;
  [[nodiscard]] Operator batched(std::string_view name, LayerPart part, double tokens, double rows, double columns) const;
  [[nodiscard]] Operator elementwise(std::string_view name, LayerPart part, double bytes) const;
  [[nodiscard]] Operator tp_all_reduce(std::string_view name, LayerPart part, double tokens) const;
  void add_attention(std::vector<Operator>& out, Phase phase, double tokens) const;
  /// Norms of latents, rotation, KV written to the cache, quantization of the core's output: bytes only.
  void add_attention_elementwise(std::vector<Operator>& out, Phase phase, double tokens, bool absorbed) const;
  /// Rows put in expert order, and the weighted sum of what comes back: bytes only.
  void add_row_moves(std::vector<Operator>& out, const MoeFfn& moe, double rows) const;
  void add_moe(std::vector<Operator>& out, const MoeFfn& moe, double tokens) const;
  void add_expert_transfers(std::vector<Operator>& out, const MoeFfn& moe, double tokens) const;
  /// Keys and values (MLA: latents) of `context` tokens, gathered by the cp GPUs that share a prompt before they attend
  /// (all-gather context parallelism: Llama Team, The Llama 3 Herd of Models, 2024, 3.3.2; not overlapped there either).
  [[nodiscard]] Operator kv_exchange(double context) const;
  [[nodiscard]] Operator expert_transfer(std::string_view name, LayerPart part, const MoeFfn& moe, double tokens,
                                         Precision precision) const;

  const InstancePlan* plan_;
  const Calibration* calibration_;
  KernelTimer timer_;
  Link tp_link_;
  Link ep_link_;
  Link pp_link_;
  Link cp_link_;
  DecodeBalance balance_;
  std::vector<ExpertLoad> experts_;  ///< none or one
};

}  // namespace tokenomics
