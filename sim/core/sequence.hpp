#pragma once

#include <cstdint>
#include <vector>

#include "tokenomics/workload/request.hpp"

namespace tokenomics {

using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = 0xffffffffU;

/// Contexts grow by fractions of a token under multi-token prediction. Sums of them are kept in integers of 2^-20
/// token, so that what joined a sum leaves it exactly; 2^43 tokens fit.
using FixedTokens = std::int64_t;
inline constexpr FixedTokens kFixedOne = FixedTokens{1} << 20;

/// KV of a prompt on its way from lower cache tiers: positions [from, to) are there at `ready`.
struct CacheLoad {
  SimTime ready = 0;
  std::int64_t from = 0, to = 0;
};

/// A request inside the service.
struct alignas(64) Sequence {
  Request request;
  std::uint64_t start_step = 0;   ///< decode step of the instance at which it joined
  std::uint64_t finish_step = 0;  ///< ... and after which it is done (leaping mode)
  FixedTokens context0 = 0;       ///< context when it joined
  FixedTokens growth = 0;         ///< per decode step
  std::int64_t pad = 0;           ///< of its last block when it joined
  Slot next = kNoSlot;
  Slot prev = kNoSlot;
  std::uint32_t stamp = 0;         ///< tells a stale heap entry from a live one
  int instance = -1;               ///< where it is or was last
  SimTime first_token = kNever;    ///< the user got it
  SimTime scheduled = kNever;      ///< its first prompt token entered a step
  SimTime enqueued = 0;            ///< reached the instance that holds it now
  std::int64_t emitted = 0;        ///< output tokens made so far, up to the last join or preemption
  std::int64_t prompt_done = 0;    ///< tokens in the KV cache, prefix hits included
  std::int64_t prompt_target = 0;  ///< tokens that must be there before decoding: the prompt, after preemption more
  std::int64_t charged = 0;        ///< KV tokens held while its prompt is computed or received
  std::int64_t shared = 0;         ///< of its KV tokens, those that the prefix cache counts
  int preemptions = 0;
  int retries = 0;      ///< after failures of the instance that had it
  bool capped = false;  ///< its context has reached the timer's cap
  bool measured = false;
  bool resident = false;           ///< was there when a stationary run began
  bool prompt_counted = false;     ///< as input of the service: once, however often it is computed
  bool counted_at_router = false;  ///< among the prompt tokens that the router takes its instance to hold
  bool kv_away = false;            ///< decode pools: its KV is still with the sender
  bool swapped = false;            ///< its KV is in host memory
  bool has_waited = false;         ///< its turn had come when lower cache tiers were found to hold more of its prompt
  // Seldom looked at.
  std::uint32_t place = 0;             ///< in the heap of the queue that it waits in
  int sender = -1;                     ///< prefill instance that computed its prompt
  std::int64_t charged_at_sender = 0;  ///< KV tokens held by the prefill instance until they are sent
  std::uint32_t sender_failures = 0;   ///< of that instance when it did
  SimTime stopped = kNever;            ///< when it was last taken out of a batch before its end
  SimTime available = 0;               ///< swapped out: its KV is not back before
  std::int64_t found = 0;              ///< where the queue's order asks: of its prompt, cached when it came into the queue
  CacheLoad loaded;                    ///< what lower tiers gave for it
};

/// Live sequences in one array; a finished one's slot is used again, so memory follows the number in the system.
class SequenceStore {
 public:
  Slot add(const Request& request) {
    Slot slot = free_;
    if (slot == kNoSlot) {
      slot = static_cast<Slot>(sequences_.size());
      sequences_.emplace_back();
    } else {
      free_ = sequences_[slot].next;
    }
    ++live_;
    const std::uint32_t stamp = sequences_[slot].stamp + 1;
    sequences_[slot] = Sequence{};
    sequences_[slot].request = request;
    sequences_[slot].prompt_target = request.input_tokens;
    sequences_[slot].prompt_done = request.cached_tokens;
    sequences_[slot].stamp = stamp;
    return slot;
  }
  void remove(Slot slot) {
    --live_;
    ++sequences_[slot].stamp;
    sequences_[slot].next = free_;
    free_ = slot;
  }
  Sequence& operator[](Slot slot) { return sequences_[slot]; }
  const Sequence& operator[](Slot slot) const { return sequences_[slot]; }
  [[nodiscard]] std::int64_t live() const { return live_; }

 private:
  std::vector<Sequence> sequences_;
  Slot free_ = kNoSlot;
  std::int64_t live_ = 0;
};

/// A doubly linked list through Sequence::next and prev; a sequence is in at most one list.
class SequenceList {
 public:
  [[nodiscard]] bool empty() const { return head_ == kNoSlot; }
  [[nodiscard]] Slot front() const { return head_; }
  [[nodiscard]] Slot back() const { return tail_; }
  [[nodiscard]] std::int64_t size() const { return size_; }

  void push_back(SequenceStore& store, Slot slot) { insert(store, slot, tail_, kNoSlot); }
  void push_front(SequenceStore& store, Slot slot) { insert(store, slot, kNoSlot, head_); }
  void remove(SequenceStore& store, Slot slot) {
    const Slot prev = store[slot].prev, next = store[slot].next;
    (prev == kNoSlot ? head_ : store[prev].next) = next;
    (next == kNoSlot ? tail_ : store[next].prev) = prev;
    --size_;
  }

 private:
  void insert(SequenceStore& store, Slot slot, Slot prev, Slot next) {
    store[slot].prev = prev;
    store[slot].next = next;
    (prev == kNoSlot ? head_ : store[prev].next) = slot;
    (next == kNoSlot ? tail_ : store[next].prev) = slot;
    ++size_;
  }

  Slot head_ = kNoSlot;
  Slot tail_ = kNoSlot;
  std::int64_t size_ = 0;
};

}  // namespace tokenomics
