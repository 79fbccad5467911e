// Looking for arrivals now and then only. The queue is first come, first served then, so that who has not been seen stands
// behind all who have.
#include <algorithm>
#include <cmath>

#include "instance.hpp"

namespace tokenomics {

/// Whoever came after `polled` has not been seen; a preempted sequence is the engine's own.
bool Instance::head_is_unseen(SimTime polled) const {
  if (config_.batching.poll_steps <= 1 || queue_.empty()) return false;
  const Sequence& head = store_[queue_.front()];
  return head.preemptions == 0 && head.enqueued > polled;
}

/// The last look before `now`, which may lie inside the run that goes on.
SimTime Instance::polled_by(SimTime now) const {
  if (config_.batching.poll_steps <= 1 || mode_ != Mode::DecodeRun) return polled_at_;
  const double made = clock_.steps_until(now, run_steps_) - 1;
  const double since = std::fmod(unpolled_steps_ + made, static_cast<double>(config_.batching.poll_steps));
  return since < made ? clock_.boundary(made - since) : polled_at_;
}

/// Nothing but that keeps the next in the queue out.
bool Instance::poll_holds_head(SimTime now) { return head_is_unseen(polled_by(now)) && head_admissible(now); }

void Instance::poll(SimTime now) {
  polled_at_ = now;
  unpolled_steps_ = 0;
}

/// Of a decode run that ends: polls are `poll_steps` steps apart, counted on from the last one before it.
void Instance::count_polls(double steps) {
  unpolled_steps_ += steps;
  if (config_.batching.poll_steps <= 1) return;
  const double since = std::fmod(unpolled_steps_, static_cast<double>(config_.batching.poll_steps));
  if (since < steps) polled_at_ = clock_.boundary(steps - since);
  unpolled_steps_ = since;
}

/// From the run's start.
double Instance::steps_to_poll() const {
  const auto apart = static_cast<double>(config_.batching.poll_steps);
  return apart - std::fmod(unpolled_steps_, apart);
}

/// The head of the queue may join: the run ends at the first boundary at or after `at` at which the engine sees it.
void Instance::cut_run_for_head(SimTime at) {
  if (mode_ == Mode::DecodeRun && head_is_unseen(polled_by(at))) {
    const auto apart = static_cast<double>(config_.batching.poll_steps);
    const double first = steps_to_poll(), reached = clock_.steps_until(at, run_steps_);
    at = clock_.boundary(first + apart * std::max(0.0, std::ceil((reached - first) / apart)));
  }
  cut_run(at, came(store_[queue_.front()]));
}

void Instance::hold_head(SimTime now) {
  if (start_held_steps_ > 0) hold(Hold::Start, now);
  else if (tier_holds_head(now)) hold(Hold::BatchTier, now);
  else if (mode_ == Mode::DecodeRun && poll_holds_head(now)) hold(Hold::Poll, now);
}

}  // namespace tokenomics
