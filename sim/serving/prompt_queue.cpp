#include "prompt_queue.hpp"

#include <limits>
#include <utility>

namespace tokenomics {
namespace {

std::int64_t tokens_to_compute(const Sequence& s) { return s.prompt_target - s.prompt_done; }

/// Moves `entry` to `at`, and tells its sequence.
template <typename Entry>
void put(SequenceStore& store, std::vector<Entry>& heap, std::size_t at, const Entry& entry) {
  heap[at] = entry;
  store[entry.slot].place = static_cast<std::uint32_t>(at);
}

}  // namespace

PromptQueue::PromptQueue(const BatchingSpec& batching)
    : order_(batching.queue),
      aging_(to_sim_time(Seconds{batching.priority_aging_s})),
      batch_from_(batching.batch_tier ? batching.batch_tier->from_class : std::numeric_limits<std::int32_t>::max()) {}

Slot PromptQueue::front() const {
  const Lane& lane = lanes_[lane_in_front()];
  return order_ == QueueOrder::Fcfs ? lane.arrived.front() : lane.heap.front().slot;
}

void PromptQueue::insert(SequenceStore& store, Slot slot, bool preempted) {
  const Sequence& s = store[slot];
  tokens_ += tokens_to_compute(s);
  Lane& lane = lanes_[lane_of(s)];
  if (preempted) lane.arrived.push_front(store, slot);
  else lane.arrived.push_back(store, slot);
  if (order_ == QueueOrder::Fcfs) return;
  lane.heap.push_back({rank_of(s), slot});
  put(store, lane.heap, lane.heap.size() - 1, lane.heap.back());
  sift_up(store, lane.heap, lane.heap.size() - 1);
}

void PromptQueue::remove(SequenceStore& store, Slot slot) {
  const Sequence& s = store[slot];
  tokens_ -= tokens_to_compute(s);
  Lane& lane = lanes_[lane_of(s)];
  lane.arrived.remove(store, slot);
  if (order_ == QueueOrder::Fcfs) return;
  const std::size_t at = s.place;
  const Entry last = lane.heap.back();
  lane.heap.pop_back();
  if (at == lane.heap.size()) return;
  put(store, lane.heap, at, last);
  sift_up(store, lane.heap, at);
  sift_down(store, lane.heap, store[last.slot].place);
}

/// With aging a request of class c that has waited w is worth c - w / aging. Two of them compare alike at all times, so the
/// rank c * aging + arrival never changes.
PromptQueue::Rank PromptQueue::rank_of(const Sequence& s) const {
  const Request& r = s.request;
  const std::int64_t preempted_first = s.preemptions > 0 ? 0 : 1;
  switch (order_) {
    case QueueOrder::Priority:
      return aging_ > 0 ? Rank{r.priority * aging_ + r.arrival, 0, r.arrival, r.id} : Rank{r.priority, 0, r.arrival, r.id};
    case QueueOrder::ShortestPrompt: return {preempted_first, tokens_to_compute(s) - s.found, r.arrival, r.id};
    case QueueOrder::LongestPrefix: return {preempted_first, -(s.prompt_done + s.found), r.arrival, r.id};
    case QueueOrder::Fcfs: break;
  }
  return {};
}

void PromptQueue::sift_up(SequenceStore& store, std::vector<Entry>& heap, std::size_t at) {
  const Entry moving = heap[at];
  while (at > 0 && moving.rank < heap[(at - 1) / 2].rank) {
    put(store, heap, at, heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  put(store, heap, at, moving);
}

void PromptQueue::sift_down(SequenceStore& store, std::vector<Entry>& heap, std::size_t at) {
  const Entry moving = heap[at];
  for (std::size_t child = 2 * at + 1; child < heap.size(); child = 2 * at + 1) {
    if (child + 1 < heap.size() && heap[child + 1].rank < heap[child].rank) ++child;
    if (!(heap[child].rank < moving.rank)) break;
    put(store, heap, at, heap[child]);
    at = child;
  }
  put(store, heap, at, moving);
}

}  // namespace tokenomics
