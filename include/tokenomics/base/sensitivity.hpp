#pragma once

#include <cstddef>
#include <vector>

namespace tokenomics {

/// Spearman's rank correlation, from -1 to 1; 0 where one of them does not vary. Values that are equal but for rounding
/// (1e-9 of their size) share the mean of their places.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

/// How much one input has to do with an output.
struct Driver {
  std::size_t input = 0;
  /// First-order Sobol index, Var E(Y | X_i) / Var Y in [0, 1]: the share of the output's variance that would go if this
  /// input were known. Small also where the input matters only together with others. From n Sobol points the error is
  /// small against that from random ones, where an input that does not matter has about 2 n^(-2/3) by chance.
  double first_order = 0;
  double rank_correlation = 0;  ///< which way, where the output rises or falls throughout
};

/// A driver per input, in the order of the inputs, from independent inputs [input][sample] and the output of each sample:
/// finite numbers. All zero when the output does not vary.
std::vector<Driver> drivers(const std::vector<std::vector<double>>& inputs, const std::vector<double>& output);

}  // namespace tokenomics
