#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tokenomics/units/quantity.hpp"

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

/// How a pool's router chooses the instance of a request. Loads count requests, waiting ones included.
enum class RouterPolicy {
  RoundRobin,       ///< each in its turn
  LeastLoaded,      ///< fewest requests
  LeastTokens,      ///< fewest prompt tokens of the requests it holds
  PowerOfTwo,       ///< the one with fewer requests of two drawn at random (Mitzenmacher, IEEE TPDS 12(10), 2001)
  SessionAffinity,  ///< where the session's last call went; a session's first call goes to the least loaded
  CacheAware,       ///< where most of the prompt was sent before, while loads are even; else the least loaded
};

/// When a cache-aware router follows its index of what it sent where. Defaults: those of SGLang's router (options
/// cache-threshold, balance-abs-threshold and balance-rel-threshold of its first release, December 2024), from memory: not
/// checked against its source.
struct CacheAwareRules {
  double min_match = 0.5;                    ///< share of the prompt that must have been sent there; higher: loads more even
  std::int64_t balance_abs_requests = 32;    ///< uneven: most - least > this ...
  double balance_rel = 1.0001;               ///< ... and most > this * least; then the least loaded is taken
  std::int64_t remembered_segments = 65536;  ///< the least recently used is forgotten
};

struct RouterRules {
  std::optional<RouterPolicy> decode;  ///< policy of decode pools; absent: the same as of the others
  CacheAwareRules cache_aware;
  std::int64_t remembered_sessions = 1 << 20;  ///< SessionAffinity: the least recently used is forgotten
};

/// Deliberate waiting: prompts are held until `until_requests` of them wait or the first has waited `at_most_s`.
/// Longer: denser steps and cheaper tokens, later first tokens.
struct WaitRule {
  std::int64_t until_requests = 1;
  double at_most_s = 0;
};

/// What becomes of a sequence that must give its KV memory to others. Off, or host memory full: its KV is dropped and
/// computed again later (vLLM's default). On: its KV goes to host memory and comes back when there is room.
struct SwapSpec {
  bool enabled = false;
  std::int64_t host_tokens = 0;  ///< that fit host memory, of one instance
  Seconds per_token{0};          ///< one way
};

/// Who of an instance's queue is admitted next.
enum class QueueOrder {
  Fcfs,            ///< by arrival at the instance; preempted ones in front
  Priority,        ///< by class, then by arrival at the service, preempted ones too (vLLM's `priority`)
  ShortestPrompt,  ///< fewest prompt tokens to compute; preempted ones in front
  LongestPrefix,   ///< most prompt tokens found in the cache (SGLang's `lpm`); preempted ones in front
};

/// Requests of the classes from `from_class` on fill what the others leave idle. One is admitted when none of the others
/// waits in the instance, and then the instance has at most the share `idle_below` of its sequences and of its KV memory in
/// use; an empty instance takes any. When memory runs out they are preempted first.
struct BatchTier {
  std::int32_t from_class = 1;
  double idle_below = 0.5;  ///< higher: more batch work done, less room for a burst of the others
  bool preempt = false;     ///< decoding ones make room for others that wait for a place or for memory
};

/// Attention data parallelism in one pool for prompts and answers: prompts start only together on all ranks, so that no rank
/// computes a prompt while the others wait for it (TensorRT-LLM's AttentionDpConfig: enable_balance, timeout_iters,
/// batching_wait_iters, of which the defaults are 50 and 10). The batch is one here, its ranks a number: every rank has a
/// prompt and a free slot when at least `ranks` prompts wait that could start and as many of max_sequences are free; some
/// rank has nothing to decode when fewer than `ranks` sequences decode, and then nobody is held.
struct RankBalanceWait {
  std::int64_t timeout_steps = 50;  ///< since the first could have started; higher: fewer uneven steps, later first tokens
  std::int64_t batching_steps = 0;  ///< further steps after every rank has one, for more of them
};

/// Delayed batching: while something decodes, prompts are held until the step that would start them is large enough or the
/// first could have started so many steps ago (TensorRT-LLM's batch_wait_max_tokens_ratio and batch_wait_timeout_iters).
/// Higher: fewer, denser prompt steps, so later first tokens and faster later ones.
struct BatchWait {
  std::int64_t steps = 1;
  double tokens_ratio = 1;  ///< of max_tokens_per_step: prompt tokens (cached ones too) and those of the decodes
};

/// How an instance forms its batches. Limits count the whole instance, all data-parallel ranks together.
struct BatchingSpec {
  BatchPolicy policy = BatchPolicy::ChunkedMixed;
  std::int64_t max_sequences = 256;
  std::int64_t max_tokens_per_step = 8192;  ///< prompt tokens plus one (or 1 + drafts) per decoding sequence
  PromptBudget prompt_budget = PromptBudget::TokenCount;
  bool chunked_prefill = true;  ///< false: a prompt is never cut (one longer than the budget goes alone)
  WaitRule wait;
  SwapSpec swap;
  QueueOrder queue = QueueOrder::Fcfs;
  double priority_aging_s = 0;  ///< Priority: who has waited so much longer is as good as the class before; 0: never
  std::optional<BatchTier> batch_tier;
  /// The engine decides a step while the one before it runs (asynchronous scheduling): who arrives waits for the step that
  /// runs and for the one that is decided already. Hides the host's work; costs a first token up to one step more.
  bool schedules_ahead = false;
  /// The engine looks for arrivals after every so many decode steps, after each prompt step, and when it has nothing to do
  /// (SGLang's scheduler_recv_interval). Higher: fewer interruptions of the batch, later first tokens.
  std::int64_t poll_steps = 1;
  /// The place and the memory of a finished sequence are free one step after its last token (overlap scheduling: results of
  /// a step are looked at while the next one runs). At once where no step follows, and where memory is short. Costs places.
  bool releases_late = false;
  std::optional<RankBalanceWait> rank_balance_wait;  ///< only with several ranks; queue Fcfs, no tier, poll_steps 1
  std::optional<BatchWait> batch_wait;               ///< only with one rank; queue Fcfs, no tier, poll_steps 1
};

/// Multi-token prediction: draft j is accepted with acceptance[j] given that the drafts before it were.
struct MtpSpec {
  int draft_tokens = 0;
  std::vector<double> acceptance;
};

}  // namespace tokenomics
