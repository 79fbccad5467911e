#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tokenomics/base/histogram.hpp"
#include "tokenomics/base/sim_time.hpp"

namespace tokenomics {

/// A mean and half the width of its two-sided 95% confidence interval; no half-width from fewer than two values.
struct MeanInterval {
  double mean = 0.0;
  std::optional<double> half_width_95;
};

/// 97.5% quantile of Student's t: half-width of a 95% interval in standard errors. At least one degree of freedom.
double student_t_975(int degrees_of_freedom);

/// Student's interval of independent values (replications with other seeds, or batch means):
/// half-width = t_{0.975, n-1} s / sqrt n. Values must not be empty.
MeanInterval mean_interval(const std::vector<double>& values);

/// Means of `batches` consecutive batches of one correlated series. Batches have equal length, so the up to
/// batches - 1 values that are left over at the front (nearest to the warm-up) are not used.
/// Needs batches >= 1 and at least one value per batch.
std::vector<double> batch_means(const std::vector<double>& series, std::size_t batches);

/// Quantile p in [0, 1] of values in rising order, at least one: linear between order statistics at place p (n - 1), which
/// is the seventh definition of Hyndman and Fan, The American Statistician 50 (1996).
double sorted_quantile(const std::vector<double>& sorted, double p);

/// The same of values in any order.
double quantile_of(std::vector<double> values, double p);

/// Time average of an integer that changes at known times (batch size, KV blocks held). Exact: integer nanoseconds, and
/// areas in 128 bits, doubled so that a ramp's half stays an integer.
class TimeAverage {
 public:
  explicit TimeAverage(SimTime start = 0, std::int64_t value = 0)
      : start_(start), last_(start), value_(value), max_(value) {}

  /// The value held since the last change ends, `value` begins. Times must not go back.
  void set(SimTime now, std::int64_t value);
  /// The same, by a difference.
  void add(SimTime now, std::int64_t difference) { set(now, value_ + difference); }
  /// Since the last change the value moved in a straight line to `value`: a batch of growing contexts.
  void ramp_to(SimTime now, std::int64_t value);
  /// Forgets everything before `now` and keeps the value: the end of the warm-up.
  void restart(SimTime now);

  [[nodiscard]] std::int64_t value() const { return value_; }
  [[nodiscard]] std::int64_t max() const { return max_; }
  /// Average over [start, now], with the present value held until now; the present value when no time has passed.
  [[nodiscard]] double mean(SimTime now) const;

 private:
  void advance(SimTime now, std::int64_t end_value);

  SimTime start_;
  SimTime last_;
  std::int64_t value_;
  std::int64_t max_;
  int128 twice_area_ = 0;
};

}  // namespace tokenomics
