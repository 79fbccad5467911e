// Sequences that give their memory to others: computed again later, or swapped to host memory.
#include <algorithm>

#include "instance.hpp"

namespace tokenomics {

/// It gives its blocks back and is computed again later, prompt and answer so far.
void Instance::preempt_decoding(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  const std::int64_t context = context_of(s) / kFixedOne;
  free_late_places();
  leave(slot);
  give_prefix_back(s, 0, now);
  s.emitted = std::min(context - s.request.input_tokens, s.request.output_tokens - 1);
  s.prompt_target = s.request.input_tokens + s.emitted;
  s.prompt_done = swap_out(s, now) ? s.prompt_target : kept_of_prompt(s);
  requeue_preempted(slot, now);
}

/// Out to host memory and back again later, over the GPUs' link to it: at the earliest after both.
bool Instance::swap_out(Sequence& s, SimTime now) {
  const SwapSpec& swap = config_.batching.swap;
  if (!swap.enabled || swapped_kv_ + s.prompt_target > swap.host_tokens) return false;
  swapped_kv_ += s.prompt_target;
  s.swapped = true;
  s.available = now + to_sim_time(2 * static_cast<double>(s.prompt_target) * swap.per_token);
  return true;
}

/// A prompt that is not complete gives its blocks back: what was computed of it is lost.
void Instance::preempt_prompt(SimTime now) {
  const Slot slot = prefilling_.back();
  prefilling_.remove(store_, slot);
  prompt_kv_ -= store_[slot].charged;
  store_[slot].charged = 0;
  give_prefix_back(store_[slot], 0, now);
  store_[slot].prompt_done = kept_of_prompt(store_[slot]);
  requeue_preempted(slot, now);
}

/// What a cache of the service holds is looked up again, where there is one; what the source says is always there.
std::int64_t Instance::kept_of_prompt(const Sequence& s) const {
  return context_.looks_up && s.request.segment != kNoSegment ? 0 : s.request.cached_tokens;
}

void Instance::requeue_preempted(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  s.enqueued = s.stopped = now;
  ++s.preemptions;
  look_up_for_order(s, now);
  queue_.push_preempted(store_, slot);
  context_.listener->preempted(slot);
}

}  // namespace tokenomics
