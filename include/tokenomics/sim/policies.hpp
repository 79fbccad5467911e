#pragma once

#include <cstdint>
#include <vector>

namespace tokenomics {

enum class PoolRole { Mixed, Prefill, Decode };

enum class BatchPolicy {
  ChunkedMixed,  ///< decodes first, then prompt chunks up to the token budget, in one step (vLLM)
  PrefillFirst,  ///< a prefill-only step whenever a prompt waits and fits, else a decode step (SGLang)
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
  bool chunked_prefill = true;              ///< false: a prompt is never cut (one longer than the budget goes alone)
  WaitRule wait;
};

/// Multi-token prediction: draft j is accepted with acceptance[j] given that the drafts before it were.
struct MtpSpec {
  int draft_tokens = 0;
  std::vector<double> acceptance;
};

}  // namespace tokenomics
