#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tokenomics {

/// One number to be fitted. It is stepped, differenced and compared with its prior on its own scale: its logarithm
/// (`log_scale`), where a prior's standard deviation is relative, or the number itself.
struct FitParameter {
  std::string name;
  double start = 1.0;
  double low = 0.0;  ///< with log_scale above 0; low = high holds the parameter
  double high = 0.0;
  std::optional<double> prior = {};
  double prior_sd = 0.0;  ///< on the parameter's scale; above 0 where there is a prior
  bool log_scale = true;
};

struct FitOptions {
  int max_iterations = 30;
  /// Ends once the next step is below this share of every standard error (of a standard error of 1e-4 where it is
  /// smaller), or lowers the cost by less than this. A smooth model can afford 1e-6, one with small jumps 1e-2.
  double tolerance = 1e-4;
  double step = 1e-2;  ///< forward difference on the parameter's scale: wide enough to step over jumps of the model
  /// Residuals beyond this count by size and no longer by square (pseudo-Huber); 0: least squares.
  double soft = 0.0;
  /// What was known of the standard deviation of a residual, and of how many rows that knowledge is worth (infinity:
  /// known). Without rows it comes from the residuals alone, which needs clearly more of them than parameters.
  double noise = 0.0;
  double noise_rows = 0.0;
  std::function<bool()> stop = {};  ///< asked before each evaluation; true ends the fit where it is
  std::function<void(int iteration, double cost)> progress = {};
};

struct FitResult {
  std::vector<double> values;
  /// On each parameter's scale: relative with log_scale. Infinite where neither rows nor prior say anything; 0 for a
  /// parameter that is held, and then the others' are those given its value.
  std::vector<double> standard_errors;
  std::vector<std::vector<double>> correlations;  ///< 1 on the diagonal; 0 with held and with unidentified parameters
  std::vector<bool> at_bound;                     ///< the data push it further out
  double cost = 0.0;   ///< negative log posterior without constants: half a squared residual in units of `scale`
  double scale = 0.0;  ///< standard deviation of a residual; with `soft`, that of as informative normal ones
  int iterations = 0;
  bool converged = false;
  std::string reason;  ///< why it ended
};

using Residuals = std::function<void(const std::vector<double>& parameters, std::vector<double>& out)>;
/// Residuals at several places at once, so that they can be computed in parallel. Equally many at every place, finite at
/// the places between the bounds (a step to a place where they are not is not taken), and the same at each call.
using BatchResiduals = std::function<std::vector<std::vector<double>>(const std::vector<std::vector<double>>& places)>;

/// Residuals of one place after another.
BatchResiduals one_by_one(Residuals residuals);

/// Minimises the sum of softened squares of residuals with normal priors within bounds: Levenberg-Marquardt (Marquardt,
/// SIAM J. 11 (1963)) on reweighted squares, steps cut at the bounds. Parameters at a bound that the gradient pushes
/// outwards rest for that iteration. The first call of `residuals` has the start and all columns of the Jacobian, later
/// ones all columns or a few candidates.
/// The weight of rows against priors is their estimated variance. Standard errors are those of the information
/// J^T J / scale^2 + prior precision, where scale^2 = (sum psi^2 / degrees of freedom) / (mean psi')^2 (Huber, Annals of
/// Statistics 1 (1973)), which is the usual residual variance without softening.
FitResult least_squares(const std::vector<FitParameter>& parameters, const BatchResiduals& residuals,
                        const FitOptions& options = {});

}  // namespace tokenomics
