#pragma once

#include <vector>

namespace tokenomics {

/// Quantile function of the gamma law with mean 1 and a fixed shape k (coefficient of variation 1/sqrt k), tabulated.
///
/// y = log x is interpolated against t = log(u / (1 - u)) by cubic Hermite pieces with the exact slopes
/// dy/dt = u (1 - u) / (x f(x)). Both tails are nearly straight in these coordinates (lower: y ~ t / k; upper:
/// x ~ t), so a step of 1/4 keeps x within 2e-4 of Boost.Math's inverse (tested), whatever u. Boost.Math is asked only
/// at construction: its inverse costs a microsecond and more, a look-up some 30 ns.
class UnitGammaQuantile {
 public:
  /// 1e-4 <= shape <= 1e8.
  explicit UnitGammaQuantile(double shape);
  /// At u in (0, 1). Values below about 1e-13 of the mean follow the lower tail's asymptote.
  [[nodiscard]] double operator()(double u) const;
  [[nodiscard]] double shape() const { return shape_; }

 private:
  double shape_;
  double log_gamma_;  // of k + 1
  double first_t_ = 0;
  std::vector<double> log_x_;  // y at first_t_ + i * step, mean 1
  std::vector<double> slope_;  // dy/dt times the step
};

/// First gap of a stationary gamma renewal process of mean gap 1, from two uniforms: u times a gap drawn with weight
/// proportional to itself, which for the gamma law is the gamma law of shape k + 1.
double stationary_first_gamma_gap(double shape, double u, double v);
/// The same of a Weibull renewal process: gap^shape weighted by the gap is gamma with shape 1 + 1 / shape.
double stationary_first_weibull_gap(double shape, double u, double v);
/// Weibull quantile with mean 1: (-log(1 - u))^(1/c) / Gamma(1 + 1/c), with 1 / Gamma(1 + 1/c) given as `scale`.
double unit_weibull_scale(double shape);

}  // namespace tokenomics
