#include <cmath>
#include <set>
#include <vector>

#include "support/catch.hpp"

#include <boost/random/sobol.hpp>

#include "tokenomics/base/low_discrepancy.hpp"
#include "tokenomics/base/random.hpp"

using namespace tokenomics;

namespace {

/// Which of 2^k equal cells of (0, 1) a coordinate lies in.
std::size_t cell(double x, unsigned k) { return static_cast<std::size_t>(std::ldexp(x, static_cast<int>(k))); }

/// Mean 1, and every pair of coordinates matters: product over six coordinates of 1 + (x - 1/2).
double product(const std::vector<double>& x) {
  double value = 1;
  for (const double coordinate : x) value *= 0.5 + coordinate;
  return value;
}

}  // namespace

TEST_CASE("the first 2^k Sobol points hit each of 2^k cells of every coordinate once", "[base]") {
  const SobolPoints points(12, 5);
  for (const unsigned k : {1u, 4u, 10u}) {
    for (std::size_t d = 0; d < points.dimensions(); ++d) {
      std::set<std::size_t> seen;
      for (std::uint64_t i = 0; i < (1u << k); ++i) seen.insert(cell(points.point(i)[d], k));
      CHECK(seen.size() == (1u << k));
    }
  }
}

TEST_CASE("the first two Sobol coordinates fall once into each elementary interval", "[base]") {
  // A (0, 8, 2)-net in base 2: of 256 points one lies in each box of 2^-a by 2^-(8 - a), whatever a.
  const SobolPoints points(2, 9);
  for (unsigned a = 0; a <= 8; ++a) {
    std::set<std::pair<std::size_t, std::size_t>> seen;
    for (std::uint64_t i = 0; i < 256; ++i) {
      const std::vector<double> x = points.point(i);
      seen.emplace(cell(x[0], a), cell(x[1], 8 - a));
    }
    CHECK(seen.size() == 256);
  }
}

TEST_CASE("Sobol points are the engine's, one after the other, with each coordinate shifted", "[base]") {
  // Exclusive or with the shift is undone by itself: point(0) is the shift, and Boost begins at the point after it.
  const SobolPoints points(5, 3);
  boost::random::sobol engine(5);
  const auto top = [](double x) { return static_cast<std::uint64_t>(std::ldexp(x, 52)); };
  const std::vector<double> shift = points.point(0);
  for (std::uint64_t i = 1; i < 300; ++i) {
    const std::vector<double> x = points.point(i);
    for (std::size_t d = 0; d < 5; ++d) REQUIRE((top(x[d]) ^ top(shift[d])) == engine() >> 12);
  }
}

TEST_CASE("means over Sobol points settle faster than over random ones", "[base]") {
  // Variance of the product: (1 + 1/12)^6 - 1 = 0.6165, so that 4096 random points have a standard error of
  // sqrt(0.6165) / 64 = 0.0123. A tenth of that with each of five seeds.
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    const SobolPoints points(6, seed);
    double sum = 0;
    for (std::uint64_t i = 0; i < 4096; ++i) sum += product(points.point(i));
    CHECK(sum / 4096 == Approx(1).margin(0.00123));
  }
}

TEST_CASE("a Sobol point is fixed by seed and index, not by what was asked before or beside it", "[base]") {
  const SobolPoints points(8, 1), same(8, 1), fewer(3, 1), other(8, 2);
  const std::vector<double> late = points.point(1'000'000'007);
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(points.point(i) != late);
  CHECK(points.point(1'000'000'007) == late);
  CHECK(same.point(1'000'000'007) == late);
  CHECK(fewer.point(1'000'000'007) == std::vector<double>(late.begin(), late.begin() + 3));
  // Without shifts all coordinates of the point 0 would be the same.
  CHECK(points.point(0)[0] != points.point(0)[1]);
  for (std::size_t d = 0; d < 8; ++d) CHECK(other.point(1'000'000'007)[d] != late[d]);
  // A stored number guards results that users kept.
  CHECK(points.point(0)[0] == 0x1.88338492bd283p-1);
}

TEST_CASE("Sobol coordinates lie inside the unit interval up to the last index", "[base]") {
  const SobolPoints points(SobolPoints::max_dimensions(), 1);
  for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1} << 63, ~std::uint64_t{0}})
    for (const double x : points.point(index)) CHECK((x > 0 && x < 1));
  CHECK_THROWS_AS(SobolPoints(0, 1), std::logic_error);
  CHECK_THROWS_AS(SobolPoints(SobolPoints::max_dimensions() + 1, 1), std::logic_error);
}
