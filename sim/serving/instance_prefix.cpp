// The prefix cache of an instance: what a sequence shares with it is counted there, the rest by the instance.
#include <algorithm>

#include "instance.hpp"

namespace tokenomics {

SimTime Instance::load_prefix(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  if (!caches(s)) return now;
  s.loaded = cache_->load(s.request, now);
  if (s.loaded.to == 0) return now;
  s.instance = global_index_;
  ++loading_;
  return s.loaded.ready;
}

/// Lower tiers may have got more of a prompt while it waited (the turn before it was still computed when it came). Then it
/// is loaded before the prompt is computed, and the next in the queue goes first.
bool Instance::fetch_prefix(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  if (!caches(s) || s.has_waited || !cache_->finds_more(s.request, s.loaded, now)) return false;
  s.loaded = cache_->load(s.request, now);
  s.has_waited = fetched_ = true;
  queue_.remove(store_, slot);
  ++loading_;
  context_.listener->loads_prefix(slot, s.loaded.ready);
  return true;
}

void Instance::take_prefix(Sequence& s, SimTime now) {
  if (!caches(s)) return;
  s.shared = cache_->take(s.request, s.loaded, now);
  s.loaded = {};
  s.has_waited = false;
  s.prompt_done = s.shared;
  shared_sum_ += s.shared;
  if (s.scheduled == kNever) s.request.cached_tokens = s.shared;
}

/// Orders of the queue that look at the cache do so once: places in the queue do not change.
void Instance::look_up_for_order(Sequence& s, SimTime now) {
  const QueueOrder order = config_.batching.queue;
  const bool asks = order == QueueOrder::ShortestPrompt || order == QueueOrder::LongestPrefix;
  s.found = 0;
  if (!asks || !caches(s) || s.swapped) return;
  // What the run under way has pushed out by now is gone.
  if (mode_ == Mode::DecodeRun)
    make_room_in_cache(now, growth_sum_ * static_cast<FixedTokens>(clock_.steps_until(now, run_steps_)));
  s.found = cache_->reusable(s.request, s.loaded, now);
}

void Instance::publish_prefix(Sequence& s, SimTime now) {
  if (!caches(s)) return;
  const std::int64_t before = s.shared;
  s.shared = cache_->publish(s.request, before, s.prompt_done, now);
  shared_sum_ += s.shared - before;
}

void Instance::give_prefix_back(Sequence& s, std::int64_t kept, SimTime now) {
  if (!caches(s)) return;
  shared_sum_ -= s.shared;
  cache_->give_back(s.request, s.shared, std::min(kept, s.request.reusable_tokens), now);
  s.shared = 0;
}

void Instance::make_room_in_cache(SimTime now, FixedTokens growth) {
  if (!cache_) return;
  const FixedTokens excess = charged() + growth - config_.kv_tokens * kFixedOne;
  if (excess > 0) cache_->make_room((excess + kFixedOne - 1) / kFixedOne, now);
}

void Instance::forget_prefixes(SimTime now) {
  if (!cache_) return;
  cache_->sample(now);
  cache_->lose();
}

}  // namespace tokenomics
