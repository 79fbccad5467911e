#include "family_fit.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace tokenomics {
namespace {

constexpr double kFar = 3;  // of the prior's standard deviations

double start_of(const FamilyNumber& n) { return n.nuisance_start > 0 ? n.nuisance_start : n.number->value; }

FitParameter parameter_of(const FamilyNumber& n) {
  FitParameter p;
  p.name = n.name;
  p.start = std::clamp(start_of(n), n.low, n.high);
  p.low = n.low;
  p.high = n.high;
  p.prior = start_of(n);
  p.prior_sd = n.prior_sd;
  return p;
}

FitOptions options_of(const KernelFitOptions& options) {
  FitOptions fit;
  fit.max_iterations = 100;
  fit.step = 1e-4;
  fit.soft = options.soft;
  fit.noise = options.noise;
  fit.noise_rows = options.noise_rows;
  return fit;
}

/// Base's number with the reason why it is still that.
FittedNumber keep(const FamilyProblem& problem, FamilyNumber& n) {
  n.number->source = fmt::format("as in {}: {}. {}", problem.base, n.kept, n.number->source);
  return {problem.family, n.name, n.number->value, 0, n.number->value, 0, false, n.kept};
}

FittedNumber take(const FamilyProblem& problem, FamilyNumber& n, double value, double relative_error, bool at_bound) {
  FittedNumber result{problem.family, n.name, value, relative_error * value, start_of(n), 0, at_bound, ""};
  result.prior_distance = std::log(value / start_of(n)) / n.prior_sd;
  if (n.nuisance_start > 0) {
    result.kept = fmt::format("{:.3g} us fitted and dropped: {} holds launches in layer_overhead_us", value, problem.base);
    result.dropped = value;
    result.value = result.prior = n.number->value;
    n.number->source = fmt::format("as in {}: {}", problem.base, result.kept);
    return result;
  }
  std::string doubt = at_bound ? "; at its bound: not identified by these rows" : "";
  if (std::abs(result.prior_distance) > kFar) {
    doubt += fmt::format("; {:.1f} standard deviations from the prior: see what these rows time",
                         std::abs(result.prior_distance));
  }
  *n.number = {value, "fitted",
               fmt::format("{}; standard error {:.2g}; prior {:.4g} ({}){}", problem.rows_of, result.standard_error,
                           result.prior, problem.base, doubt)};
  return result;
}

}  // namespace

bool decided(const std::vector<RowShares>& shares, double RowShares::*what, double least_share, std::size_t least_rows) {
  const auto n = std::count_if(shares.begin(), shares.end(), [&](const RowShares& s) { return s.*what >= least_share; });
  return static_cast<std::size_t>(n) >= least_rows;
}

std::vector<FittedNumber> fit_family(FamilyProblem& problem, const KernelFitOptions& options) {
  std::vector<FitParameter> parameters;
  std::vector<std::size_t> places;
  std::vector<double> all;
  for (std::size_t i = 0; i < problem.numbers.size(); ++i) {
    all.push_back(start_of(problem.numbers[i]));
    if (!problem.numbers[i].kept.empty()) continue;
    parameters.push_back(parameter_of(problem.numbers[i]));
    places.push_back(i);
  }
  const auto values_with = [&](const std::vector<double>& free) {
    std::vector<double> values = all;
    for (std::size_t i = 0; i < free.size(); ++i) values[places[i]] = free[i];
    return values;
  };
  const auto residuals = [&](const std::vector<double>& free, std::vector<double>& out) {
    const std::vector<double> seconds = problem.times(values_with(free), problem.rows);
    for (std::size_t i = 0; i < seconds.size(); ++i)
      out.push_back(std::log(seconds[i] / (problem.rows[i]->latency_us * 1e-6)));
  };
  const FitResult fit = least_squares(parameters, one_by_one(residuals), options_of(options));
  std::vector<FittedNumber> result;
  for (std::size_t i = 0, k = 0; i < problem.numbers.size(); ++i) {
    FamilyNumber& n = problem.numbers[i];
    if (!n.kept.empty()) {
      result.push_back(keep(problem, n));
      continue;
    }
    result.push_back(take(problem, n, fit.values[k], fit.standard_errors[k], fit.at_bound[k]));
    ++k;
  }
  return result;
}

}  // namespace tokenomics
