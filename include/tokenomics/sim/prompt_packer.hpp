#pragma once

#include <cstdint>
#include <vector>

#include "tokenomics/roofline/step_timer.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// Packs prompt chunks into one step: each prompt to the data-parallel rank with the least work, as many tokens of it as
/// the rank's share of the budget leaves. What an instance and the steady-state evaluator both do.
class PromptPacker {
 public:
  /// `pool` and its timer must outlive this.
  explicit PromptPacker(const PoolConfig& pool);

  /// Begins a step in which `decode_tokens` of the budget are taken by sequences that decode.
  void begin(double decode_tokens);
  /// Takes a part of a prompt of which `done` tokens are computed and `left` are not, both whole. Returns how many of
  /// `left` enter this step; 0: none, the step is full.
  std::int64_t add(std::int64_t done, std::int64_t left);
  /// Load of the step, the slowest rank being the one with most work, attention counted. `finishing`: prompts whose last
  /// token is in the step.
  [[nodiscard]] PrefillLoad load(std::int64_t finishing) const;
  [[nodiscard]] bool empty() const { return prompts_ == 0; }

 private:
  struct Rank {
    double work = 0, tokens = 0, attended = 0, capped = 0, reexpanded = 0;
  };
  void weigh_attention();
  [[nodiscard]] double share_of_prompt(double left, double done, const Rank& rank) const;

  const PoolConfig& pool_;
  double cap_;
  double budget_ = 1;              ///< per rank, in tokens or token equivalents
  double attention_weight_ = 0;    ///< token equivalents of attending to one earlier token (PromptBudget::EvenWork)
  double reexpansion_weight_ = 0;  ///< ... and of bringing one earlier token's latent back for a chunk
  std::int64_t prompts_ = 0;
  std::vector<Rank> ranks_;
};

}  // namespace tokenomics
