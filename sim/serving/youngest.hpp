#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/sequence.hpp"

namespace tokenomics {

/// Which of some sequences joined the batch last. Those that left meanwhile are stale: their stamp no longer matches. O(1)
/// amortised: stale ones are swept out when they are more than half.
class Youngest {
 public:
  void add(const SequenceStore& store, Slot slot) {
    if (joined_.size() >= sweep_at_) sweep(store);
    joined_.push_back({slot, store[slot].stamp});
  }
  /// kNoSlot: none.
  [[nodiscard]] Slot youngest(const SequenceStore& store) {
    while (!joined_.empty() && is_stale(store, joined_.back())) joined_.pop_back();
    return joined_.empty() ? kNoSlot : joined_.back().slot;
  }

 private:
  static constexpr std::size_t kFirstSweep = 64;
  struct Entry {
    Slot slot;
    std::uint32_t stamp;
  };
  static bool is_stale(const SequenceStore& store, const Entry& entry) { return store[entry.slot].stamp != entry.stamp; }
  void sweep(const SequenceStore& store) {
    std::erase_if(joined_, [&](const Entry& entry) { return is_stale(store, entry); });
    sweep_at_ = std::max(kFirstSweep, 2 * joined_.size());
  }

  std::vector<Entry> joined_;
  std::size_t sweep_at_ = kFirstSweep;
};

}  // namespace tokenomics
