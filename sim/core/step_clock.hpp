#pragma once

#include <algorithm>
#include <cmath>

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/roofline/step_timer.hpp"

namespace tokenomics {

/// Step boundaries of one instance: integer nanoseconds to the outside, with the fraction of a nanosecond carried from
/// step to step, so that a thousand steps taken one by one end where one leap of a thousand steps ends.
class StepClock {
 public:
  /// Starts a run at `now`; after idling the carried fraction is dropped.
  void start(SimTime now, LinearRun run, bool was_idle) {
    start_ = now;
    run_ = run;
    if (was_idle) carry_ns_ = 0;
  }
  /// End of the k-th step of the run: start + sum_{j<k} (first + j slope) = start + k first + slope k (k-1) / 2.
  [[nodiscard]] SimTime boundary(double k) const { return start_ + std::max<SimTime>(1, std::llround(exact_ns(k))); }
  /// Smallest k in [1, limit] with boundary(k) >= t: the root of slope/2 k^2 + (first - slope/2) k = t - start.
  [[nodiscard]] double steps_until(SimTime t, double limit) const {
    if (t <= start_) return 1;
    const double target_s = static_cast<double>(t - start_) * 1e-9;
    const double half = run_.slope_s / 2, b = run_.first_s - half;
    const double discriminant = std::max(0.0, b * b + 4 * half * target_s);
    // The stable form of the quadratic formula also covers slope 0.
    double k = std::clamp(std::ceil(2 * target_s / (b + std::sqrt(discriminant))), 1.0, limit);
    while (k > 1 && boundary(k - 1) >= t) --k;
    while (k < limit && boundary(k) < t) ++k;
    return k;
  }
  /// Ends the run after k steps: keeps the fraction.
  void finish(double k) {
    const double exact = exact_ns(k);
    carry_ns_ = std::clamp(exact - static_cast<double>(boundary(k) - start_), -0.5, 0.5);
  }
  [[nodiscard]] SimTime start_time() const { return start_; }
  [[nodiscard]] const LinearRun& run() const { return run_; }

 private:
  [[nodiscard]] double exact_ns(double k) const {
    return (k * run_.first_s + run_.slope_s * k * (k - 1) / 2) * 1e9 + carry_ns_;
  }
  SimTime start_ = 0;
  LinearRun run_;
  double carry_ns_ = 0;
};

}  // namespace tokenomics
