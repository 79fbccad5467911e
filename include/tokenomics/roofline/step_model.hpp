#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenomics/roofline/calibration.hpp"
#include "tokenomics/roofline/plan.hpp"
#include "tokenomics/roofline/step_timer.hpp"

namespace tokenomics {

enum class Phase { Decode, Prefill, Mixed };

/// One operator of a step on the slowest rank, all micro-batches and layers together.
struct OperatorTime {
  std::string name;  ///< "q_down_projection", "expert_gate_up", "dispatch" ...
  LayerPart part = LayerPart::AttentionIn;
  bool per_step = false;  ///< outside the layers (LM head, MTP module, host gap)
  double calls = 0;       ///< kernels launched per step
  Flops flops{0};
  Bytes hbm_bytes{0};
  Bytes link_bytes{0};
  Seconds time{0};
  Seconds speed_of_light{0};
  std::string bound;         ///< "compute" | "hbm" | "network" | "latency"
  double exposed_share = 1;  ///< of its time that the schedule does not hide
  std::string source;        ///< of its efficiencies
};

struct StepExplanation {
  std::vector<OperatorTime> operators;
  Seconds total{0};             ///< of the step as scheduled
  Seconds layers{0};            ///< of it inside the layers
  Seconds speed_of_light{0};    ///< the same step at 100% efficiency, everything overlapped that the schedule overlaps
  double distinct_experts = 0;  ///< expected, on one rank in one micro-batch
  double balancedness = 1;      ///< mean over max of the expert ranks' load
};

/// Times steps of one instance from first principles and a calibration. Construction tabulates; step() and run() then
/// cost well under a microsecond.
class StepModel final : public StepTimer {
 public:
  /// Throws ScenarioError when the plan contradicts itself (EP that does not divide, drafts without MTP ...).
  StepModel(InstancePlan plan, Calibration calibration);
  ~StepModel() override;

  [[nodiscard]] Seconds step(const DecodeLoad& decode, const PrefillLoad& prefill) const override;
  [[nodiscard]] LinearRun run(const DecodeLoad& decode, const DecodeGrowth& growth) const override;
  [[nodiscard]] std::int64_t context_cap() const override;

  [[nodiscard]] StepExplanation explain(const DecodeLoad& decode, const PrefillLoad& prefill) const;
  [[nodiscard]] const InstancePlan& plan() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

/// Where the memory of one GPU of the instance goes.
struct MemoryPlan {
  Bytes capacity{0};  ///< HBM * utilization
  Bytes attention_weights{0}, dense_weights{0}, expert_weights{0}, shared_expert_weights{0}, embedding_weights{0},
      mtp_weights{0};
  Bytes reserved{0};              ///< activations, workspace, communication buffers
  Bytes kv_budget{0};             ///< what is left
  double kv_bytes_per_token = 0;  ///< per GPU that holds the sequence (MLA: replicated over tp)
  std::int64_t kv_tokens_per_instance = 0;
  [[nodiscard]] Bytes weights() const;
};

/// Throws Infeasible with need and have by part when the weights do not leave room for a single block of KV.
MemoryPlan plan_memory(const InstancePlan& plan);

}  // namespace tokenomics
