#include "tokenomics/market/fixed_point.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kLeastLoad = 1e-15;  // of the sum: a load without users, whose logarithm must exist
constexpr double kDifference = 1e-6;  // of a logarithm, for the Jacobian
constexpr double kLongestStep = 4.0;  // of a logarithm
constexpr int kHalvings = 6;
constexpr int kBisections = 40;

/// The map in logarithms, with the number of its evaluations.
class LogMap {
 public:
  LogMap(const LoadMap& map, double least) : map_(map), least_(least) {}

  [[nodiscard]] VectorXd log_of(const std::vector<double>& loads) const {
    VectorXd x(static_cast<Eigen::Index>(loads.size()));
    for (std::size_t j = 0; j < loads.size(); ++j) x[static_cast<Eigen::Index>(j)] = std::log(std::max(loads[j], least_));
    return x;
  }
  /// Loads of logarithms; one at the least possible is none.
  [[nodiscard]] std::vector<double> loads_of(const VectorXd& x) const {
    std::vector<double> loads;
    for (const double value : x) loads.push_back(value <= std::log(least_) ? 0.0 : std::exp(value));
    return loads;
  }
  /// ln F(e^x).
  VectorXd operator()(const VectorXd& x) {
    ++evaluations_;
    const std::vector<double> answer = map_(loads_of(x));
    TOKENOMICS_CHECK(answer.size() == static_cast<std::size_t>(x.size()), std::to_string(answer.size()) + " loads");
    return log_of(answer);
  }
  [[nodiscard]] int evaluations() const { return evaluations_; }

 private:
  const LoadMap& map_;
  double least_;
  int evaluations_ = 0;
};

/// Newton's step for ln F(x) - x = 0, no element longer than the longest step. y = ln F(x).
VectorXd newton_step(LogMap& map, const VectorXd& x, const VectorXd& y) {
  MatrixXd J(x.size(), x.size());
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    VectorXd moved = x;
    moved[k] += kDifference;
    J.col(k) = (map(moved) - y) / kDifference;
  }
  const VectorXd step = (MatrixXd::Identity(x.size(), x.size()) - J).partialPivLu().solve(y - x);
  if (!step.allFinite()) return VectorXd::Zero(x.size());
  return step * std::min(1.0, kLongestStep / std::max(step.lpNorm<Eigen::Infinity>(), 1e-300));
}

/// Moves x by a part of the step that lowers the norm of y - x; false when there is none.
bool damped_step(LogMap& map, const VectorXd& step, VectorXd& x, VectorXd& y) {
  const double norm = (y - x).norm();
  for (int halving = 0; halving <= kHalvings; ++halving) {
    const double part = std::ldexp(1.0, -halving);
    const VectorXd there = x + part * step;
    const VectorXd answer = map(there);
    if ((answer - there).norm() > (1.0 - 0.1 * part) * norm) continue;
    x = there;
    y = answer;
    return true;
  }
  return false;
}

/// Each load in turn to where its answer is itself.
void sweep(LogMap& map, VectorXd& x) {
  for (Eigen::Index j = 0; j < x.size(); ++j) {
    double from = x[j];
    double to = map(x)[j];
    const bool up = to > from;
    for (int i = 0; i < kBisections; ++i) {
      x[j] = (from + to) / 2.0;
      const bool further = (map(x)[j] > x[j]) == up;
      (further ? from : to) = x[j];
    }
    x[j] = (from + to) / 2.0;
  }
}

double residual(const std::vector<double>& loads, const std::vector<double>& answer) {
  double largest = 0.0;
  for (std::size_t j = 0; j < loads.size(); ++j) largest = std::max(largest, std::abs(answer[j] - loads[j]));
  const double sum = std::accumulate(answer.begin(), answer.end(), 0.0);
  return sum > 0.0 ? largest / sum : largest;
}

}  // namespace

FixedPoint solve_fixed_point(const LoadMap& f, std::vector<double> start, const FixedPointOptions& options) {
  FixedPoint result{std::move(start), {}};
  Convergence& convergence = result.convergence;
  const std::vector<double> first = f(result.loads);
  const double scale = std::accumulate(first.begin(), first.end(), 0.0);
  convergence.residual = residual(result.loads, first);
  convergence.converged = scale == 0.0 && convergence.residual == 0.0;
  if (convergence.converged) return result;

  LogMap map(f, kLeastLoad * (scale > 0.0 ? scale : 1.0));
  VectorXd x = map.log_of(result.loads);
  VectorXd y = map(x);
  for (;;) {
    result.loads = map.loads_of(x);
    convergence.residual = residual(result.loads, map.loads_of(y));
    convergence.converged = convergence.residual <= options.tolerance;
    convergence.evaluations = map.evaluations() + 1;
    if (convergence.converged || convergence.iterations == options.max_iterations) return result;
    ++convergence.iterations;
    if (damped_step(map, newton_step(map, x, y), x, y)) continue;
    sweep(map, x);
    y = map(x);
  }
}

}  // namespace tokenomics
