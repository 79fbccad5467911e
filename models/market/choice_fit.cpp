#include "tokenomics/market/choice_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kMaxIterations = 200;
constexpr double kRankTolerance = 1e-9;  // eigenvalue of the scaled information, of at most the number of features
constexpr double kWeakRelativeError = 0.5;

Eigen::Index at(std::size_t i) { return static_cast<Eigen::Index>(i); }

/// One choice situation as arrays: X (alternatives x features), n (counts).
struct Situation {
  MatrixXd X;
  VectorXd n;
};

std::vector<Situation> to_arrays(const std::vector<ChoiceCounts>& situations, std::size_t features) {
  std::vector<Situation> result;
  double requests = 0.0;
  for (const ChoiceCounts& s : situations) {
    TOKENOMICS_CHECK(s.features.size() == s.count.size(), std::to_string(s.count.size()) + " counts");
    Situation a{MatrixXd(at(s.count.size()), at(features)), VectorXd(at(s.count.size()))};
    for (std::size_t j = 0; j < s.count.size(); ++j) {
      TOKENOMICS_CHECK(s.features[j].size() == features, std::to_string(s.features[j].size()) + " features");
      TOKENOMICS_CHECK(s.count[j] >= 0.0, "count = " + std::to_string(s.count[j]));
      a.n[at(j)] = s.count[j];
      for (std::size_t k = 0; k < features; ++k) a.X(at(j), at(k)) = s.features[j][k];
    }
    requests += a.n.sum();
    result.push_back(std::move(a));
  }
  TOKENOMICS_CHECK(requests > 0.0, "no requests");
  return result;
}

/// ln P_j = x_j b - ln sum_k e^(x_k b).
VectorXd log_probability(const Situation& s, const VectorXd& b) {
  const VectorXd v = s.X * b;
  const double top = v.maxCoeff();
  return v.array() - top - std::log((v.array() - top).exp().sum());
}

double log_likelihood(const std::vector<Situation>& situations, const VectorXd& b) {
  double sum = 0.0;
  for (const Situation& s : situations) sum += s.n.dot(log_probability(s, b));
  return sum;
}

VectorXd gradient(const std::vector<Situation>& situations, const VectorXd& b) {
  VectorXd g = VectorXd::Zero(b.size());
  for (const Situation& s : situations) {
    const VectorXd expected = s.n.sum() * log_probability(s, b).array().exp().matrix();
    g += s.X.transpose() * (s.n - expected);
  }
  return g;
}

MatrixXd information(const std::vector<Situation>& situations, const VectorXd& b) {
  MatrixXd h = MatrixXd::Zero(b.size(), b.size());
  for (const Situation& s : situations) {
    const VectorXd p = log_probability(s, b).array().exp();
    const MatrixXd centred = s.X.rowwise() - (p.transpose() * s.X);
    h += s.n.sum() * centred.transpose() * p.asDiagonal() * centred;
  }
  return h;
}

struct Prior {
  VectorXd mean;
  VectorXd precision;
};

Prior to_arrays(const std::vector<WeightPrior>& priors, std::size_t features) {
  TOKENOMICS_CHECK(priors.empty() || priors.size() == features, std::to_string(priors.size()) + " priors");
  Prior result{VectorXd::Zero(at(features)), VectorXd::Zero(at(features))};
  for (std::size_t k = 0; k < priors.size(); ++k) {
    TOKENOMICS_CHECK(priors[k].standard_deviation > 0.0, std::to_string(priors[k].standard_deviation));
    result.mean[at(k)] = priors[k].mean;
    result.precision[at(k)] = 1.0 / (priors[k].standard_deviation * priors[k].standard_deviation);
  }
  return result;
}

/// Inverse of the information on the directions that have any, and the features that touch the others.
struct Inverse {
  MatrixXd covariance;
  std::vector<bool> no_variation;
  std::vector<bool> collinear;
};

/// Scaled to a unit diagonal first, so that the units of the features do not decide the rank.
Inverse inverse(const MatrixXd& information, const VectorXd& spread) {
  const auto features = information.rows();
  Inverse result{MatrixXd::Zero(features, features), std::vector<bool>(features), std::vector<bool>(features)};
  VectorXd scale = information.diagonal().cwiseSqrt();
  for (Eigen::Index k = 0; k < features; ++k) {
    result.no_variation[k] = scale[k] <= kRankTolerance * spread[k];
    if (result.no_variation[k]) scale[k] = 0.0;
  }
  const VectorXd unscale = scale.unaryExpr([](double s) { return s > 0.0 ? 1.0 / s : 0.0; });
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(unscale.asDiagonal() * information * unscale.asDiagonal());
  for (Eigen::Index i = 0; i < features; ++i) {
    const VectorXd direction = eigen.eigenvectors().col(i);
    if (eigen.eigenvalues()[i] > kRankTolerance * static_cast<double>(features)) {
      const VectorXd d = unscale.asDiagonal() * direction;
      result.covariance += d * d.transpose() / eigen.eigenvalues()[i];
      continue;
    }
    for (Eigen::Index k = 0; k < features; ++k) {
      if (!result.no_variation[k] && std::abs(direction[k]) > 1e-3) result.collinear[k] = true;
    }
  }
  return result;
}

/// What a feature's information would be if its values spread as wide as they are large: rounding of `information` is a
/// tiny part of it.
VectorXd size_of_features(const std::vector<Situation>& situations, Eigen::Index features) {
  VectorXd size = VectorXd::Zero(features);
  for (const Situation& s : situations) {
    if (s.n.size() > 0) size += std::sqrt(s.n.sum()) * s.X.cwiseAbs().colwise().maxCoeff().transpose();
  }
  return size;
}

struct Maximum {
  VectorXd b;
  int iterations = 0;
  bool converged = false;
};

Maximum maximise(const std::vector<Situation>& situations, const Prior& prior, const VectorXd& size) {
  const auto objective = [&](const VectorXd& b) {
    return log_likelihood(situations, b) - 0.5 * (b - prior.mean).cwiseAbs2().dot(prior.precision);
  };
  Maximum result{prior.mean};
  double value = objective(result.b);
  for (; result.iterations < kMaxIterations; ++result.iterations) {
    const VectorXd g = gradient(situations, result.b) - prior.precision.cwiseProduct(result.b - prior.mean);
    MatrixXd h = information(situations, result.b);
    h.diagonal() += prior.precision;
    const VectorXd step = inverse(h, size).covariance * g;
    result.converged = g.dot(step) <= 1e-10 * std::max(1.0, std::abs(value));  // twice the gain that is left
    if (result.converged) {
      result.b += step;  // so near the maximum a full step squares the distance
      break;
    }
    double length = 1.0;
    while (length > 1e-10 && objective(result.b + length * step) < value) length /= 2.0;
    if (length <= 1e-10) break;
    result.b += length * step;
    value = objective(result.b);
  }
  return result;
}

/// Pearson's statistic; expected counts below 1e-300 do not occur at finite weights of sensible size.
double pearson(const std::vector<Situation>& situations, const VectorXd& b) {
  double sum = 0.0;
  for (const Situation& s : situations) {
    const Eigen::ArrayXd expected = s.n.sum() * log_probability(s, b).array().exp();
    for (Eigen::Index j = 0; j < s.n.size(); ++j) {
      if (expected[j] > 0.0) sum += (s.n[j] - expected[j]) * (s.n[j] - expected[j]) / expected[j];
    }
  }
  return sum;
}

std::vector<double> to_vector(const VectorXd& v) { return {v.data(), v.data() + v.size()}; }

std::vector<std::vector<double>> to_rows(const MatrixXd& m) {
  std::vector<std::vector<double>> rows(m.rows(), std::vector<double>(m.cols()));
  for (Eigen::Index i = 0; i < m.rows(); ++i) {
    for (Eigen::Index j = 0; j < m.cols(); ++j) rows[i][j] = m(i, j);
  }
  return rows;
}

FittedWeight fitted_weight(const std::string& name, double estimate, double variance, double dispersion, bool no_variation,
                           bool collinear) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (no_variation) return {name, estimate, infinity, infinity, Identification::NoVariation};
  if (collinear) return {name, estimate, infinity, infinity, Identification::Collinear};
  const double error = std::sqrt(variance);
  const double dispersed = error * std::sqrt(dispersion);
  const bool weak = dispersed > kWeakRelativeError * std::abs(estimate);
  return {name, estimate, error, dispersed, weak ? Identification::Weak : Identification::Identified};
}

std::vector<std::vector<double>> correlations(const MatrixXd& covariance) {
  const VectorXd unscale = covariance.diagonal().unaryExpr([](double v) { return v > 0.0 ? 1.0 / std::sqrt(v) : 0.0; });
  return to_rows(unscale.asDiagonal() * covariance * unscale.asDiagonal());
}

void set_fit_statistics(ChoiceFit& fit, const std::vector<Situation>& situations, const VectorXd& b) {
  for (const Situation& s : situations) {
    fit.alternatives += static_cast<int>(s.n.size());
    fit.degrees_of_freedom += std::max(0, static_cast<int>(s.n.size()) - 1);
    fit.requests += s.n.sum();
    const VectorXd residual = s.n.array().log() - std::log(s.n.sum()) - log_probability(s, b).array();
    fit.residual.push_back(to_vector(residual));
  }
  fit.degrees_of_freedom -= fit.free_parameters;
  fit.log_likelihood = log_likelihood(situations, b);
  fit.null_log_likelihood = log_likelihood(situations, VectorXd::Zero(b.size()));
  fit.pseudo_r2 = fit.null_log_likelihood == 0.0 ? 0.0 : 1.0 - fit.log_likelihood / fit.null_log_likelihood;
  if (fit.degrees_of_freedom > 0) fit.dispersion = std::max(1.0, pearson(situations, b) / fit.degrees_of_freedom);
}

VectorXd to_eigen(const std::vector<double>& v) { return Eigen::Map<const VectorXd>(v.data(), at(v.size())); }

}  // namespace

ChoiceFit fit_choice(const std::vector<ChoiceCounts>& counts, const std::vector<std::string>& names,
                     const std::vector<WeightPrior>& priors) {
  const std::vector<Situation> situations = to_arrays(counts, names.size());
  const Prior prior = to_arrays(priors, names.size());
  const VectorXd size = size_of_features(situations, at(names.size()));
  const Maximum maximum = maximise(situations, prior, size);
  MatrixXd h = information(situations, maximum.b);
  h.diagonal() += prior.precision;
  const Inverse inverted = inverse(h, size);

  ChoiceFit fit;
  fit.free_parameters = static_cast<int>(names.size());
  fit.iterations = maximum.iterations;
  fit.converged = maximum.converged;
  set_fit_statistics(fit, situations, maximum.b);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Eigen::Index i = at(k);
    fit.weights.push_back(fitted_weight(names[k], maximum.b[i], inverted.covariance(i, i), fit.dispersion,
                                        inverted.no_variation[k], inverted.collinear[k]));
  }
  fit.correlation = correlations(inverted.covariance);
  return fit;
}

double choice_log_likelihood(const std::vector<ChoiceCounts>& situations, const std::vector<double>& weights) {
  return log_likelihood(to_arrays(situations, weights.size()), to_eigen(weights));
}

std::vector<double> choice_gradient(const std::vector<ChoiceCounts>& situations, const std::vector<double>& weights) {
  return to_vector(gradient(to_arrays(situations, weights.size()), to_eigen(weights)));
}

std::vector<std::vector<double>> choice_information(const std::vector<ChoiceCounts>& situations,
                                                    const std::vector<double>& weights) {
  return to_rows(information(to_arrays(situations, weights.size()), to_eigen(weights)));
}

std::vector<double> jackknife_errors(const ChoiceCounts& situation, const std::vector<std::string>& names) {
  const std::size_t n = situation.count.size();
  TOKENOMICS_CHECK(n >= 3, std::to_string(n) + " alternatives");
  MatrixXd b(at(n), at(names.size()));
  for (std::size_t i = 0; i < n; ++i) {
    ChoiceCounts rest = situation;
    rest.features.erase(rest.features.begin() + static_cast<std::ptrdiff_t>(i));
    rest.count.erase(rest.count.begin() + static_cast<std::ptrdiff_t>(i));
    const ChoiceFit fit = fit_choice({rest}, names);
    for (std::size_t k = 0; k < names.size(); ++k) b(at(i), at(k)) = fit.weights[k].estimate;
  }
  const MatrixXd centred = b.rowwise() - b.colwise().mean();
  const double count = static_cast<double>(n);
  return to_vector(((count - 1.0) / count * centred.colwise().squaredNorm()).cwiseSqrt().transpose());
}

std::optional<WeightInterval> weight_interval_95(const ChoiceFit& fit, std::size_t weight) {
  TOKENOMICS_CHECK(weight < fit.weights.size(), std::to_string(weight));
  if (fit.degrees_of_freedom < 1) return std::nullopt;
  const FittedWeight& w = fit.weights[weight];
  const double half = student_t_975(fit.degrees_of_freedom) * w.dispersed_standard_error;
  return WeightInterval{w.estimate - half, w.estimate + half};
}

}  // namespace tokenomics
