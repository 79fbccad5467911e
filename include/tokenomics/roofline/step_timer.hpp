#pragma once

#include <cstdint>

#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// Sequences in the decode phase of one instance, all data-parallel ranks together.
struct DecodeLoad {
  std::int64_t sequences = 0;
  double context_tokens = 0;  ///< sum of their contexts
  double capped_tokens = 0;   ///< sum of min(context, cap) with the timer's context_cap(); equals context_tokens without
};

/// By how much the sums of a DecodeLoad grow each step while nobody joins or leaves.
struct DecodeGrowth {
  double context_tokens = 0;
  double capped_tokens = 0;
};

/// Prompt tokens that share a step.
struct PrefillLoad {
  double tokens = 0;                  ///< computed in this step
  double attended_tokens = 0;         ///< sum over them of the context each attends to (causal, cached part included)
  double capped_attended_tokens = 0;  ///< the same with each context capped at context_cap()
  double reexpanded_tokens = 0;       ///< earlier tokens (prefix hits, earlier chunks) whose latents MLA expands again
  std::int64_t sequences = 0;         ///< prompts in the step
  std::int64_t finishing = 0;         ///< prompts whose last token is in the step: each needs the LM head once
  /// How many of `tokens` are on the data-parallel rank that has most of them. 0: whoever asks does not know how prompts
  /// lie on ranks, and the timer assumes them even as far as whole prompts can be.
  double fullest_rank_tokens = 0;
  double fullest_rank_attention = 0;  ///< of `attended_tokens`, on the rank that has most of those
};

/// A run of decode steps whose times are an arithmetic series: step k (k = 0, 1, ... below `steps`) takes
/// first + k * slope. Exact within the run; a run ends where the closed form changes (a bound flips, a table bends).
struct LinearRun {
  double first_s = 0;
  double slope_s = 0;
  double steps = 1;  ///< at least 1
};

/// How long a step takes. The event engine knows nothing else about GPUs.
class StepTimer {
 public:
  virtual ~StepTimer() = default;
  /// Time of one step. At least one of the loads is not empty.
  [[nodiscard]] virtual Seconds step(const DecodeLoad& decode, const PrefillLoad& prefill) const = 0;
  /// Times of the decode-only steps from this load on. Its first step equals step(decode, {}) to rounding.
  [[nodiscard]] virtual LinearRun run(const DecodeLoad& decode, const DecodeGrowth& growth) const = 0;
  /// Context beyond which attention reads no further (smallest window or top-k), or 0 when there is no cap.
  [[nodiscard]] virtual std::int64_t context_cap() const { return 0; }
};

}  // namespace tokenomics
