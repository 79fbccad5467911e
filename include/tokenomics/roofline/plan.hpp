#pragma once

#include <string>
#include <vector>

#include "tokenomics/hw/gpu.hpp"
#include "tokenomics/llm/network.hpp"

namespace tokenomics {

/// How one instance (a replica that forms its own batches) lays the network over its GPUs.
struct Parallelism {
  int attention_tp = 1;  ///< GPUs that share one sequence's attention heads
  int attention_dp = 1;  ///< groups with batches of their own; gpus = attention_tp * attention_dp * pp
  int ep = 1;            ///< GPUs over which routed experts are spread (1: not; experts are cut by moe_tp)
  int moe_tp = 1;        ///< GPUs that share one expert's matrices
  int pp = 1;            ///< pipeline stages

  [[nodiscard]] int gpus() const { return attention_tp * attention_dp * pp; }
};

struct Precisions {
  Precision weights = Precision::Bf16;      ///< attention projections, dense FFN, shared experts
  Precision experts = Precision::Bf16;      ///< routed experts, as stored
  Precision activations = Precision::Bf16;  ///< what a GEMM reads as its left side, and arithmetic of GEMMs
  Precision kv = Precision::Bf16;
  Precision attention = Precision::Bf16;  ///< arithmetic of the attention core
  Precision dispatch = Precision::Fp8;    ///< expert all-to-all, to the experts
  Precision combine = Precision::Bf16;    ///< and back
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

/// Popularity of experts and what is done about it.
struct ExpertRouting {
  double zipf_exponent = 0.0;  ///< 0: uniform; popularity of the r-th expert ~ r^-exponent
  int redundant_experts = 0;   ///< extra slots for copies of the hottest experts (EPLB)
  bool force_balance = false;  ///< every rank gets the same tokens, as DeepSeek's profiles do
};

/// Uneven load over data-parallel attention ranks: the slowest rank sets the step.
struct RankBalance {
  double sequences_max_over_mean = 1.0;
  double context_max_over_mean = 1.0;
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
  int draft_tokens = 0;          ///< MTP: tokens verified together per step beyond the first
  double hbm_utilization = 0.9;  ///< share of HBM the engine may use
  Bytes reserved_per_gpu{0};     ///< activations, workspace, communication buffers
};

}  // namespace tokenomics
