#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tokenomics/base/error.hpp"
#include "tokenomics/workload/gamma_quantile.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// Inverse distribution function of a law at u in (0, 1), before clamping and rounding. Fixed: the value; uniform:
/// low + (high - low) u; lognormal: exp(mu + sigma z(u)), z by NormalTable; Pareto: scale (1 - u)^(-1/alpha), by 1 - u so
/// that a larger u gives a larger value in every law; quantile table: linear in log value between points, flat outside them;
/// gamma: scale times shape times UnitGammaQuantile (a table made for each call here, once in a sampler); geometric:
/// 1 + floor(log(1 - u) / log p).
double quantile(const MarginalLaw& law, double u);

/// The mu of a lognormal law with this mean: E exp(mu + sigma Z) = exp(mu + sigma^2 / 2).
LognormalLaw lognormal_with_mean(double mean, double sigma);

/// One marginal made ready for drawing: tables in log value. Draws do not allocate.
class MarginalSampler {
 public:
  explicit MarginalSampler(const LengthMarginal& marginal);
  /// Whole tokens: the law's quantile clamped into [min, max] and rounded to the nearest.
  [[nodiscard]] std::int64_t tokens(double u) const;
  [[nodiscard]] double value(double u) const;
  /// Of tokens(), from the middles of equal slices.
  [[nodiscard]] double mean_tokens() const;

 private:
  LengthMarginal marginal_;
  std::vector<double> log_value_;                   // quantile tables only
  std::shared_ptr<const UnitGammaQuantile> gamma_;  // gamma laws only
};

/// What is wrong with a marginal, `pointer` being where it stands; empty when nothing is.
std::vector<Problem> problems_of(const LengthMarginal& marginal, const std::string& file, const std::string& pointer);
std::vector<Problem> problems_of(const TimeMarginal& marginal, const std::string& file, const std::string& pointer);

}  // namespace tokenomics
