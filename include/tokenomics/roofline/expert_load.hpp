#pragma once

#include <vector>

#include "tokenomics/llm/network.hpp"
#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

/// Where experts live and how many tokens their ranks get.
///
/// Law: expert e is among a token's k experts with probability pi_e (sum k, at most 1; uniform: k / E); a copy of an
/// expert with c copies gets a token with pi_e / c.
class ExpertLoad {
 public:
  /// Expectations for one expert layer and micro-batch. "Slowest": expected maximum over the ranks.
  struct Rank {
    double tokens_mean = 0;  ///< copies of tokens that a rank receives
    double tokens_max = 0;
    double touched_mean = 0;  ///< distinct expert slots with at least one token
    double touched_max = 0;
  };

  /// Slots as expert_slots() places them; while popularity drifts between two refreshes, figures are means over that time.
  /// Precondition: `ep` divides experts + redundant experts.
  ExpertLoad(const MoeFfn& moe, const ExpertRouting& routing, int ep);

  /// For `tokens` tokens of all ranks together. The maxima use the law of independent ranks with the variance that the
  /// fixed total leaves: about Poisson for small means, the Gumbel mean of normal ranks for large ones. Within 3% of a
  /// Monte Carlo of the same law (tested).
  [[nodiscard]] Rank at(double tokens) const;

  /// Tokens of the slowest rank over the mean: all of at() that a transfer needs.
  [[nodiscard]] double max_over_mean(double tokens) const;

  /// Expected rows of the grouped GEMM on a rank when each touched expert's tokens fill whole tiles.
  [[nodiscard]] double padded_rows(double tokens, double touched, double tile) const;

  [[nodiscard]] int slots_per_rank() const { return slots_per_rank_; }
  /// Probability that a token comes to a slot, rank after rank, at the first of the moments that figures are means over.
  [[nodiscard]] const std::vector<double>& slot_probabilities() const { return moments_.front().slots; }

 private:
  struct RankClass {
    double ranks = 0;
    double copies_per_token = 0;                ///< expected, to one rank of the class
    double dispersion = 1;                      ///< variance of its tokens over their mean
    std::vector<std::pair<double, int>> slots;  ///< log(1 - probability), how many slots have it
  };
  struct Moment {
    std::vector<double> slots;
    std::vector<RankClass> classes;
  };
  [[nodiscard]] Moment moment_of(std::vector<double> slots, int ep) const;
  [[nodiscard]] Rank at(const Moment& moment, double tokens) const;
  [[nodiscard]] double expected_max_tokens(const Moment& moment, double tokens) const;
  [[nodiscard]] double expected_max_touched(const Moment& moment, double tokens) const;

  bool balanced_;
  int slots_per_rank_;
  double ranks_;
  double experts_per_token_;
  double experts_;
  std::vector<Moment> moments_;
};

}  // namespace tokenomics
