#include "tokenomics/base/least_squares.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kRankTolerance = 1e-12;  // eigenvalue of the scaled information below which nothing is known
constexpr double kLeastScale = 1e-9;      // residuals that vanish would weigh infinitely
constexpr double kSmallestError = 1e-4;   // standard errors below this need not be resolved
constexpr double kLeastFreedom = 0.5;     // degrees of freedom that are left when parameters eat all rows
constexpr double kDampingRatio = 8.0;     // between the candidates of one call
constexpr double kMostDamping = 1e12;

Eigen::Index at(std::size_t i) { return static_cast<Eigen::Index>(i); }

/// The parameters as vectors, each on its own scale.
struct Space {
  const std::vector<FitParameter>& parameters;
  VectorXd low, high, prior, precision, unit;  ///< unit: what a relative step of a plain number is relative to

  [[nodiscard]] double scaled(std::size_t k, double x) const { return parameters[k].log_scale ? std::log(x) : x; }
  [[nodiscard]] Eigen::Index size() const { return low.size(); }
  [[nodiscard]] bool fixed(Eigen::Index k) const { return low[k] == high[k]; }
  [[nodiscard]] std::vector<double> values(const VectorXd& u) const {
    std::vector<double> result;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const FitParameter& p = parameters[k];
      // A parameter at its bound has the bound's value and not the exponential of its logarithm.
      const bool bound = u[at(k)] == low[at(k)] || u[at(k)] == high[at(k)];
      const double inside = p.log_scale ? std::exp(u[at(k)]) : u[at(k)];
      result.push_back(bound ? (u[at(k)] == low[at(k)] ? p.low : p.high) : std::clamp(inside, p.low, p.high));
    }
    return result;
  }
  [[nodiscard]] VectorXd inside(const VectorXd& u) const { return u.cwiseMax(low).cwiseMin(high); }
};

double unit_of(const FitParameter& p) {
  if (p.log_scale) return 1.0;
  if (p.prior) return p.prior_sd;
  if (p.start != 0.0) return std::abs(p.start);
  return std::isfinite(p.high - p.low) && p.high > p.low ? p.high - p.low : 1.0;
}

Space space_of(const std::vector<FitParameter>& parameters) {
  const Eigen::Index n = at(parameters.size());
  Space s{parameters, VectorXd(n), VectorXd(n), VectorXd::Zero(n), VectorXd::Zero(n), VectorXd(n)};
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const FitParameter& p = parameters[k];
    TOKENOMICS_CHECK(
        p.low <= p.start && p.start <= p.high && std::isfinite(p.start) && (!p.log_scale || p.low > 0.0),
        p.name + ": " + std::to_string(p.start) + " in [" + std::to_string(p.low) + ", " + std::to_string(p.high) + "]");
    TOKENOMICS_CHECK(!p.prior || (p.prior_sd > 0.0 && (!p.log_scale || *p.prior > 0.0)),
                     p.name + ": prior_sd = " + std::to_string(p.prior_sd));
    s.low[at(k)] = s.scaled(k, p.low);
    s.high[at(k)] = s.scaled(k, p.high);
    if (p.prior) s.prior[at(k)] = s.scaled(k, *p.prior);
    if (p.prior) s.precision[at(k)] = 1.0 / (p.prior_sd * p.prior_sd);
    s.unit[at(k)] = unit_of(p);
  }
  return s;
}

/// Pseudo-Huber loss: rho = c^2 (sqrt(1 + (r/c)^2) - 1), which is r^2 / 2 for c = 0 by definition here.
struct Loss {
  double c;
  /// psi / r, where psi = rho'.
  [[nodiscard]] VectorXd weights(const VectorXd& r) const {
    if (c == 0.0) return VectorXd::Ones(r.size());
    return (1.0 + (r.array() / c).square()).rsqrt();
  }
  [[nodiscard]] double sum(const VectorXd& r) const {
    if (c == 0.0) return 0.5 * r.squaredNorm();
    // c^2 (q - 1) = r^2 / (q + 1), q = sqrt(1 + (r/c)^2): no cancellation for small residuals.
    return (r.array().square() / ((1.0 + (r.array() / c).square()).sqrt() + 1.0)).sum();
  }
  /// psi' = (1 + (r/c)^2)^(-3/2) = weight^3.
  [[nodiscard]] static double mean_slope(const VectorXd& weights) {
    return weights.size() > 0 ? weights.array().cube().mean() : 1.0;
  }
};

/// The symmetric matrix A inverted on the directions that have any information; the others' diagonal is infinite.
MatrixXd covariance_of(const MatrixXd& information) {
  const Eigen::Index n = information.rows();
  const VectorXd d = information.diagonal().unaryExpr([](double x) { return x > 0.0 ? 1.0 / std::sqrt(x) : 0.0; });
  MatrixXd result = MatrixXd::Zero(n, n);
  if (n == 0) return result;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(d.asDiagonal() * information * d.asDiagonal());
  std::vector<bool> unknown(static_cast<std::size_t>(n));
  for (Eigen::Index i = 0; i < n; ++i) {
    const VectorXd v = eigen.eigenvectors().col(i);
    const double value = eigen.eigenvalues()[i];
    if (value > kRankTolerance) {
      const VectorXd scaled = d.asDiagonal() * v;
      result += scaled * scaled.transpose() / value;
    } else {
      for (Eigen::Index k = 0; k < n; ++k) {
        if (std::abs(v[k]) > 1e-3) unknown[static_cast<std::size_t>(k)] = true;
      }
    }
  }
  for (Eigen::Index k = 0; k < n; ++k) {
    if (!unknown[static_cast<std::size_t>(k)]) continue;
    result.row(k).setZero();
    result.col(k).setZero();
    result(k, k) = kInfinity;
  }
  return result;
}

/// Trace of cov J^T J / scale^2: how many parameters the rows determine, against the priors.
double determined(const MatrixXd& squares, const VectorXd& precision, double variance) {
  const MatrixXd data = squares / variance;
  MatrixXd information = data;
  information.diagonal() += precision;
  const MatrixXd covariance = covariance_of(information);
  double sum = 0.0;
  for (Eigen::Index k = 0; k < data.rows(); ++k) {
    if (std::isfinite(covariance(k, k))) sum += covariance.row(k).dot(data.col(k));
  }
  return sum;
}

/// Variance of a residual: sum psi^2 / (rows - determined parameters) / slope^2, blended with what was known before.
double variance_of(const FitOptions& options, const VectorXd& psi, double slope, double freedom) {
  if (std::isinf(options.noise_rows)) return options.noise * options.noise;
  freedom = std::max(freedom, options.noise_rows > 0.0 ? 0.0 : kLeastFreedom);
  const double rows = options.noise_rows;
  const double known = rows * options.noise * options.noise;
  const double seen = psi.squaredNorm() / (slope * slope);
  // Without freedom the sum is used as it is: it is then nearly 0 and adds nothing to what was known.
  return std::max((known + seen) / (rows + freedom), kLeastScale * kLeastScale);
}

class Fit {
 public:
  Fit(const std::vector<FitParameter>& parameters, const BatchResiduals& residuals, const FitOptions& options)
      : space_(space_of(parameters)), evaluate_(residuals), options_(options), loss_{options.soft} {
    TOKENOMICS_CHECK(options.soft >= 0.0 && options.step > 0.0 && options.tolerance > 0.0 && options.max_iterations > 0,
                     std::to_string(options.soft) + ", " + std::to_string(options.step));
    TOKENOMICS_CHECK(options.noise_rows == 0.0 || (options.noise_rows > 0.0 && options.noise > 0.0),
                     std::to_string(options.noise) + " of " + std::to_string(options.noise_rows) + " rows");
    u_ = VectorXd(space_.size());
    for (std::size_t k = 0; k < parameters.size(); ++k) u_[at(k)] = space_.scaled(k, parameters[k].start);
    u_ = space_.inside(u_);
  }

  FitResult run();

 private:
  struct Row {
    VectorXd u, r;
    double cost = kInfinity;
  };

  [[nodiscard]] std::vector<VectorXd> residuals_at(const std::vector<VectorXd>& places);
  [[nodiscard]] double cost(const VectorXd& u, const VectorXd& r) const;
  [[nodiscard]] bool stopped() const { return options_.stop && options_.stop(); }
  void linearise();
  void rest_at_bounds();
  [[nodiscard]] VectorXd step(double damping) const;
  [[nodiscard]] bool negligible(const VectorXd& d) const;
  [[nodiscard]] bool improve();
  [[nodiscard]] MatrixXd covariance(double variance) const;
  [[nodiscard]] FitResult finish(bool converged, std::string reason);

  Space space_;
  const BatchResiduals& evaluate_;
  const FitOptions& options_;
  Loss loss_;
  VectorXd u_, r_;
  MatrixXd jacobian_;
  VectorXd gradient_;
  MatrixXd curvature_;         ///< of the reweighted squares and the priors
  std::vector<bool> resting_;  ///< held, or at a bound and pushed outwards
  std::vector<bool> at_bound_;
  double weight_ = 0.0;  ///< of a row against the priors: 1 / variance for plain squares
  double variance_ = 1.0;
  double damping_ = 1e-3;
  double lowered_ = 0.0;
  bool first_ = true;
  int iterations_ = 0;
};

std::vector<VectorXd> Fit::residuals_at(const std::vector<VectorXd>& places) {
  std::vector<std::vector<double>> values;
  for (const VectorXd& u : places) values.push_back(space_.values(u));
  const std::vector<std::vector<double>> found = evaluate_(values);
  TOKENOMICS_CHECK(found.size() == places.size(), std::to_string(found.size()) + " for " + std::to_string(places.size()));
  std::vector<VectorXd> result;
  for (const std::vector<double>& r : found) {
    TOKENOMICS_CHECK(r.size() == (first_ ? found.front().size() : static_cast<std::size_t>(r_.size())),
                     std::to_string(r.size()) + " residuals");
    result.push_back(Eigen::Map<const VectorXd>(r.data(), at(r.size())));
  }
  return result;
}

double Fit::cost(const VectorXd& u, const VectorXd& r) const {
  if (!r.allFinite()) return kInfinity;
  return weight_ * loss_.sum(r) + 0.5 * (u - space_.prior).cwiseAbs2().dot(space_.precision);
}

/// Forward differences; backward where the bound is nearer than a step.
void Fit::linearise() {
  std::vector<VectorXd> places;
  std::vector<std::pair<Eigen::Index, double>> columns;
  if (first_) places.push_back(u_);
  for (Eigen::Index k = 0; k < space_.size(); ++k) {
    if (space_.fixed(k)) continue;
    const double wish = options_.step * space_.unit[k];
    const double up = std::min(wish, space_.high[k] - u_[k]), down = std::min(wish, u_[k] - space_.low[k]);
    VectorXd place = u_;
    place[k] = up >= wish || up >= down ? u_[k] + up : u_[k] - down;
    columns.emplace_back(k, place[k] - u_[k]);
    places.push_back(std::move(place));
  }
  const std::vector<VectorXd> found = residuals_at(places);
  if (first_) r_ = found.front();
  const std::size_t skip = first_ ? 1 : 0;
  first_ = false;
  TOKENOMICS_CHECK(r_.allFinite(), "residuals at the start");
  jacobian_ = MatrixXd::Zero(r_.size(), space_.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    TOKENOMICS_CHECK(found[i + skip].allFinite(), "residuals near " + space_.parameters[columns[i].first].name);
    jacobian_.col(columns[i].first) = (found[i + skip] - r_) / columns[i].second;
  }
}

/// Which parameters do not move in this iteration; needs the gradient.
void Fit::rest_at_bounds() {
  const auto n = static_cast<std::size_t>(space_.size());
  resting_.assign(n, false);
  at_bound_.assign(n, false);
  for (Eigen::Index k = 0; k < space_.size(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    // Descent goes against the gradient.
    at_bound_[i] = !space_.fixed(k) &&
                   ((u_[k] <= space_.low[k] && gradient_[k] > 0.0) || (u_[k] >= space_.high[k] && gradient_[k] < 0.0));
    resting_[i] = space_.fixed(k) || at_bound_[i];
    if (resting_[i]) jacobian_.col(k).setZero();
  }
}

/// Minimum of the damped square form; resting parameters do not move.
VectorXd Fit::step(double damping) const {
  MatrixXd a = curvature_;
  VectorXd g = gradient_;
  for (Eigen::Index k = 0; k < a.rows(); ++k) {
    if (resting_[static_cast<std::size_t>(k)] || a(k, k) <= 0.0) {
      a.row(k).setZero();
      a.col(k).setZero();
      a(k, k) = 1.0;
      g[k] = 0.0;
    } else {
      a(k, k) *= 1.0 + damping;
    }
  }
  return a.ldlt().solve(-g);
}

MatrixXd Fit::covariance(double variance) const {
  MatrixXd information = jacobian_.transpose() * jacobian_ / variance;
  information.diagonal() += space_.precision;
  return covariance_of(information);
}

bool Fit::negligible(const VectorXd& d) const {
  const MatrixXd c = covariance(variance_);
  for (Eigen::Index k = 0; k < d.size(); ++k) {
    const double error = std::isfinite(c(k, k)) ? std::sqrt(c(k, k)) : 0.0;
    if (std::abs(d[k]) > options_.tolerance * std::max(error, kSmallestError * space_.unit[k])) return false;
  }
  return true;
}

/// Takes the best of three dampings; more damped ones while none lowers the cost. False if none does.
bool Fit::improve() {
  const double before = cost(u_, r_);
  for (double damping = damping_; damping < kMostDamping; damping *= std::pow(kDampingRatio, 3)) {
    if (stopped()) return false;
    const std::vector<double> dampings{damping / kDampingRatio, damping, damping * kDampingRatio};
    std::vector<VectorXd> places;
    for (const double each : dampings) places.push_back(space_.inside(u_ + step(each)));
    const std::vector<VectorXd> found = residuals_at(places);
    std::size_t best = 0;
    for (std::size_t i = 1; i < places.size(); ++i) {
      if (cost(places[i], found[i]) < cost(places[best], found[best])) best = i;
    }
    const double after = cost(places[best], found[best]);
    if (!(after < before)) continue;
    lowered_ = before - after;
    u_ = places[best];
    r_ = found[best];
    damping_ = std::max(dampings[best], 1e-9);
    return true;
  }
  return false;
}

FitResult Fit::run() {
  for (iterations_ = 0; iterations_ <= options_.max_iterations; ++iterations_) {
    if (stopped()) return finish(false, "stopped");
    linearise();
    const VectorXd w = loss_.weights(r_), psi = w.cwiseProduct(r_);
    const VectorXd pull = space_.precision.cwiseProduct(u_ - space_.prior);
    const double share = w.size() > 0 ? w.mean() : 1.0;
    const auto rows = static_cast<double>(r_.size());
    // The weight needs the parameters that are determined and those need the weight: the last iteration's will do.
    const MatrixXd squares = jacobian_.transpose() * jacobian_;
    const double freedom = rows - determined(squares, space_.precision, iterations_ > 0 ? variance_ : 1e-12);
    // The mean weight and not the mean slope: far from the minimum, where every residual is large, the slope vanishes and
    // the priors would hold the fit where it is.
    variance_ = variance_of(options_, psi, share, freedom);
    weight_ = 1.0 / (variance_ * share);
    gradient_ = weight_ * (jacobian_.transpose() * psi) + pull;
    rest_at_bounds();
    curvature_ = weight_ * (jacobian_.transpose() * w.asDiagonal() * jacobian_);
    curvature_.diagonal() += space_.precision;
    if (options_.progress) options_.progress(iterations_, cost(u_, r_));
    if (negligible(step(0.0))) return finish(true, "the next step is negligible");
    if (iterations_ > 0 && lowered_ < options_.tolerance) return finish(true, "the cost hardly falls");
    if (iterations_ == options_.max_iterations) break;
    if (!improve()) return stopped() ? finish(false, "stopped") : finish(true, "no step lowers the cost");
  }
  return finish(false, "iteration limit");
}

FitResult Fit::finish(bool converged, std::string reason) {
  const auto n = static_cast<std::size_t>(space_.size());
  FitResult result;
  result.values = space_.values(u_);
  result.iterations = iterations_;
  result.converged = converged;
  result.reason = std::move(reason);
  result.at_bound.assign(n, false);
  result.standard_errors.assign(n, kInfinity);
  result.correlations.assign(n, std::vector<double>(n));
  for (std::size_t k = 0; k < n; ++k) result.correlations[k][k] = 1.0;
  if (jacobian_.cols() != space_.size() || at_bound_.size() != n) return result;  // stopped before the first evaluation
  result.at_bound = at_bound_;
  result.cost = cost(u_, r_);
  const VectorXd w = loss_.weights(r_);
  const double freedom =
      static_cast<double>(r_.size()) - determined(jacobian_.transpose() * jacobian_, space_.precision, variance_);
  const double variance = variance_of(options_, w.cwiseProduct(r_), Loss::mean_slope(w), freedom);
  result.scale = std::sqrt(variance);
  const MatrixXd c = covariance(variance);
  for (std::size_t i = 0; i < n; ++i) {
    result.standard_errors[i] = resting_[i] ? 0.0 : std::sqrt(c(at(i), at(i)));
    for (std::size_t j = 0; j < n; ++j) {
      const double size = std::sqrt(c(at(i), at(i)) * c(at(j), at(j)));
      if (i != j) result.correlations[i][j] = std::isfinite(size) && size > 0.0 ? c(at(i), at(j)) / size : 0.0;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i != j && (resting_[i] || resting_[j])) result.correlations[i][j] = 0.0;
    }
  }
  return result;
}

}  // namespace

BatchResiduals one_by_one(Residuals residuals) {
  return [residuals = std::move(residuals)](const std::vector<std::vector<double>>& places) {
    std::vector<std::vector<double>> result(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) residuals(places[i], result[i]);
    return result;
  };
}

FitResult least_squares(const std::vector<FitParameter>& parameters, const BatchResiduals& residuals,
                        const FitOptions& options) {
  return Fit(parameters, residuals, options).run();
}

}  // namespace tokenomics
