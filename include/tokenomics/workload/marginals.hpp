#pragma once

#include <cstdint>
#include <variant>
#include <vector>

namespace tokenomics {

struct FixedLaw {
  double value = 1;
  bool operator==(const FixedLaw&) const = default;
};
struct UniformLaw {
  double low = 1;
  double high = 1;
  bool operator==(const UniformLaw&) const = default;
};
/// exp(mu + sigma z); given by mean: mu = log(mean) - sigma^2 / 2.
struct LognormalLaw {
  double mu = 0;
  double sigma = 1;
  bool operator==(const LognormalLaw&) const = default;
};
/// Pareto: scale * u^(-1/alpha).
struct ParetoLaw {
  double scale = 1;
  double alpha = 2;
  bool operator==(const ParetoLaw&) const = default;
};
/// Quantiles, linear in log value between points (WORKLOADS-style tables).
struct QuantileLaw {
  std::vector<double> probability;  ///< strictly increasing in [0, 1]
  std::vector<double> value;        ///< positive, not decreasing
  bool operator==(const QuantileLaw&) const = default;
};
/// Gamma with mean shape * scale.
struct GammaLaw {
  double shape = 1;
  double scale = 1;
  bool operator==(const GammaLaw&) const = default;
};
/// 1, 2, 3 ... : another one follows with this probability, so the mean is 1 / (1 - p).
struct GeometricLaw {
  double continue_probability = 0;
  bool operator==(const GeometricLaw&) const = default;
};
using MarginalLaw = std::variant<FixedLaw, UniformLaw, LognormalLaw, ParetoLaw, QuantileLaw, GammaLaw, GeometricLaw>;
struct LengthMarginal {
  MarginalLaw law;
  std::int64_t min_tokens = 1;
  std::int64_t max_tokens = 1'000'000'000;  ///< draws are clamped into [min, max] and rounded to whole tokens
  bool operator==(const LengthMarginal&) const = default;
};
/// A time in seconds, cut off at the longest.
struct TimeMarginal {
  MarginalLaw law;
  double max_s = 1e9;
  bool operator==(const TimeMarginal&) const = default;
};

}  // namespace tokenomics
