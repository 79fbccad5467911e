// The end of an instance in the middle of its work.
#include <algorithm>
#include <utility>

#include "instance.hpp"

namespace tokenomics {

std::vector<Slot> Instance::fail(SimTime now) {
  if (mode_ != Mode::Idle) count_broken_off(now);
  end_hold(now);
  std::vector<Slot> held;
  while (!active_.empty()) {
    const Slot slot = active_.front();
    Sequence& s = store_[slot];
    const std::int64_t context = context_of(s) / kFixedOne;
    leave(slot);
    give_prefix_back(s, 0, now);
    s.emitted = std::min(context - s.request.input_tokens, s.request.output_tokens - 1);
    s.stopped = now;
    held.push_back(slot);
  }
  while (!prefilling_.empty()) {
    const Slot slot = prefilling_.front();
    prefilling_.remove(store_, slot);
    store_[slot].charged = 0;
    give_prefix_back(store_[slot], 0, now);
    held.push_back(slot);
  }
  while (!queue_.empty()) {
    const Slot slot = queue_.front();
    queue_.remove(store_, slot);
    if (store_[slot].kv_away) --store_[slot].emitted;  // the token that prefill made has not come
    held.push_back(slot);
  }
  for (const Slot slot : landed_) {
    store_[slot].charged = 0;
    held.push_back(slot);
  }
  landed_.clear();
  // What is on its way in or out finds out when it arrives.
  prompt_kv_ = shared_sum_ = arriving_ = sending_ = loading_ = swapped_kv_ = 0;
  if (cache_) cache_->lose();
  forget_stall();
  end_start_wait();
  free_late_places();
  mode_ = Mode::Idle;
  next_event_ = kNever;
  return held;
}

void Instance::give_up_arrival(Slot slot, SimTime now) {
  --arriving_;
  prompt_kv_ -= std::exchange(store_[slot].charged, 0);
  wake(now);
}

/// Whole decode steps of a run count; the step under way made its GPUs busy and gave nothing.
void Instance::count_broken_off(SimTime now) {
  SimTime from = clock_.start_time();
  if (mode_ == Mode::DecodeRun) {
    double steps = clock_.steps_until(now, run_steps_);
    if (clock_.boundary(steps) > now) steps -= 1;
    if (steps >= 1) {
      const SimTime last = clock_.boundary(steps);
      decode_steps(steps, from, last, clock_.run().first_s, clock_.run().slope_s);
      from = last;
    }
  }
  if (now <= from) return;
  const double whole_s = to_seconds(now - from).value();
  const double share = static_cast<double>(now - from) / static_cast<double>(next_event_ - from);
  account(from, now, 0, mode_ == Mode::DecodeRun ? whole_s : decode_only_s_ * share);
}

Instance::Effort Instance::effort(SimTime now) const {
  if (mode_ == Mode::Idle || now <= clock_.start_time()) return effort_;
  const double since_s = to_seconds(now - clock_.start_time()).value();
  return {effort_.busy_s + since_s, effort_.sequence_s + since_s * static_cast<double>(active_.size())};
}

}  // namespace tokenomics
