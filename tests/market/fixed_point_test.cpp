#include "tokenomics/market/fixed_point.hpp"

#include <cmath>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

using Loads = std::vector<double>;

}  // namespace

TEST_CASE("a power law is solved in one step", "[market]") {
  // l = 8 / l^2, so l = 2. Plain repetition diverges: 1, 8, 1/8, 512.
  const FixedPoint p = solve_fixed_point([](const Loads& l) { return Loads{8.0 / (l[0] * l[0])}; }, {1.0});
  CHECK(p.convergence.converged);
  CHECK(p.convergence.iterations <= 2);
  CHECK(p.loads[0] == Approx(2));
}

TEST_CASE("steep answers are solved from far below and far above", "[market]") {
  // l = 100 e^-l: l = W(100) = 3.3856301.
  const LoadMap steep = [](const Loads& l) { return Loads{100.0 * std::exp(-l[0])}; };
  for (const double start : {0.0, 1e-3, 3.0, 50.0, 500.0}) {
    const FixedPoint p = solve_fixed_point(steep, {start});
    CHECK(p.convergence.converged);
    CHECK(p.loads[0] == Approx(3.3856301));
  }
}

TEST_CASE("a kink that Newton cannot pass is swept", "[market]") {
  // Falls from 10 to 1 between 4.9 and 5, flat beside: l = 10 - 90 (l - 4.9), so 91 l = 451 and l = 4.956044.
  const LoadMap cliff = [](const Loads& l) {
    return Loads{l[0] < 4.9 ? 10.0 : l[0] > 5.0 ? 1.0 : 10.0 - 90.0 * (l[0] - 4.9)};
  };
  for (const double start : {0.0, 1.0, 20.0}) CHECK(solve_fixed_point(cliff, {start}).loads[0] == Approx(4.956044));
}

TEST_CASE("without a fixed point the residual says so", "[market]") {
  const FixedPoint p = solve_fixed_point([](const Loads& l) { return Loads{l[0] < 5.0 ? 10.0 : 1.0}; }, {1.0}, {1e-10, 20});
  CHECK_FALSE(p.convergence.converged);
  CHECK(p.convergence.iterations == 20);
  CHECK(p.convergence.residual > 0.1);
}

TEST_CASE("no loads and no requests are their own answer", "[market]") {
  CHECK(solve_fixed_point([](const Loads&) { return Loads{}; }, {}).convergence.converged);
  CHECK(solve_fixed_point([](const Loads&) { return Loads{0.0, 0.0}; }, {0.0, 0.0}).convergence.iterations == 0);
  const FixedPoint left = solve_fixed_point([](const Loads&) { return Loads{0.0, 3.0}; }, {1e6, 1e6});
  CHECK(left.convergence.converged);
  CHECK(left.loads[0] == Approx(0).margin(1e-9));
  CHECK(left.loads[1] == Approx(3));
}

TEST_CASE("rivals that push users to each other settle", "[market]") {
  rc::prop("two substitutes", [] {
    const auto exponent = rc::gen::map(rc::gen::inRange(1, 80), [](int n) { return n / 4.0; });
    const double a = *exponent;
    const double b = *exponent;
    // 10 requests split by odds l_0^-a : l_1^-b.
    const LoadMap split = [&](const Loads& l) {
      const double odds = std::exp(b * std::log(l[1] + 0.1) - a * std::log(l[0] + 0.1));
      return Loads{10.0 - 10.0 / (1.0 + odds), 10.0 / (1.0 + odds)};
    };
    const FixedPoint p = solve_fixed_point(split, {0.0, 10.0});
    RC_ASSERT(p.convergence.converged);
    RC_ASSERT(std::abs(split(p.loads)[0] - p.loads[0]) < 1e-8);
  });
}
