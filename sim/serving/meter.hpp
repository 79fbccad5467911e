#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/sequence.hpp"
#include "../core/window.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// Decides what is measured, and counts it.
///
/// From an empty start, latencies are those of the requests that *arrive* in the window. From a stationary start the
/// window is shorter than an answer, so speeds are those of the requests that *complete* in it (residents included: a
/// stationary sample of answers), first tokens those of arrivals, and end-to-end times are not measured.
class Meter {
 public:
  explicit Meter(const ServiceConfig& config);

  [[nodiscard]] const Window& window() const { return window_; }
  [[nodiscard]] PoolResult& pool(int index) { return result_.pools[static_cast<std::size_t>(index)]; }
  [[nodiscard]] std::vector<PoolResult>& pools() { return result_.pools; }

  void arrived(Sequence& sequence, bool truncated, SimTime now);
  void prefilled(Sequence& sequence, SimTime now);
  void first_token(Sequence& sequence, SimTime now);
  void gaps(std::int64_t low_ns, std::int64_t high_ns, double count);
  void preempted(const Sequence& sequence);
  void retried(const Sequence& sequence);
  void ended(const Sequence& sequence, Outcome outcome, SimTime now);

  /// True when nothing after `next` can matter.
  [[nodiscard]] bool over(SimTime next) const;
  [[nodiscard]] SimTime end_time(SimTime last_event) const;
  /// Instances came and went: their time is booked in the pools' results already.
  void fleet(const FleetExtremes& extremes) { result_.fleet = extremes; }
  ServiceResult close(SimTime end, std::uint64_t events);

 private:
  /// Does the same to the counts of the whole service and, where classes are told apart, to those of the class.
  template <typename Count>
  void count(std::int32_t priority, const Count& count) {
    count(result_);
    if (result_.classes.empty()) return;
    const auto last = static_cast<std::int32_t>(result_.classes.size()) - 1;
    count(result_.classes[static_cast<std::size_t>(std::clamp(priority, 0, last))]);
  }
  void completed(const Sequence& sequence, SimTime now);
  void bill(const Sequence& sequence, const Measurement::Hours& hours, SimTime now);
  void judge(const Sequence& sequence, bool completed, double ttft_s, double tok_s);
  void judge_unfinished();
  [[nodiscard]] int batch_of(const Sequence& sequence, SimTime now) const;

  const ServiceConfig& config_;
  const Measurement& measure_;
  Window window_;
  ServiceResult result_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t measured_left_ = 0;  ///< with a count: measured requests not ended yet
  bool all_arrived_ = false;
};

}  // namespace tokenomics
