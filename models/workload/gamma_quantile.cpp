#include "tokenomics/workload/gamma_quantile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

// In double throughout: long double differs between machines.
using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
constexpr Policy kPolicy{};

constexpr double kStep = 0.25;
constexpr double kLowestLogX = -30.0;  // below: x < 1e-13, the lower asymptote is exact to that
constexpr double kLastT = 40.0;        // uniforms have 53 bits: 1 - u >= 2^-54, t <= 37.5

struct Point {
  double log_x;
  double slope;
};

/// Lower tail: F(x) ~ x^k / Gamma(k + 1), relative error about x.
double asymptotic_log_x(double shape, double t) {
  const double log_u = -std::log1p(std::exp(-t));
  return (log_u + boost::math::lgamma(shape + 1.0, kPolicy)) / shape;
}

Point point(double shape, double t) {
  const double u = 1.0 / (1.0 + std::exp(-t));
  const double rest = 1.0 / (1.0 + std::exp(t));
  const double low = asymptotic_log_x(shape, t);
  if (low < kLowestLogX) return {low, rest / shape};
  const double x = t < 0 ? boost::math::gamma_p_inv(shape, u, kPolicy) : boost::math::gamma_q_inv(shape, rest, kPolicy);
  return {std::log(x), u * rest / (x * boost::math::gamma_p_derivative(shape, x, kPolicy))};
}

}  // namespace

UnitGammaQuantile::UnitGammaQuantile(double shape) : shape_(shape), log_gamma_(boost::math::lgamma(shape + 1.0, kPolicy)) {
  TOKENOMICS_CHECK(shape >= 1e-4 && shape <= 1e8, fmt::format("shape = {}", shape));
  double t = -kLastT;
  while (t < 0 && asymptotic_log_x(shape, t + kStep) < kLowestLogX) t += kStep;
  first_t_ = t;
  for (; t <= kLastT; t += kStep) {
    const Point p = point(shape, t);
    log_x_.push_back(p.log_x - std::log(shape));
    slope_.push_back(p.slope * kStep);
  }
}

double UnitGammaQuantile::operator()(double u) const {
  const double t = std::log(u / (1.0 - u));
  if (t <= first_t_) return std::exp((std::log(u) + log_gamma_) / shape_) / shape_;
  const double place = std::min((t - first_t_) / kStep, static_cast<double>(log_x_.size()) - 1.000001);
  const auto i = static_cast<std::size_t>(place);
  const double s = place - static_cast<double>(i);
  const double rise = log_x_[i + 1] - log_x_[i];
  const double a = slope_[i] - rise;
  const double b = rise - slope_[i + 1];
  // Cubic Hermite: y0 + s rise + s (1 - s) (a (1 - s) + b s).
  return std::exp(log_x_[i] + s * rise + s * (1.0 - s) * (a * (1.0 - s) + b * s));
}

double stationary_first_gamma_gap(double shape, double u, double v) {
  return u * boost::math::gamma_p_inv(shape + 1.0, v, kPolicy) / shape;
}

double unit_weibull_scale(double shape) { return 1.0 / boost::math::tgamma(1.0 + 1.0 / shape, kPolicy); }

double stationary_first_weibull_gap(double shape, double u, double v) {
  const double weighted = std::pow(boost::math::gamma_p_inv(1.0 + 1.0 / shape, v, kPolicy), 1.0 / shape);
  return u * weighted * unit_weibull_scale(shape);
}

}  // namespace tokenomics
