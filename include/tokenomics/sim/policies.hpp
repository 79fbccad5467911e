#pragma once

#include <cstdint>
#include <vector>

namespace tokenomics {

enum class PoolRole { Mixed, Prefill, Decode };

enum class BatchPolicy {
  ChunkedMixed,  ///< decodes first, then prompt chunks up to the token budget, in one step (vLLM)
  PrefillFirst,  ///< a prefill-only step whenever a prompt waits and fits, else a decode step (SGLang)
};

/// What the prompt budget of a step counts on each data-parallel rank.
enum class PromptBudget {
  TokenCount,  ///< prompt tokens: one long prompt makes its rank, and so the step, slow
  EvenWork,    ///< token equivalents, attention to earlier tokens included (DeepSeek's prefill balancer: core attention and
               ///< input tokens even over ranks); a chunk deep inside a long prompt is shorter
};

enum class RouterPolicy { RoundRobin, LeastLoaded };

/// Deliberate waiting: prompts are held until `until_requests` of them wait or the first has waited `at_most_s`.
/// Longer: denser steps and cheaper tokens, later first tokens.
struct WaitRule {
  std::int64_t until_requests = 1;
  double at_most_s = 0;
};

/// How an instance forms its batches. Limits count the whole instance, all data-parallel ranks together.
struct BatchingSpec {
  BatchPolicy policy = BatchPolicy::ChunkedMixed;
  std::int64_t max_sequences = 256;
  std::int64_t max_tokens_per_step = 8192;  ///< prompt tokens plus one (or 1 + drafts) per decoding sequence
  PromptBudget prompt_budget = PromptBudget::TokenCount;
  bool chunked_prefill = true;  ///< false: a prompt is never cut (one longer than the budget goes alone)
  WaitRule wait;
  /// The engine decides a step while the one before it runs (asynchronous scheduling): who arrives waits for the step that
  /// runs and for the one that is decided already. Hides the host's work; costs a first token up to one step more.
  bool schedules_ahead = false;
};

/// Multi-token prediction: draft j is accepted with acceptance[j] given that the drafts before it were.
struct MtpSpec {
  int draft_tokens = 0;
  std::vector<double> acceptance;
};

}  // namespace tokenomics
