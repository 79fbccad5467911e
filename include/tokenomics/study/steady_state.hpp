#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/sim/service.hpp"
#include "tokenomics/workload/lengths.hpp"

namespace tokenomics {

/// A workload as the steady-state evaluator sees it: drawn once for a length law and a context limit.
struct WorkloadSample {
  LengthStatistics mean;             ///< of accepted requests
  std::vector<Lengths> prompts;      ///< accepted requests in the order in which they come
  std::vector<double> gaps;          ///< between them, in mean gaps: exponential, stratified, in random order
  std::vector<double> tokens_after;  ///< output tokens after the first at equally likely quantiles, those with any
  /// Prompts at equally likely quantiles of their computed tokens, each the mean of its cell.
  struct PromptStratum {
    double computed = 0, cached = 0;
    double attended = 0;  ///< sum over the computed tokens of the context they attend to
  };
  std::vector<PromptStratum> prompt_strata;
  PromptStratum mean_prompt;
  double computed_variation = 0;  ///< E[w^2] / E[w]^2 of computed prompt tokens
  double kv_variation = 0;        ///< E[c^2] / E[c]^2 of a decoding sequence's context as found in the batch
  double rejected_share = 0;      ///< of offered requests: prompts that leave no room for an answer
  double truncated_share = 0;     ///< of accepted requests: answers that end at the limit
};

/// `limit_tokens`: prompt + answer (see sequence_limit()). Throws Infeasible when no prompt is short enough.
WorkloadSample sample_workload(const LengthLaw& law, std::int64_t limit_tokens, std::uint64_t seed);

/// Why an instance cannot hold a load; None: it can.
enum class LoadLimit { None, Compute, Places, KvMemory };

/// One decoding (or mixed) instance under a Poisson load, in its stationary state.
///
/// n = rate * E[steps] * T(n + 1): Little's law with the batch that a request meets, itself included. Exact for a
/// step time linear in n, by the insensitivity of processor sharing with state-dependent rate (Kelly 1979; Bonald and
/// Proutiere 2002): pi(n) ~ prod_{i<=n} rate * E[steps] * T(i) / i, whatever the law of the lengths.
/// Sequences and contexts fluctuate: a load is refused where two standard deviations do not find places or KV memory.
struct DecodeState {
  LoadLimit refused = LoadLimit::None;
  double sequences = 0;     ///< mean batch
  double alone_s = 0;       ///< a step that carries no prompts
  double step_s = 0;        ///< mean time from one decode step to the next, prompts between or within them included
  double prompt_share = 0;  ///< of that time which prompts add
  double prompt_s = 0;      ///< added by one mean prompt
  double busy_rest_s = 0;   ///< prefill first: for which prompts keep the instance after a request's own, mean
  double kv_share = 0;      ///< of KV memory, mean
  double tpot_s = 0;        ///< mean over requests
  double step_slope_s = 0;  ///< by how much one more sequence lengthens step_s
  double feedback = 0;      ///< rate * E[steps] * slope: the batch's variance is sequences / (1 - feedback)
};
DecodeState decode_state(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s);

/// Quantile (0 < p < 1) of TPOT over requests in seconds: p = 0.9 is the TPOT that nine of ten stay below. A request's
/// mean gap is normal around the mean, with the variance of prompts that come between its tokens, of accepted drafts and
/// of the batch, averaged over the length laws' answers.
double tpot_quantile_s(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s, const DecodeState& state,
                       double p);

/// First tokens of one instance: time from arrival to the end of prefill.
///
/// A Lindley-type recursion from step boundary to step boundary over `workload.prompts`: batches form by the pool's own
/// policy, budget, ranks and waiting rule; decode steps between prompts take the mean batch. Deterministic, a few
/// hundred nanoseconds a prompt.
struct FirstTokens {
  std::vector<double> sorted_s;  ///< rising
  double mean_s = 0;
  double busy_share = 0;   ///< of the time: steps with prompts, or all of them where the batch decodes
  bool saturated = false;  ///< prompts come faster than they are computed

  [[nodiscard]] double quantile_s(double p) const;  ///< 0 < p < 1
};
/// `decode` is null in prefill pools.
FirstTokens first_tokens(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s,
                         const DecodeState* decode);

}  // namespace tokenomics
