#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sequence.hpp"

namespace tokenomics {

/// What happens to sequences at a given decode step of their instance, soonest first. Entries of sequences that left
/// meanwhile (preempted) are stale and skipped: their stamp no longer matches.
class StepCalendar {
 public:
  void add(const SequenceStore& store, std::uint64_t step, Slot slot) {
    heap_.push_back({step, slot, store[slot].stamp});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  /// Step of the next live entry, or `none`.
  std::uint64_t next_step(const SequenceStore& store, std::uint64_t none) {
    while (!heap_.empty() && store[heap_.front().slot].stamp != heap_.front().stamp) drop();
    return heap_.empty() ? none : heap_.front().step;
  }
  /// Takes the next live entry due at `step`, or kNoSlot.
  Slot take_due(const SequenceStore& store, std::uint64_t step) {
    if (next_step(store, step + 1) > step) return kNoSlot;
    const Slot slot = heap_.front().slot;
    drop();
    return slot;
  }

 private:
  struct Entry {
    std::uint64_t step;
    Slot slot;
    std::uint32_t stamp;
  };
  static bool later(const Entry& a, const Entry& b) { return a.step > b.step || (a.step == b.step && a.slot > b.slot); }
  void drop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }
  std::vector<Entry> heap_;
};

}  // namespace tokenomics
