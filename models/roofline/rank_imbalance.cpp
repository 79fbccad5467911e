#include "tokenomics/roofline/rank_imbalance.hpp"

#include <algorithm>
#include <cmath>

#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

/// What a rank that gets the next sequence when it has fewest is ahead of the mean: see the class.
constexpr double kAheadOfMean = 0.75;

struct Moments {
  double first = 0, second = 0;
};

/// Of the largest of n standard normals, whose distribution function is Phi^n: midpoints in its quantile.
Moments largest_of(int n) {
  constexpr int kMidpoints = 4000;
  Moments m;
  for (int i = 0; i < kMidpoints; ++i) {
    const double z = normal_quantile(std::pow((i + 0.5) / kMidpoints, 1.0 / n));
    m.first += z / kMidpoints;
    m.second += z * z / kMidpoints;
  }
  return m;
}

}  // namespace

RankImbalance::RankImbalance(RankDispatch dispatch, int ranks, double context_cv)
    : dispatch_(dispatch), alone_(ranks <= 1), cv2_(context_cv * context_cv) {
  if (alone_) return;
  const Moments z = largest_of(ranks);
  largest_ = z.first;
  largest_square_ = z.second;
  last_arrivals_ = std::hypot(kAheadOfMean, largest_ * context_cv + (largest_square_ - 1) / 3 * cv2_);
}

double RankImbalance::spread(double variance, double skew, double per_rank) const {
  return 1 + largest_ * std::sqrt(variance / per_rank) + (largest_square_ - 1) / 6 * skew / per_rank;
}

double RankImbalance::sequences(double per_rank) const {
  if (alone_ || per_rank <= 0) return 1;
  switch (dispatch_) {
    case RankDispatch::Random: return spread(1, 1, per_rank);
    case RankDispatch::LeastSequences: return 1 + kAheadOfMean / per_rank;
    case RankDispatch::LeastKv: return std::max(spread(cv2_, 0, per_rank), 1 + kAheadOfMean / per_rank);
  }
  return 1;
}

double RankImbalance::context(double per_rank) const {
  if (alone_ || per_rank <= 0) return 1;
  switch (dispatch_) {
    case RankDispatch::Random: return spread(1 + cv2_, 1 + 2 * cv2_, per_rank);
    case RankDispatch::LeastSequences: return std::max(spread(cv2_, 2 * cv2_, per_rank), 1 + kAheadOfMean / per_rank);
    case RankDispatch::LeastKv: return 1 + last_arrivals_ / per_rank;
  }
  return 1;
}

DecodeBalance::DecodeBalance(const InstancePlan& plan)
    : typed_sequences_(plan.balance.sequences_max_over_mean),
      typed_context_(plan.balance.context_max_over_mean),
      computed_(plan.balance.dispatch.value_or(RankDispatch::Random),
                plan.balance.dispatch ? plan.parallelism.token_ranks() : 1, plan.balance.context_cv.value_or(1.0)) {}

double DecodeBalance::sequences(double per_rank) const {
  return typed_sequences_ > 0 ? typed_sequences_ : computed_.sequences(per_rank);
}

double DecodeBalance::context(double per_rank) const {
  return typed_context_ > 0 ? typed_context_ : computed_.context(per_rank);
}

double DecodeBalance::sequences_of_slowest(double on_slowest) const {
  if (typed_sequences_ > 0) return typed_sequences_;
  // Halving the interval: n * max/mean(n) rises with n.
  double low = 0, high = on_slowest;
  for (int i = 0; i < 40; ++i) {
    const double n = 0.5 * (low + high);
    (n * sequences(n) > on_slowest ? high : low) = n;
  }
  return sequences(0.5 * (low + high));
}

}  // namespace tokenomics
