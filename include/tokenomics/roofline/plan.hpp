#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/hw/gpu.hpp"
#include "tokenomics/llm/network.hpp"

namespace tokenomics {

/// How one instance (a replica that forms its own batches) lays the network over its GPUs.
struct Parallelism {
  int attention_tp = 1;  ///< GPUs that share one sequence's attention heads
  int attention_dp = 1;  ///< groups with batches of their own; gpus = attention_tp * attention_dp * cp * pp
  int ep = 1;            ///< GPUs over which routed experts are spread (1: not; experts are cut by moe_tp)
  int moe_tp = 1;        ///< GPUs that share one expert's matrices
  int pp = 1;            ///< pipeline stages
  int cp = 1;            ///< parts that a prompt's tokens are cut into; in decode each part is a rank of its own

  [[nodiscard]] int gpus() const { return stage_gpus() * pp; }
  /// GPUs of one pipeline stage: attention's, and the experts' too.
  [[nodiscard]] int stage_gpus() const { return attention_tp * token_ranks(); }
  /// Groups of attention_tp GPUs that have tokens of their own.
  [[nodiscard]] int token_ranks() const { return attention_dp * cp; }
};

struct Precisions {
  Precision weights = Precision::Bf16;      ///< attention projections, dense FFN, shared experts
  Precision experts = Precision::Bf16;      ///< routed experts, as stored
  Precision activations = Precision::Bf16;  ///< what a GEMM reads as its left side; computed in the wider of both sides
  Precision kv = Precision::Bf16;
  Precision attention = Precision::Bf16;  ///< arithmetic of the attention core
  Precision dispatch = Precision::Fp8;    ///< expert all-to-all, to the experts
  Precision combine = Precision::Bf16;    ///< and back
  std::optional<Precision> projections;   ///< attention's matrices where they are stored in another format than `weights`

  [[nodiscard]] Precision attention_weights() const { return projections.value_or(weights); }
};

enum class AllToAll { LowLatency, Normal };

/// Parts of a layer that a schedule can place. Every operator belongs to exactly one.
enum class LayerPart {
  AttentionIn,
  AttentionCore,
  AttentionOut,
  Router,
  Dispatch,
  Experts,
  Combine,
  SharedExpert,
  DenseFfn
};

/// An overlap schedule as data: a layer's time is the sum over stages of the slowest lane; a lane is the sum of its
/// parts. Each part of each micro-batch stands in exactly one lane (checked when read).
struct OverlapSchedule {
  struct Lane {
    std::vector<LayerPart> parts;
  };
  struct Stage {
    int times = 1;  ///< how often this stage runs in a layer
    std::vector<Lane> lanes;
  };
  std::string name = "none";
  int micro_batches = 1;
  double compute_share = 1.0;  ///< of the SMs left to compute while a communication kernel runs beside it
  std::vector<Stage> stages;   ///< empty: everything one after the other
};

/// A popularity law of experts beside Zipf's.
struct PopularityLaw {
  enum class Kind {
    Zipf,       ///< popularity of the r-th expert ~ r^-exponent
    PowerLaw,   ///< popularities have density ~ x^-alpha between 1 and `ratio`
    Histogram,  ///< given expert by expert
  };
  Kind kind = Kind::Zipf;
  double alpha = 1.01;
  double ratio = 205;
  std::vector<double> values;  ///< of a histogram, in any unit
};

/// Popularity of experts and what is done about it.
struct ExpertRouting {
  double zipf_exponent = 0.0;  ///< 0: uniform; popularity of the r-th expert ~ r^-exponent
  int redundant_experts = 0;   ///< extra slots for copies of the hottest experts (EPLB)
  bool force_balance = false;  ///< every rank gets the same tokens, as DeepSeek's profiles do
  PopularityLaw popularity;
  bool eplb = false;              ///< slots are spread by popularity even without redundant ones
  double refresh_s = 0;           ///< a placement is that old when it is made anew; 0: always fresh
  double drift_time_const_s = 0;  ///< after t a share 1 - exp(-t / this) of experts has another's popularity; 0: none
};

/// How the MTP module of an instance is stored and run. Acceptances are the simulation's.
struct DraftModule {
  std::optional<Precision> weights;  ///< of the whole module; nothing: as the network's layers
  /// Per draft, outside the kernels that are counted: a chain of small kernels for sampling, positions and lengths, and
  /// collectives of one token.
  double overhead_us = 0;
  /// Per sequence and step: trees, page tables and acceptances that the host handles where drafts are not scheduled ahead.
  double host_us_per_sequence = 0;
};

/// Where a sequence goes among the data-parallel attention ranks of an instance.
enum class RankDispatch {
  Random,
  LeastSequences,  ///< to the rank with the fewest
  LeastKv,         ///< to the rank with the least context
};

/// Uneven load over data-parallel attention ranks: the slowest rank sets the step.
struct RankBalance {
  double sequences_max_over_mean = 1.0;  ///< 0: computed from the dispatch policy
  double context_max_over_mean = 1.0;    ///< 0: computed from the dispatch policy
  std::optional<RankDispatch> dispatch;
  std::optional<double> context_cv;  ///< standard deviation over mean of contexts in decode; nothing: as 1
};

/// How the engine drives the GPU. Off, it launches each batch as it is and the GPU waits for the host between steps.
struct EngineLaunch {
  /// Sequences of a data-parallel rank for which a CUDA graph of a decode step was captured, rising: a smaller batch is
  /// filled up to the next of them, one beyond the last runs as it is. Empty: no batch is filled up.
  std::vector<std::int64_t> graph_batch_sizes;
  /// The host prepares a step while the one before it runs: its work shows only where it takes longer than the GPU's.
  bool overlaps_host = false;
};

/// Everything that decides how long a step takes, apart from the batch.
struct InstancePlan {
  Network network;
  Gpu gpu;
  Parallelism parallelism;
  Precisions precisions;
  AllToAll all_to_all = AllToAll::LowLatency;
  OverlapSchedule decode_schedule;
  OverlapSchedule prefill_schedule;
  ExpertRouting routing;
  RankBalance balance;
  int draft_tokens = 0;  ///< MTP: tokens verified together per step beyond the first
  DraftModule draft_module;
  double hbm_utilization = 0.9;  ///< share of HBM the engine may use
  Bytes reserved_per_gpu{0};     ///< activations, workspace, communication buffers
  EngineLaunch launch;
};

}  // namespace tokenomics
