#include "tokenomics/market/choice_fit.hpp"

#include <cmath>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "tokenomics/base/random.hpp"

using namespace tokenomics;

namespace {

ChoiceCounts any_situation(RandomStream& random, std::size_t alternatives, std::size_t features) {
  ChoiceCounts s;
  for (std::size_t j = 0; j < alternatives; ++j) {
    s.features.emplace_back();
    for (std::size_t k = 0; k < features; ++k) s.features.back().push_back(random.normal());
    s.count.push_back(static_cast<double>(random.below(50)));
  }
  s.count[0] += 1.0;
  return s;
}

/// Requests that choose one by one with the logit's probabilities.
void draw_counts(ChoiceCounts& s, const std::vector<double>& weights, int requests, RandomStream& random) {
  std::vector<double> upto;
  double sum = 0.0;
  for (const auto& x : s.features) {
    double v = 0.0;
    for (std::size_t k = 0; k < x.size(); ++k) v += weights[k] * x[k];
    upto.push_back(sum += std::exp(v));
  }
  s.count.assign(s.features.size(), 0.0);
  for (int n = 0; n < requests; ++n) {
    const double u = random.uniform() * sum;
    std::size_t j = 0;
    while (upto[j] < u) ++j;
    s.count[j] += 1.0;
  }
}

}  // namespace

TEST_CASE("two alternatives: the weight is the log odds over the difference of the feature", "[market]") {
  // 300 : 100 with features ln 1 and ln 2: weight = ln 3 / (0 - ln 2) = -1.585. Information N p (1 - p) dx^2 =
  // 400 x 0.75 x 0.25 x 0.480453 = 36.034, so the error is 0.16659. Log-likelihood 300 ln 0.75 + 100 ln 0.25 = -224.934,
  // null 400 ln 0.5 = -277.259; pseudo R2 = 0.18872. No degree of freedom is left for the dispersion.
  const ChoiceFit fit = fit_choice({{{{0.0}, {std::log(2.0)}}, {300, 100}}}, {"log_price"});
  CHECK(fit.converged);
  CHECK(fit.weights[0].estimate == Approx(-1.5849625).epsilon(1e-7));
  CHECK(fit.weights[0].standard_error == Approx(0.16659).epsilon(1e-4));
  CHECK(fit.weights[0].identification == Identification::Identified);
  CHECK(fit.log_likelihood == Approx(-224.934).epsilon(1e-5));
  CHECK(fit.null_log_likelihood == Approx(-277.259).epsilon(1e-5));
  CHECK(fit.pseudo_r2 == Approx(0.18872).epsilon(1e-4));
  CHECK(fit.free_parameters == 1);
  CHECK(fit.degrees_of_freedom == 0);
  CHECK(fit.dispersion == 1.0);
  CHECK_FALSE(weight_interval_95(fit, 0));
  CHECK(fit.residual[0][0] == Approx(0).margin(1e-6));
}

TEST_CASE("dispersion is Pearson's statistic over its degrees of freedom, and widens the errors by its root", "[market]") {
  // Features -1, 0, 1 and counts 100, 400, 100: by symmetry the weight is 0 and 200 are expected of each.
  // (100^2 + 200^2 + 100^2) / 200 = 300 over 3 - 1 - 1 = 1 degree. Information 600 x 2/3 = 400: error 0.05, and
  // 0.05 sqrt(300) = 0.866 dispersed.
  const ChoiceFit fit = fit_choice({{{{-1.0}, {0.0}, {1.0}}, {100, 400, 100}}}, {"x"});
  CHECK(fit.weights[0].estimate == Approx(0).margin(1e-9));
  CHECK(fit.dispersion == Approx(300));
  CHECK(fit.weights[0].standard_error == Approx(0.05));
  CHECK(fit.weights[0].dispersed_standard_error == Approx(0.8660254));
  CHECK(fit.weights[0].identification == Identification::Weak);
  CHECK(weight_interval_95(fit, 0)->high == Approx(12.706 * 0.8660254).epsilon(1e-3));  // Student's t at one degree
}

TEST_CASE("known weights are found again within three standard errors", "[market]") {
  RandomStream random(7, "choice");
  const std::vector<double> truth = {-2.0, -0.5, 0.3};
  std::vector<ChoiceCounts> situations;
  for (int s = 0; s < 3; ++s) {
    situations.push_back(any_situation(random, 12, 3));
    draw_counts(situations.back(), truth, 20000, random);
  }
  const ChoiceFit fit = fit_choice(situations, {"a", "b", "c"});
  CHECK(fit.converged);
  CHECK(fit.free_parameters == 3);
  CHECK(fit.alternatives == 36);
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(std::abs(fit.weights[k].estimate - truth[k]) < 3 * fit.weights[k].standard_error);
    CHECK(fit.weights[k].standard_error < 0.02);
    CHECK(fit.weights[k].identification == Identification::Identified);
    CHECK(fit.correlation[k][k] == Approx(1));
  }
  CHECK(fit.dispersion < 2);  // the requests are independent here
}

TEST_CASE("gradient and information agree with finite differences", "[market]") {
  rc::prop("derivatives", [](std::uint64_t seed) {
    RandomStream random(seed, "derivatives");
    const std::vector<ChoiceCounts> data = {any_situation(random, 5, 2), any_situation(random, 3, 2)};
    const std::vector<double> b = {random.normal(), random.normal()};
    const double h = 1e-5;
    for (std::size_t k = 0; k < 2; ++k) {
      std::vector<double> up = b;
      std::vector<double> down = b;
      up[k] += h;
      down[k] -= h;
      const double slope = (choice_log_likelihood(data, up) - choice_log_likelihood(data, down)) / (2 * h);
      RC_ASSERT(std::abs(slope - choice_gradient(data, b)[k]) < 1e-4);
      const auto g_up = choice_gradient(data, up);
      const auto g_down = choice_gradient(data, down);
      for (std::size_t m = 0; m < 2; ++m) {
        RC_ASSERT(std::abs((g_up[m] - g_down[m]) / (2 * h) + choice_information(data, b)[k][m]) < 1e-4);
      }
    }
  });
}

TEST_CASE("features that carry the same information are named, and so is one that does not vary", "[market]") {
  // The second column is twice the first plus 1, the third is constant, the fourth is on its own.
  ChoiceCounts s{{}, {50, 30, 20, 10}};
  const double other[] = {0.3, -0.8, 0.1, 0.9};
  for (int j = 0; j < 4; ++j) s.features.push_back({1.0 * j, 2.0 * j + 1.0, 4.0, other[j]});
  const ChoiceFit fit = fit_choice({s}, {"a", "twice a", "constant", "b"});
  CHECK(fit.converged);
  CHECK(fit.weights[0].identification == Identification::Collinear);
  CHECK(fit.weights[1].identification == Identification::Collinear);
  CHECK(fit.weights[2].identification == Identification::NoVariation);
  CHECK(std::isfinite(fit.weights[3].standard_error));
  CHECK(std::isinf(fit.weights[0].standard_error));
  CHECK(fit.weights[2].estimate == 0.0);
}

TEST_CASE("a narrow prior holds a weight, a wide one changes nothing", "[market]") {
  const ChoiceCounts s{{{0.0}, {std::log(2.0)}}, {300, 100}};
  CHECK(fit_choice({s}, {"x"}, {{-2, 1e-4}}).weights[0].estimate == Approx(-2).epsilon(1e-4));
  CHECK(fit_choice({s}, {"x"}, {{-2, 1e4}}).weights[0].estimate == Approx(-1.5849625).epsilon(1e-6));
}

TEST_CASE("multiplying every count leaves the weights and the dispersed errors, and shrinks the plain ones", "[market]") {
  rc::prop("scale", [](std::uint64_t seed) {
    RandomStream random(seed, "scale");
    ChoiceCounts s = any_situation(random, 9, 2);
    for (double& n : s.count) n = 100 * n + 100;  // no empty ones: their weights would run off
    const ChoiceFit once = fit_choice({s}, {"a", "b"});
    for (double& n : s.count) n *= 4.0;
    const ChoiceFit four = fit_choice({s}, {"a", "b"});
    RC_PRE(once.dispersion > 1.0);
    for (std::size_t k = 0; k < 2; ++k) {
      const FittedWeight& a = once.weights[k];
      const FittedWeight& b = four.weights[k];
      RC_ASSERT(std::abs(b.estimate - a.estimate) < 1e-5);
      RC_ASSERT(std::abs(b.standard_error / a.standard_error - 0.5) < 1e-4);
      RC_ASSERT(std::abs(b.dispersed_standard_error / a.dispersed_standard_error - 1.0) < 1e-4);
    }
  });
}
