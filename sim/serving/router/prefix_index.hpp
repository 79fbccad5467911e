#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../../core/lru_map.hpp"
#include "router.hpp"

namespace tokenomics {

/// What a router remembers of the prompts it sent where: for each segment of the prompt tree the instance that had it last
/// and how far. It is the router's own guess: it never asks the instances, and it does not see what they evict.
///
/// Bounded: at most `capacity` segments, each held by a reference (which keeps its ancestors' ids alive) until the least
/// recently used is forgotten. Cost of a call: O(depth of the prompt's segment).
class PrefixIndex {
 public:
  struct Match {
    int instance = Router::kNobody;
    std::int64_t tokens = 0;  ///< that the prompt begins with and that were sent there
  };

  PrefixIndex(PromptTree* prompts, int instances, std::size_t capacity);
  ~PrefixIndex();
  PrefixIndex(const PrefixIndex&) = delete;
  PrefixIndex& operator=(const PrefixIndex&) = delete;

  /// The longest remembered beginning of the prompt, if it has at least `least_tokens`.
  [[nodiscard]] Match match(const RoutedRequest& request, double least_tokens);
  void remember(const RoutedRequest& request, int instance);
  /// Everything that was sent to the instance is gone.
  void forget_instance(int instance) { ++epoch_[static_cast<std::size_t>(instance)]; }
  [[nodiscard]] std::size_t segments() const { return sent_.size(); }

 private:
  struct Sent {
    int instance = Router::kNobody;
    std::uint32_t epoch = 0;
    std::int64_t tokens = 0;
  };
  [[nodiscard]] bool holds(const Sent& sent) const { return sent.epoch == epoch_[static_cast<std::size_t>(sent.instance)]; }
  void put(SegmentId segment, const Sent& sent, bool is_own);

  PromptTree* prompts_;
  std::vector<std::uint32_t> epoch_;  ///< per instance; what was sent in an earlier one is void
  LruMap<SegmentId, Sent> sent_;
};

}  // namespace tokenomics
