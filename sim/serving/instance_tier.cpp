// The batch tier: what fills an instance that the other requests leave idle.
#include <algorithm>
#include <cmath>

#include "instance.hpp"

namespace tokenomics {

/// Others go first by the order of the queue; here only how much of the instance is in use counts.
bool Instance::tier_lets_in(const Sequence& head) const {
  if (!queue_.is_batch(head) || places_taken() == 0) return true;
  const double idle_below = config_.batching.batch_tier->idle_below;
  const auto in_use = static_cast<double>(places_taken());
  const FixedTokens need =
      held_by_sequences() + (rounded_to_blocks(head.prompt_target + 1) + config_.kv_tokens_per_sequence) * kFixedOne;
  return in_use + 1 <= idle_below * static_cast<double>(config_.batching.max_sequences) &&
         static_cast<double>(need) <= idle_below * static_cast<double>(config_.kv_tokens) * static_cast<double>(kFixedOne);
}

/// Nothing but the tier's rule keeps the next in the queue out.
bool Instance::tier_holds_head(SimTime now) {
  if (!config_.batching.batch_tier || queue_.empty() || places_taken() == 0) return false;
  const Sequence& head = store_[queue_.front()];
  const bool ready = head.prompt_done >= head.prompt_target && head.available <= now;
  return !tier_lets_in(head) && (ready || gate_open(now)) && places_taken() < config_.batching.max_sequences &&
         fits(head, now);
}

/// Whether preempting from the batch tier may let it in.
bool Instance::can_make_way(const Sequence& head) {
  const auto& tier = config_.batching.batch_tier;
  return tier && tier->preempt && !queue_.is_batch(head) && active_batch_.youngest(store_) != kNoSlot;
}

void Instance::make_way_for(const Sequence& head, SimTime now) {
  while (!has_room_for(head, now) && can_make_way(head)) preempt_decoding(active_batch_.youngest(store_), now);
}

}  // namespace tokenomics
