#pragma once

#include <algorithm>
#include <deque>
#include <utility>

#include "tokenomics/base/sim_time.hpp"

namespace tokenomics {

/// Takes instances away only when no tick of the last `span` wanted more: the maximum over a sliding window, O(1) a tick.
class Stabilizer {
 public:
  explicit Stabilizer(SimTime span) : span_(span) {}

  /// What to have of `current` instances when a tick at `now` wants `desired`: more at once, fewer as above.
  int settle(SimTime now, int desired, int current) {
    while (!wanted_.empty() && wanted_.back().second <= desired) wanted_.pop_back();
    wanted_.emplace_back(now, desired);
    while (wanted_.front().first < now - span_) wanted_.pop_front();
    const bool full = seen_from_ != kNever && now - seen_from_ >= span_;
    if (seen_from_ == kNever) seen_from_ = now;
    if (desired >= current) return desired;
    return full || span_ == 0 ? std::min(current, wanted_.front().second) : current;
  }

 private:
  SimTime span_;
  SimTime seen_from_ = kNever;
  std::deque<std::pair<SimTime, int>> wanted_;  ///< falling
};

}  // namespace tokenomics
