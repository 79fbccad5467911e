#include "tokenomics/base/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Places in order of value; values that are equal but for rounding share the mean of their places.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
    const double equal = values[order[i]] + 1e-9 * std::abs(values[order[i]]);
    while (end < order.size() && values[order[end]] <= equal) ++end;
    for (std::size_t k = i; k < end; ++k) rank[order[k]] = static_cast<double>(i + end - 1) / 2;
  }
  return rank;
}

double correlation_of_ranks(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean = (static_cast<double>(x.size()) - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

std::vector<double> centred(const std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::vector<double> differences;
  for (const double value : values) differences.push_back(value - mean);
  return differences;
}

/// Classes of equal size in rank: few enough to average the other inputs within each, many enough to follow the output
/// from one to the next. The cube root balances the two (error of a mean against width, as for histograms).
std::size_t classes_of(std::size_t samples) {
  const auto wanted = static_cast<std::size_t>(std::lround(2 * std::cbrt(static_cast<double>(samples))));
  return std::clamp(samples / 4, std::size_t{1}, wanted);
}

/// Pearson's correlation ratio over classes c of the input, with n_c samples each:
/// S_i = sum_c n_c (mean(Y in c) - mean(Y))^2 / sum_j (Y_j - mean(Y))^2 (K. Pearson 1905; as an estimator of S_i: Plischke,
/// Borgonovo, Smith, "Global sensitivity measures from given data", EJOR 226 (2013), section 2). y is centred: its mean is
/// 0. Tied samples have one rank and so one class. Estimators from neighbours in rank (Gamboa et al., Bernoulli 28 (2022))
/// will not do: neighbours in one coordinate of Sobol points follow a pattern in the others, where they need chance.
double first_order(const std::vector<double>& ranks, const std::vector<double>& y) {
  const auto n = static_cast<double>(y.size());
  const std::size_t classes = classes_of(y.size());
  std::vector<double> count(classes), sum(classes);
  double between = 0, total = 0;
  for (std::size_t j = 0; j < y.size(); ++j) {
    const auto c = static_cast<std::size_t>((ranks[j] + 0.5) / n * static_cast<double>(classes));
    count[c] += 1;
    sum[c] += y[j];
    total += y[j] * y[j];
  }
  for (std::size_t c = 0; c < classes; ++c)
    if (count[c] > 0) between += sum[c] * sum[c] / count[c];
  return std::clamp(between / total, 0.0, 1.0);
}

bool varies(const std::vector<double>& ranks) {
  return std::any_of(ranks.begin(), ranks.end(), [&](double rank) { return rank != ranks.front(); });
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  TOKENOMICS_CHECK(a.size() == b.size(), std::to_string(a.size()) + " and " + std::to_string(b.size()) + " values");
  return correlation_of_ranks(ranks_of(a), ranks_of(b));
}

std::vector<Driver> drivers(const std::vector<std::vector<double>>& inputs, const std::vector<double>& output) {
  TOKENOMICS_CHECK(all_finite(output), "output");
  const std::vector<double> output_ranks = ranks_of(output), y = centred(output);
  std::vector<Driver> all;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    TOKENOMICS_CHECK(inputs[i].size() == output.size() && all_finite(inputs[i]), "input " + std::to_string(i));
    const std::vector<double> ranks = ranks_of(inputs[i]);
    const bool both = varies(ranks) && varies(output_ranks);
    all.push_back({i, both ? first_order(ranks, y) : 0, correlation_of_ranks(ranks, output_ranks)});
  }
  return all;
}

}  // namespace tokenomics
