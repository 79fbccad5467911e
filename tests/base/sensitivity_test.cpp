#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

#include "tokenomics/base/low_discrepancy.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/base/sensitivity.hpp"

using namespace tokenomics;

namespace {

using Columns = std::vector<std::vector<double>>;

Columns sobol_columns(std::size_t dimensions, std::size_t samples) {
  const SobolPoints points(dimensions, 1);
  Columns columns(dimensions);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::vector<double> x = points.point(i);
    for (std::size_t d = 0; d < dimensions; ++d) columns[d].push_back(x[d]);
  }
  return columns;
}

template <class Function>
std::vector<double> output_of(const Columns& columns, const Function& function) {
  std::vector<double> output;
  for (std::size_t i = 0; i < columns.front().size(); ++i) {
    std::vector<double> x;
    for (const std::vector<double>& column : columns) x.push_back(column[i]);
    output.push_back(function(x));
  }
  return output;
}

}  // namespace

TEST_CASE("first-order indices of a few samples are those worked by hand", "[base]") {
  // Eight samples make two classes of four: means 2.5 and 6.5, 2 off the mean of 4.5. 8 x 4 = 32 of a total of
  // 2 (0.25 + 2.25 + 6.25 + 12.25) = 42.
  CHECK(drivers({{1, 2, 3, 4, 5, 6, 7, 8}}, {1, 2, 3, 4, 5, 6, 7, 8})[0].first_order == Approx(32.0 / 42));
  // Seven make one class, which tells nothing.
  CHECK(drivers({{1, 2, 3, 4, 5, 6, 7}}, {1, 2, 3, 4, 5, 6, 7})[0].first_order == 0);
}

TEST_CASE("an input of two values explains what its two means do", "[base]") {
  // x is 0 for the outputs 0 and 1, and 1 for 2 and 3: means 0.5 and 2.5, 1 off the mean; variance 1.25. 1 / 1.25 = 0.8,
  // although 28 samples would make six classes.
  std::vector<double> x, y;
  for (int i = 0; i < 28; ++i) {
    x.push_back(i % 4 / 2);
    y.push_back(i % 4);
  }
  CHECK(drivers({x}, y)[0].first_order == Approx(0.8));
}

TEST_CASE("from random samples an input that does not matter has little by chance", "[base]") {
  // 4096 samples: 32 classes, 31 / 4096 = 0.0076 with a standard deviation of sqrt(2 x 31) / 4096 = 0.0019.
  RandomStream random(1, "samples");
  Columns columns(2);
  for (int i = 0; i < 4096; ++i)
    for (std::vector<double>& column : columns) column.push_back(random.uniform());
  const std::vector<Driver> found = drivers(columns, output_of(columns, [](const auto& x) { return std::exp(x[0]); }));
  CHECK(found[0].first_order == Approx(1).margin(0.01));
  CHECK(found[1].first_order == Approx(0.0076).margin(5 * 0.0019));
}

TEST_CASE("of a weighted sum each input has the share of its squared weight", "[base]") {
  // 1 + 4 + 16 = 21 over equal variances: 16/21, 4/21, 1/21 and nothing. The sign tells in the rank correlation only.
  const Columns columns = sobol_columns(4, 4096);
  const std::vector<Driver> found =
      drivers(columns, output_of(columns, [](const auto& x) { return 7 + 4 * x[0] - 2 * x[1] + x[2]; }));
  const double expected[] = {16.0 / 21, 4.0 / 21, 1.0 / 21, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(found[i].input == i);
    CHECK(found[i].first_order == Approx(expected[i]).margin(0.005));
  }
  CHECK(found[0].rank_correlation > 0.8);
  CHECK(found[1].rank_correlation < -0.3);
  CHECK(found[3].rank_correlation == Approx(0).margin(0.03));
}

TEST_CASE("the Ishigami function has its known first-order indices", "[base]") {
  // sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 over (-pi, pi)^3 (Ishigami and Homma 1990): 0.3139, 0.4424 and 0. The second is
  // even, so that rank correlation misses it; the third matters with the first only.
  const Columns columns = sobol_columns(3, 4096);
  const std::vector<double> output = output_of(columns, [](const std::vector<double>& u) {
    const auto x = [&](std::size_t i) { return std::numbers::pi * (2 * u[i] - 1); };
    return std::sin(x(0)) + 7 * std::pow(std::sin(x(1)), 2) + 0.1 * std::pow(x(2), 4) * std::sin(x(0));
  });
  const std::vector<Driver> found = drivers(columns, output);
  CHECK(found[0].first_order == Approx(0.3139).margin(0.01));
  CHECK(found[1].first_order == Approx(0.4424).margin(0.01));
  CHECK(found[2].first_order == Approx(0).margin(0.01));
  CHECK(found[1].rank_correlation == Approx(0).margin(0.03));
}

TEST_CASE("an output or an input that does not vary has no driver", "[base]") {
  const Columns columns = sobol_columns(2, 64);
  for (const Driver& driver : drivers(columns, std::vector<double>(64, 0.1))) {
    CHECK(driver.first_order == 0);
    CHECK(driver.rank_correlation == 0);
  }
  // Equal but for rounding is equal.
  std::vector<double> nearly(64, 0.1);
  for (std::size_t i = 0; i < 64; ++i) nearly[i] += 1e-12 * columns[0][i];
  CHECK(drivers(columns, nearly)[0].first_order == 0);
  CHECK(drivers({std::vector<double>(64, 3.0)}, columns[0])[0].first_order == 0);
  CHECK(drivers({{}}, {})[0].first_order == 0);
}

TEST_CASE("drivers do not depend on the order of the samples, ties or not", "[base]") {
  rc::prop("order", [] {
    RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), "samples");
    Columns inputs(2);
    std::vector<double> output;
    for (int i = 0; i < 50; ++i) {
      inputs[0].push_back(random.uniform());
      inputs[1].push_back(static_cast<double>(random.below(4)));
      output.push_back(inputs[0].back() + inputs[1].back() * random.uniform());
    }
    const std::vector<Driver> before = drivers(inputs, output);
    for (std::size_t i = 50; i > 1; --i) {
      const std::size_t other = random.below(i);
      for (std::vector<double>* column : {&inputs[0], &inputs[1], &output}) std::swap((*column)[i - 1], (*column)[other]);
    }
    const std::vector<Driver> after = drivers(inputs, output);
    for (std::size_t d = 0; d < 2; ++d) {
      RC_ASSERT(std::abs(after[d].first_order - before[d].first_order) < 1e-12);
      RC_ASSERT(std::abs(after[d].rank_correlation - before[d].rank_correlation) < 1e-12);
    }
  });
}

TEST_CASE("Spearman's correlation looks at ranks, and equal values share theirs", "[base]") {
  CHECK(rank_correlation({1, 2, 3}, {1, 10, 1000}) == Approx(1));
  CHECK(rank_correlation({1, 2, 3}, {3, 2, -7}) == Approx(-1));
  CHECK(rank_correlation({1, 2, 3}, {5, 5, 5}) == 0);
  // Ranks 0 1 2 3 and 0.5 0.5 2 3: sum of products of differences from 1.5: 1.5 + 0.5 + 0.25 + 2.25 = 4.5; of squares 5 and
  // 4.5. 4.5 / sqrt 22.5 = 0.948683.
  CHECK(rank_correlation({1, 2, 3, 4}, {7, 7 + 1e-12, 8, 9}) == Approx(0.948683));
  CHECK_THROWS_AS(rank_correlation({1, 2}, {1}), std::logic_error);
}

TEST_CASE("drivers of numbers that are not are refused", "[base]") {
  CHECK_THROWS_AS(drivers({{1, 2}}, {1, std::nan("")}), std::logic_error);
  CHECK_THROWS_AS(drivers({{1, std::numeric_limits<double>::infinity()}}, {1, 2}), std::logic_error);
  CHECK_THROWS_AS(drivers({{1, 2}, {1}}, {1, 2}), std::logic_error);
}
