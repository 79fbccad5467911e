#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "tokenomics/roofline/draft_module.hpp"
#include "tokenomics/roofline/engine_launch.hpp"
#include "tokenomics/roofline/layer_program.hpp"
#include "tokenomics/roofline/rank_load.hpp"
#include "tokenomics/roofline/step_model.hpp"

namespace tokenomics {

/// Decode attention cores of one layer with a given number of queries a sequence.
class DecodeCores {
 public:
  DecodeCores(const InstancePlan& plan, const KernelTimer& timer, int queries);
  /// Of `sequences` with summed contexts; growth of those sums per step.
  [[nodiscard]] CoreLines at(double sequences, double context, double capped, double context_growth,
                             double capped_growth) const;
  [[nodiscard]] const CoreTable& core() const { return core_; }
  [[nodiscard]] const std::optional<CoreTable>& indexer() const { return indexer_; }

 private:
  CoreTable core_;
  std::optional<CoreTable> indexer_;
  bool windows_;  ///< some layers are windowed
};

/// What StepModel holds: programs are made when a phase is first timed.
struct StepModel::Tables {
  Tables(InstancePlan plan_in, Calibration calibration_in);

  struct Programs {
    std::unique_ptr<LayerProgram> layers;
    std::unique_ptr<LayerProgram> draft;  ///< MTP module's layer, without overlap; none without drafts
  };
  const Programs& programs(Phase phase) const;
  const OverlapSchedule& schedule(Phase phase) const;

  /// Seconds of a step, and how they change from step to step while decode contexts grow.
  StepLine time(const DecodeLoad& decode, const PrefillLoad& prefill, const DecodeGrowth& growth) const;

  InstancePlan plan;
  Calibration calibration;
  OverlapSchedule no_overlap;
  DecodeBalance balance;
  LayerOperators operators;
  DraftOperators draft_operators;
  DecodeCores cores;        ///< with all queries of a step
  DecodeCores draft_cores;  ///< with one, for drafts after the first
  TokenTable head;
  TokenTable draft_projection;
  TokenTable pipeline;
  double host_gap_s = 0;
  double prefill_floor_s = 0;
  double prefill_kernel_s = 0;  ///< the host's, for each kernel of a step with prompts

 private:
  CoreLines core_lines(const RankLoad& load, double micro_batches, const DecodeGrowth& growth) const;
  StepLine drafts(const RankLoad& load, const DecodeGrowth& growth) const;

  Programs make(Phase phase) const;

  mutable std::array<std::once_flag, 3> once_;
  mutable std::array<std::atomic<bool>, 3> made_{};  ///< spares the once_flag's call in every step
  mutable std::array<Programs, 3> programs_;
};

/// Prompt tokens of one of `micro_batches`.
PromptWork prompt_work(const RankLoad& load, double micro_batches);

}  // namespace tokenomics
