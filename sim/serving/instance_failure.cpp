// The end of an instance in the middle of its work.
#include <algorithm>

#include "instance.hpp"

namespace tokenomics {

std::vector<Slot> Instance::fail(SimTime now) {
  if (mode_ != Mode::Idle) count_broken_off(now);
  if (held_) context_.result->held_s += context_.window->overlap_s(held_since_, now);
  std::vector<Slot> held;
  while (!active_.empty()) {
    const Slot slot = active_.front();
    Sequence& s = store_[slot];
    const std::int64_t context = context_of(s) / kFixedOne;
    leave(slot);
    s.emitted = std::min(context - s.request.input_tokens, s.request.output_tokens - 1);
    s.stopped = now;
    held.push_back(slot);
  }
  for (SequenceList* list : {&prefilling_, &queue_}) {
    while (!list->empty()) {
      const Slot slot = list->front();
      list->remove(store_, slot);
      store_[slot].charged = 0;
      held.push_back(slot);
    }
  }
  prompt_kv_ = 0;
  forget_stall();
  mode_ = Mode::Idle;
  held_ = false;
  next_event_ = kNever;
  return held;
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
