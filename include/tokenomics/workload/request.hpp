#pragma once

#include <cstdint>

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/workload/prompt_tree.hpp"

namespace tokenomics {

/// One call to the service. Policies never see output_tokens: only the engine does, to know when decoding ends.
struct Request {
  std::uint64_t id = 0;  ///< 0, 1, 2 ... in order of arrival
  SimTime arrival = 0;
  std::int64_t input_tokens = 0;      ///< whole prompt, cached part included; at least 1
  std::int64_t cached_tokens = 0;     ///< prefix found in the cache; below input_tokens
  std::int64_t output_tokens = 0;     ///< reasoning included; at least 1
  std::int64_t reasoning_tokens = 0;  ///< of the output; below output_tokens
  std::int32_t tenant = 0;
  std::int32_t priority = 0;       ///< class: 0 is served first where a policy looks at it
  std::int64_t session = -1;       ///< calls of one conversation or agent have the same; -1: none
  SegmentId segment = kNoSegment;  ///< of the source's prompt tree; kNoSegment: nothing is known about its tokens
  /// Of prompt and answer, the tokens that later prompts of this segment begin with: the prompt, and the answer unless
  /// reasoning before it is dropped from the history. Looked at with a segment only.
  std::int64_t reusable_tokens = 0;
};

/// Where requests come from, in order of arrival. Closed loops and sessions make requests out of completions.
class RequestSource {
 public:
  virtual ~RequestSource() = default;
  /// Arrival time of the next request, or kNever while none is known.
  [[nodiscard]] virtual SimTime next_arrival() const = 0;
  /// Takes the next request; next_arrival() must not be kNever.
  virtual Request take() = 0;
  /// Told when a request of this source ended (completed or rejected) at time `now`.
  virtual void ended(const Request& request, SimTime now) = 0;
  /// The tree that its requests' segments belong to; null when they have none. A source holds a reference to a request's
  /// segment at least until ended() returns for it.
  [[nodiscard]] virtual PromptTree* prompts() { return nullptr; }
};

}  // namespace tokenomics
