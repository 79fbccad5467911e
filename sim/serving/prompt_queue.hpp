#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "../core/sequence.hpp"
#include "tokenomics/sim/policies.hpp"

namespace tokenomics {

/// Who waits in an instance, and who of them is next. The order looks at what a server knows: class, arrival, prompt, never
/// the answer. What it looks at must not change while a sequence waits. O(log n); O(1) first come first served.
///
/// Sequences of the batch tier stand behind all others and are ordered among themselves.
class PromptQueue {
 public:
  explicit PromptQueue(const BatchingSpec& batching);

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::int64_t size() const { return lanes_[0].arrived.size() + lanes_[1].arrived.size(); }
  /// Prompt tokens that are to be computed for those who wait.
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }
  /// Next to be admitted.
  [[nodiscard]] Slot front() const;
  /// Of those beside front(), the batch tier or the others, who waits longest; a preempted one if there is any.
  [[nodiscard]] Slot oldest() const { return lanes_[lane_in_front()].arrived.front(); }
  /// Of them, who came last.
  [[nodiscard]] Slot newest() const { return lanes_[lane_in_front()].arrived.back(); }
  [[nodiscard]] bool is_batch(const Sequence& sequence) const { return sequence.request.priority >= batch_from_; }

  void push(SequenceStore& store, Slot slot) { insert(store, slot, false); }
  void push_preempted(SequenceStore& store, Slot slot) { insert(store, slot, true); }
  void remove(SequenceStore& store, Slot slot);

 private:
  /// What a policy orders by; less is first.
  struct Rank {
    std::int64_t first = 0;
    std::int64_t second = 0;
    std::int64_t arrival = 0;
    std::uint64_t id = 0;
    friend auto operator<=>(const Rank&, const Rank&) = default;
  };
  struct Entry {
    Rank rank;
    Slot slot;
  };
  struct Lane {
    SequenceList arrived;     ///< in order of arrival, preempted ones in front
    std::vector<Entry> heap;  ///< the same sequences by rank; not used first come first served
  };

  void insert(SequenceStore& store, Slot slot, bool preempted);
  [[nodiscard]] Rank rank_of(const Sequence& sequence) const;
  [[nodiscard]] std::size_t lane_of(const Sequence& sequence) const { return is_batch(sequence) ? 1 : 0; }
  [[nodiscard]] std::size_t lane_in_front() const { return lanes_[0].arrived.empty() ? 1 : 0; }
  static void sift_up(SequenceStore& store, std::vector<Entry>& heap, std::size_t at);
  static void sift_down(SequenceStore& store, std::vector<Entry>& heap, std::size_t at);

  QueueOrder order_;
  SimTime aging_;
  std::int32_t batch_from_;
  std::int64_t tokens_ = 0;
  std::array<Lane, 2> lanes_;
};

}  // namespace tokenomics
