#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

#include "tokenomics/base/least_squares.hpp"
#include "tokenomics/base/random.hpp"

using namespace tokenomics;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Values = std::vector<double>;

FitParameter plain(std::string name, double start, double low = -kInfinity, double high = kInfinity) {
  FitParameter p{std::move(name), start, low, high};
  p.log_scale = false;
  return p;
}

FitParameter with_prior(FitParameter p, double prior, double sd) {
  p.prior = prior;
  p.prior_sd = sd;
  return p;
}

/// Options for smooth models: differences as fine as double precision likes.
FitOptions fine() {
  FitOptions options;
  options.step = 1e-6;
  options.tolerance = 1e-9;
  options.max_iterations = 200;
  return options;
}

/// Residuals f(x) - y.
template <class Function>
BatchResiduals against(const Values& x, const Values& y, const Function& f) {
  return one_by_one([=](const Values& b, Values& out) {
    for (std::size_t i = 0; i < x.size(); ++i) out.push_back(f(b, x[i]) - y[i]);
  });
}

BatchResiduals line(const Values& x, const Values& y) {
  return against(x, y, [](const Values& b, double t) { return b[0] + b[1] * t; });
}

}  // namespace

TEST_CASE("a straight line has the textbook's estimates, standard errors and correlation", "[base]") {
  // x = 0 1 2 3, y = 1 3 2 5: means 1.5 and 2.75, Sxx = 5, Sxy = -1.5 x -1.75 + -0.5 x 0.25 + 0.5 x -0.75 + 1.5 x 2.25
  // = 5.5; slope 1.1, intercept 1.1. Residuals 0.1 -0.8 1.3 -0.6: squares 2.7, variance 2.7 / 2 = 1.35.
  // Slope's error sqrt(1.35 / 5) = 0.5196, intercept's sqrt(1.35 (1/4 + 2.25 / 5)) = 0.9721.
  // Correlation -1.5 / sqrt(5 / 4 + 2.25) = -0.8018.
  const FitResult fit = least_squares({plain("a", 0), plain("b", 0)}, line({0, 1, 2, 3}, {1, 3, 2, 5}), fine());
  CHECK(fit.converged);
  CHECK(fit.values[0] == Approx(1.1));
  CHECK(fit.values[1] == Approx(1.1));
  CHECK(fit.scale == Approx(std::sqrt(1.35)));
  CHECK(fit.standard_errors[0] == Approx(0.9721).epsilon(1e-4));
  CHECK(fit.standard_errors[1] == Approx(0.5196).epsilon(1e-4));
  CHECK(fit.correlations[0][1] == Approx(-0.8018).epsilon(1e-4));
  CHECK(fit.correlations[1][0] == fit.correlations[0][1]);
  CHECK(fit.correlations[1][1] == 1.0);
  // Half the squares in units of the variance: 2.7 / 1.35 / 2.
  CHECK(fit.cost == Approx(1.0));
}

TEST_CASE("Misra1a and DanWood of the NIST reference data sets have their certified values", "[base]") {
  // NIST Statistical Reference Datasets, nonlinear regression: certified estimates and standard deviations.
  SECTION("Misra1a: y = b1 (1 - exp(-b2 x)) from the first start") {
    const Values x{77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
    const Values y{10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};
    const FitResult fit =
        least_squares({{"b1", 500, 1, 1e5}, {"b2", 1e-4, 1e-8, 1}},
                      against(x, y, [](const Values& b, double t) { return b[0] * (1 - std::exp(-b[1] * t)); }), fine());
    CHECK(fit.values[0] == Approx(2.3894212918e+02).epsilon(1e-7));
    CHECK(fit.values[1] == Approx(5.5015643181e-04).epsilon(1e-7));
    // Standard errors are relative on a logarithmic scale.
    CHECK(fit.standard_errors[0] * fit.values[0] == Approx(2.7070075241e+00).epsilon(1e-4));
    CHECK(fit.standard_errors[1] * fit.values[1] == Approx(7.2668688436e-06).epsilon(1e-4));
    CHECK(fit.scale == Approx(1.0187876330e-01).epsilon(1e-7));
  }
  SECTION("DanWood: y = b1 x^b2 from the first start") {
    const Values x{1.309, 1.471, 1.490, 1.565, 1.611, 1.680};
    const Values y{2.138, 3.421, 3.597, 4.340, 4.882, 5.660};
    const FitResult fit =
        least_squares({plain("b1", 1), plain("b2", 5)},
                      against(x, y, [](const Values& b, double t) { return b[0] * std::pow(t, b[1]); }), fine());
    CHECK(fit.values[0] == Approx(7.6886226176e-01).epsilon(1e-7));
    CHECK(fit.values[1] == Approx(3.8604055871e+00).epsilon(1e-7));
    CHECK(fit.standard_errors[0] == Approx(1.8281973860e-02).epsilon(1e-4));
    CHECK(fit.standard_errors[1] == Approx(5.1726610913e-02).epsilon(1e-4));
    CHECK(fit.scale == Approx(3.2853114039e-02).epsilon(1e-7));
  }
}

TEST_CASE("Rosenbrock's valley is followed to its end", "[base]") {
  const FitResult fit = least_squares({plain("x", -1.2), plain("y", 1)}, one_by_one([](const Values& b, Values& out) {
                                        out = {10 * (b[1] - b[0] * b[0]), 1 - b[0], 0};
                                      }),
                                      fine());
  CHECK(fit.values[0] == Approx(1.0).epsilon(1e-6));
  CHECK(fit.values[1] == Approx(1.0).epsilon(1e-6));
}

TEST_CASE("softening bounds what one wrong row can do", "[base]") {
  // y = 2 with errors of 0.1 in turn, and one row that is 8 too high: the mean of 11 rows moves by 8 / 11.
  Values x(11), y(11);
  for (std::size_t i = 0; i < 10; ++i) y[i] = 2 + (i % 2 == 0 ? 0.1 : -0.1);
  y[10] = 10;
  const auto constant = against(x, y, [](const Values& b, double) { return b[0]; });
  FitOptions options = fine();
  CHECK(least_squares({plain("c", 0)}, constant, options).values[0] == Approx(2 + 8.0 / 11));
  options.soft = 0.1;
  // psi of a residual of 0.1 -+ d: slope 2^-1.5 / 1; ten rows pull back with 10 x 0.3536 d, one pulls with 0.1: d = 0.028.
  const FitResult soft = least_squares({plain("c", 0)}, constant, options);
  CHECK(soft.values[0] == Approx(2.028).margin(0.001));
  // The scale is of the ten and not of the one: hardly above sqrt(11 x 0.1^2 / 2) / (mean slope 0.32).
  CHECK(soft.scale < 0.3);
  CHECK(soft.standard_errors[0] == Approx(soft.scale / std::sqrt(11.0)).epsilon(1e-6));
}

TEST_CASE("standard errors of softened fits are those of repeated experiments", "[base]") {
  // 400 lines through 40 normal rows, softened at their standard deviation: the mean reported variance against the
  // variance of the estimates, whose own standard error is sqrt(2 / 400) = 7%.
  RandomStream stream(3, "softened");
  double squares = 0, reported = 0;
  for (int trial = 0; trial < 400; ++trial) {
    Values x, y;
    for (int i = 0; i < 40; ++i) {
      x.push_back(0.1 * i - 1.95);
      y.push_back(1 + 2 * x.back() + 0.5 * stream.normal());
    }
    FitOptions options = fine();
    options.soft = 0.5;
    const FitResult fit = least_squares({plain("a", 0), plain("b", 0)}, line(x, y), options);
    squares += (fit.values[1] - 2) * (fit.values[1] - 2);
    reported += fit.standard_errors[1] * fit.standard_errors[1];
  }
  CHECK(reported / squares == Approx(1.0).margin(0.2));
}

TEST_CASE("without rows the prior is the answer", "[base]") {
  const auto nothing = one_by_one([](const Values&, Values&) {});
  const FitResult fit = least_squares(
      {with_prior({"e", 0.5, 0.01, 1}, 0.8, 0.1), with_prior(plain("t", 3), 5, 2), {"free", 2, 1, 3}}, nothing, fine());
  CHECK(fit.converged);
  CHECK(fit.values[0] == Approx(0.8));
  CHECK(fit.standard_errors[0] == Approx(0.1));  // relative
  CHECK(fit.values[1] == Approx(5.0));
  CHECK(fit.standard_errors[1] == Approx(2.0));
  CHECK(fit.values[2] == Approx(2.0));
  CHECK(fit.standard_errors[2] == kInfinity);
}

TEST_CASE("rows and prior are weighed by their precision", "[base]") {
  // Four rows of known noise 1 with mean 3, prior 1 +- 0.5: precisions 4 and 4: mean 2, error 1 / sqrt 8.
  const auto constant = against({0, 0, 0, 0}, {2, 3, 3, 4}, [](const Values& b, double) { return b[0]; });
  FitOptions options = fine();
  options.noise = 1;
  options.noise_rows = kInfinity;
  const FitResult known = least_squares({with_prior(plain("c", 0), 1, 0.5)}, constant, options);
  CHECK(known.values[0] == Approx(2.0));
  CHECK(known.standard_errors[0] == Approx(1 / std::sqrt(8.0)));
  CHECK(known.scale == 1.0);
  // Two rows that agree by accident would make their own scale nothing, or that of the distance to the prior.
  const auto twice = against({0, 0}, {3, 3}, [](const Values& b, double) { return b[0]; });
  options.noise_rows = 10;
  const FitResult few = least_squares({with_prior(plain("c", 0), 1, 0.5)}, twice, options);
  CHECK(few.values[0] > 1.4);
  CHECK(few.values[0] < 2.0);
  CHECK(few.standard_errors[0] > 0.3);
}

TEST_CASE("a parameter that is pushed out rests at its bound", "[base]") {
  // The line of the first case wants a slope of 1.1; held at 0.5 the intercept is 2.75 - 0.5 x 1.5 = 2.
  const FitResult fit = least_squares({plain("a", 0), plain("b", 0, -1, 0.5)}, line({0, 1, 2, 3}, {1, 3, 2, 5}), fine());
  CHECK(fit.values[1] == 0.5);
  CHECK(fit.at_bound[1]);
  CHECK_FALSE(fit.at_bound[0]);
  CHECK(fit.values[0] == Approx(2.0));
  CHECK(fit.standard_errors[1] == 0.0);
  CHECK(fit.correlations[0][1] == 0.0);
  // Residuals 1 -0.5 1 -1.5 of 2 + x / 2: squares 4.5, three degrees of freedom, sqrt(1.5 / 4).
  CHECK(fit.standard_errors[0] == Approx(std::sqrt(1.5 / 4)));
  // It may start at a bound and leave it, and a bound that nothing pushes at is not reported.
  const FitResult leaves = least_squares({plain("a", 0), plain("b", 0.5, 0.5, 3)}, line({0, 1, 2, 3}, {1, 3, 2, 5}), fine());
  CHECK(leaves.values[1] == Approx(1.1));
  CHECK_FALSE(leaves.at_bound[1]);
  // Held by equal bounds: no column is evaluated, and it is not "at a bound".
  const FitResult held = least_squares({plain("a", 0), plain("b", 0.5, 0.5, 0.5)}, line({0, 1, 2, 3}, {1, 3, 2, 5}), fine());
  CHECK(held.values[0] == Approx(2.0));
  CHECK_FALSE(held.at_bound[1]);
}

TEST_CASE("collinear parameters say so", "[base]") {
  // Only the product of the two is seen: their logarithms' correlation is -1 but for what the priors add. Information
  // of 20 rows each: [[K + 1, K], [K, K + 1]], correlation -K / (K + 1).
  Values x, y;
  RandomStream stream(5, "collinear");
  for (int i = 0; i < 20; ++i) {
    x.push_back(1 + i);
    y.push_back(std::log(6.0) + 0.01 * stream.normal());
  }
  const auto product = against(x, y, [](const Values& b, double) { return std::log(b[0] * b[1]); });
  const FitResult fit =
      least_squares({with_prior({"a", 2, 0.1, 50}, 2, 1), with_prior({"b", 2, 0.1, 50}, 2, 1)}, product, fine());
  CHECK(fit.values[0] * fit.values[1] == Approx(6.0).epsilon(0.01));
  CHECK(fit.values[0] == Approx(fit.values[1]).epsilon(1e-4));
  const double known = 20 / (fit.scale * fit.scale);
  CHECK(fit.correlations[0][1] == Approx(-known / (known + 1)).epsilon(1e-4));
  // Without priors neither is known at all.
  const FitResult free = least_squares({{"a", 2, 0.1, 50}, {"b", 2, 0.1, 50}}, product, fine());
  CHECK(free.values[0] * free.values[1] == Approx(6.0).epsilon(0.01));
  CHECK(free.standard_errors[0] == kInfinity);
}

TEST_CASE("a start far off is left although the priors were stronger there", "[base]") {
  // log y = log a with 50 rows; prior 1 +- 0.5, truth 20: at the start every residual is 30 times the softening.
  Values x(50), y(50, std::log(20.0));
  for (std::size_t i = 0; i < 50; ++i) y[i] += i % 2 == 0 ? 0.05 : -0.05;
  FitOptions options;
  options.soft = 0.1;
  const FitResult fit = least_squares({with_prior({"a", 1, 0.01, 100}, 1, 0.5)},
                                      against(x, y, [](const Values& b, double) { return std::log(b[0]); }), options);
  CHECK(fit.converged);
  CHECK(fit.values[0] == Approx(20.0).epsilon(0.01));
}

TEST_CASE("fits of exact rows find what made them", "[base]") {
  rc::prop("power laws", [] {
    const auto whole = [](int low, int high) { return static_cast<double>(*rc::gen::inRange(low, high)); };
    const double a = std::exp(whole(-20, 20) / 10), b = whole(1, 30) / 10;
    Values x, y;
    for (int i = 1; i <= 8; ++i) {
      x.push_back(i);
      y.push_back(std::log(a) + b * std::log(i));
    }
    const FitResult fit =
        least_squares({{"a", 1, 1e-3, 1e3}, {"b", 1, 1e-2, 10}},
                      against(x, y, [](const Values& v, double t) { return std::log(v[0]) + v[1] * std::log(t); }), fine());
    RC_ASSERT(std::abs(fit.values[0] / a - 1) < 1e-5);
    RC_ASSERT(std::abs(fit.values[1] / b - 1) < 1e-5);
  });
}

TEST_CASE("all columns of a Jacobian come in one call, and every run makes the same calls", "[base]") {
  const auto calls_of = [](std::vector<std::size_t>& sizes) {
    const BatchResiduals inner = line({0, 1, 2, 3}, {1, 3, 2, 5});
    const BatchResiduals counted = [&](const std::vector<Values>& places) {
      sizes.push_back(places.size());
      return inner(places);
    };
    return least_squares({plain("a", 0), plain("b", 0)}, counted, fine());
  };
  std::vector<std::size_t> first, second;
  const FitResult one = calls_of(first), two = calls_of(second);
  CHECK(first.front() == 3);  // the start and two columns
  CHECK(first == second);
  CHECK(one.values == two.values);
  CHECK(one.standard_errors == two.standard_errors);
}

TEST_CASE("a fit can be watched, limited and stopped", "[base]") {
  const auto valley = one_by_one([](const Values& b, Values& out) {
    out = {10 * (b[1] - b[0] * b[0]), 1 - b[0], 0.1 * b[1]};
  });
  const std::vector<FitParameter> start{plain("x", -1.2), plain("y", 1)};
  FitOptions options = fine();
  options.max_iterations = 2;
  int seen = 0;
  options.progress = [&](int iteration, double) { seen = std::max(seen, iteration); };
  const FitResult limited = least_squares(start, valley, options);
  CHECK_FALSE(limited.converged);
  CHECK(limited.reason == "iteration limit");
  CHECK(seen == 2);
  options.stop = [] { return true; };
  const FitResult stopped = least_squares(start, valley, options);
  CHECK(stopped.reason == "stopped");
  CHECK_FALSE(stopped.converged);
  CHECK(stopped.values[0] == -1.2);
}

TEST_CASE("a step to where the residuals are not finite is not taken", "[base]") {
  // log(1 - b) is not defined beyond 1, where the first full step of 1 - b = e^-3 would lead: 0 + 3.
  const auto edge = one_by_one([](const Values& b, Values& out) { out = {std::log(1 - b[0]) + 3, 0.0}; });
  const FitResult fit = least_squares({plain("b", 0)}, edge, fine());
  CHECK(fit.values[0] == Approx(1 - std::exp(-3.0)));
}

TEST_CASE("wrong parameters are a broken contract", "[base]") {
  const auto nothing = one_by_one([](const Values&, Values&) {});
  CHECK_THROWS_AS(least_squares({{"e", 2, 0.1, 1}}, nothing), std::logic_error);
  CHECK_THROWS_AS(least_squares({{"e", 0.5, 0, 1}}, nothing), std::logic_error);
  CHECK_THROWS_AS(least_squares({with_prior({"e", 0.5, 0.1, 1}, 0.5, 0)}, nothing), std::logic_error);
  const auto infinite = one_by_one([](const Values&, Values& out) { out = {kInfinity}; });
  CHECK_THROWS_AS(least_squares({{"e", 0.5, 0.1, 1}}, infinite), std::logic_error);
  int calls = 0;
  const auto uneven = one_by_one([&](const Values&, Values& out) { out.assign(static_cast<std::size_t>(++calls), 1.0); });
  CHECK_THROWS_AS(least_squares({{"e", 0.5, 0.1, 1}}, uneven), std::logic_error);
}
