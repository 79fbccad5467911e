#pragma once

#include <cstdint>

#include "tokenomics/base/random.hpp"
#include "tokenomics/sim/policies.hpp"

namespace tokenomics {

/// Tokens that a decode step emits for one sequence: 1 plus the drafts accepted in a row.
/// P(X > i) = prod_{j<=i} a_j, so E[X] = 1 + sum_i prod_{j<=i} a_j (MODEL: a constant a cannot reproduce measured series).
class Speculation {
 public:
  explicit Speculation(const MtpSpec& mtp);

  [[nodiscard]] bool active() const { return drafts_ > 0; }
  [[nodiscard]] int queries() const { return 1 + drafts_; }
  [[nodiscard]] double mean() const { return mean_; }
  [[nodiscard]] double variance() const { return variance_; }
  /// E[steps to emit `tokens`] by renewal theory with the mean overshoot (E[X^2]/E[X] - 1)/2 of a lattice law.
  [[nodiscard]] double mean_steps(double tokens) const;
  /// Tokens of one step.
  [[nodiscard]] int draw(RandomStream& random) const;
  /// Steps that emit at least `tokens` >= 1. Short answers are played out; from 33 tokens on the renewal count is
  /// drawn from its normal limit, variance tokens * var / mean^3, so that the cost does not depend on the length.
  [[nodiscard]] std::int64_t draw_steps(std::int64_t tokens, RandomStream& random) const;

 private:
  const MtpSpec* mtp_;
  int drafts_;
  double mean_ = 1;
  double variance_ = 0;
};

}  // namespace tokenomics
