#pragma once

#include <optional>
#include <string>
#include <vector>

/// Weights of a conditional logit from counts: maximum likelihood (McFadden 1974; Train 2009, sections 3.7 and 8.6).
namespace tokenomics {

/// Counts over the alternatives of one choice situation: a router's hosts in one window, say.
struct ChoiceCounts {
  std::vector<std::vector<double>> features;  ///< one row per alternative, one column per weight
  std::vector<double> count;                  ///< >= 0, one per alternative
};

/// What is believed of a weight beforehand: Gaussian, added to the log-likelihood. Infinite deviation: nothing.
struct WeightPrior {
  double mean = 0;
  double standard_deviation = 0;  ///< > 0
};

enum class Identification { Identified, Weak, Collinear, NoVariation };

/// Estimate of one weight with both kinds of standard error.
struct FittedWeight {
  std::string name;
  double estimate = 0;
  double standard_error = 0;  ///< from the observed information: as if every request were an independent user
  /// The same times sqrt(dispersion): hosts, not requests, are the sample. This one decides on `identification`.
  double dispersed_standard_error = 0;
  /// Weak: dispersed error above half the estimate. Collinear: other features carry the same information.
  /// NoVariation: all alternatives have the same value. The errors of the last two are infinite.
  Identification identification = Identification::Identified;
};

struct ChoiceFit {
  std::vector<FittedWeight> weights;
  int free_parameters = 0;
  int alternatives = 0;  ///< over all choice situations
  double requests = 0;
  double log_likelihood = 0;       ///< of the choices, without the multinomial constant and without the prior
  double null_log_likelihood = 0;  ///< every alternative alike
  double pseudo_r2 = 0;            ///< McFadden's 1 - log_likelihood / null_log_likelihood
  /// Pearson's sum (count - expected)^2 / expected over its degrees of freedom, sum (alternatives - 1) - parameters;
  /// never below 1. 1 too when no degree of freedom is left: then it is not known.
  double dispersion = 1;
  int degrees_of_freedom = 0;
  std::vector<std::vector<double>> correlation;  ///< of the estimates
  std::vector<std::vector<double>> residual;     ///< ln(count / expected) per situation and alternative; -infinity at 0
  int iterations = 0;
  bool converged = false;
};

/// Maximum-likelihood weights by Newton's method with step halving: the log-likelihood is concave (McFadden 1974), so the
/// maximum is the only one. Directions without information keep a weight of 0 (or the prior's mean).
/// `priors`: empty, or one per feature. Needs equal row lengths and one count > 0; a broken contract otherwise.
ChoiceFit fit_choice(const std::vector<ChoiceCounts>& situations, const std::vector<std::string>& names,
                     const std::vector<WeightPrior>& priors = {});

/// sum n_j ln P_j at these weights.
double choice_log_likelihood(const std::vector<ChoiceCounts>& situations, const std::vector<double>& weights);
/// Its gradient: sum n_j (x_j - mean of x under P).
std::vector<double> choice_gradient(const std::vector<ChoiceCounts>& situations, const std::vector<double>& weights);
/// Minus its Hessian, the information: sum N cov_P(x).
std::vector<std::vector<double>> choice_information(const std::vector<ChoiceCounts>& situations,
                                                    const std::vector<double>& weights);

/// Standard errors by leaving out one alternative at a time, (n - 1) / n sum (b_i - mean b)^2: right when alternatives have
/// effects of their own that no feature shows (Efron, The Jackknife, 1982). Needs one situation of at least 3 alternatives.
std::vector<double> jackknife_errors(const ChoiceCounts& situation, const std::vector<std::string>& names);

/// estimate -+ t x dispersed standard error, t Student's 97.5% quantile at the fit's degrees of freedom. Absent without any.
struct WeightInterval {
  double low = 0;
  double high = 0;
};
std::optional<WeightInterval> weight_interval_95(const ChoiceFit& fit, std::size_t weight);

}  // namespace tokenomics
