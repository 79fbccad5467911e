#pragma once

#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

/// Expected maximum over mean, over R data-parallel ranks, of sequences and of their summed contexts, when sequences come
/// and go and a dispatch policy places each when it comes (it stays where it is put).
///
/// n: mean sequences a rank; c: standard deviation over mean of contexts (gamma law); z: largest of R standard normals.
/// Cornish-Fisher: max/mean = 1 + E[z] s + (E[z^2] - 1)/6 g, s^2 the variance and g the third cumulant over s^2, of the
/// rank's sum over its mean.
///
///     random           sequences  s^2 = 1/n          g = 1/n             independent Poisson numbers
///                      context    s^2 = (1+c^2)/n    g = (1+2c^2)/n      compound Poisson
///     least_sequences  sequences  1 + 3/(4n)                             whole ones, half a one beyond the mean on average
///                      context    s^2 = c^2/n        g = 2c^2/n          sums of n contexts
///     least_kv         sequences  s^2 = c^2/n        g = 0               numbers that make even sums of uneven contexts
///                      context    1 + hypot(3/4, E[z] c + (E[z^2] - 1)/3 c^2)/n   the longest of the last arrivals
///
/// The two forms in 3/4 describe what a direct simulation of ranks shows. Within 8% of it for n >= 4 and c <= 1.5, closer
/// for larger n (tested). Falls to 1 as 1/sqrt(n), or as 1/n where the policy looks at what it evens out.
class RankImbalance {
 public:
  RankImbalance(RankDispatch dispatch, int ranks, double context_cv);
  [[nodiscard]] double sequences(double per_rank) const;
  [[nodiscard]] double context(double per_rank) const;

 private:
  [[nodiscard]] double spread(double variance, double skew, double per_rank) const;

  RankDispatch dispatch_;
  bool alone_;
  double cv2_;
  double largest_ = 0;         ///< E[z]
  double largest_square_ = 1;  ///< E[z^2]
  double last_arrivals_ = 0;
};

/// Balance of an instance's decode ranks: typed-in numbers where the plan has them, else computed from its dispatch policy.
class DecodeBalance {
 public:
  explicit DecodeBalance(const InstancePlan& plan);
  /// Maximum over mean with `per_rank` sequences on each rank in the mean.
  [[nodiscard]] double sequences(double per_rank) const;
  [[nodiscard]] double context(double per_rank) const;
  /// sequences(), for a slowest rank that has `on_slowest` of them.
  [[nodiscard]] double sequences_of_slowest(double on_slowest) const;

 private:
  double typed_sequences_;
  double typed_context_;
  RankImbalance computed_;
};

}  // namespace tokenomics
