#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "arrival_clock.hpp"
#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

/// Calls of sessions under way, soonest first, and the clock that starts sessions where arrivals are open.
template <class Caller>
class SessionCalendar {
 public:
  /// Without a clock (closed loops) sessions are started by their users alone.
  static std::unique_ptr<ArrivalClock> clock_of(const LoadedWorkload::Data& data, RandomStream random, double rate_scale) {
    if (std::holds_alternative<ClosedLoopArrivals>(data.spec.arrivals)) return nullptr;
    const auto table = data.gamma.find(0);
    return make_clock(data.spec.arrivals, random, rate_scale, table == data.gamma.end() ? nullptr : &table->second);
  }

  explicit SessionCalendar(std::unique_ptr<ArrivalClock> clock) : clock_(std::move(clock)) {
    if (clock_) next_session_ = clock_->next();
  }

  [[nodiscard]] SimTime next() const { return due_.empty() ? next_session_ : std::min(due_.front().time, next_session_); }

  void push(SimTime time, Caller caller) {
    due_.push_back({time, order_++, caller});
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }

  struct Due {
    SimTime time;
    std::uint64_t order;  ///< of equal times the one that was known first
    Caller caller;
    bool operator>(const Due& other) const { return time != other.time ? time > other.time : order > other.order; }
  };
  /// Takes the next call. `start_session(time)` is called for the sessions that begin before it, and pushes theirs.
  template <class Start>
  Due take(Start start_session) {
    TOKENOMICS_CHECK(next() != kNever, "no request due");
    while (next_session_ != kNever && (due_.empty() || next_session_ < due_.front().time)) {
      start_session(next_session_);
      next_session_ = clock_->next();
    }
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    const Due due = due_.back();
    due_.pop_back();
    return due;
  }

 private:
  std::unique_ptr<ArrivalClock> clock_;
  SimTime next_session_ = kNever;
  std::vector<Due> due_;  // min-heap
  std::uint64_t order_ = 0;
};

}  // namespace tokenomics
