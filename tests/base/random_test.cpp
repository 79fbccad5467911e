#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "support/catch.hpp"

#include <Random123/philox.h>

#include "tokenomics/base/random.hpp"

using namespace tokenomics;

TEST_CASE("Philox gives the numbers published with Random123", "[base]") {
  // Random123 1.14, tests/kat_vectors: philox4x64, 10 rounds; counter and key all ones, and digits of pi.
  const r123::Philox4x64 philox;
  const std::uint64_t ones = ~std::uint64_t{0};
  const auto from_ones = philox({{ones, ones, ones, ones}}, {{ones, ones}});
  CHECK(from_ones[0] == 0x87b092c3013fe90bULL);
  CHECK(from_ones[1] == 0x438c3c67be8d0224ULL);
  CHECK(from_ones[2] == 0x9cc7d7c69cd777b6ULL);
  CHECK(from_ones[3] == 0xa09caebf594f0ba0ULL);
  const auto from_pi = philox({{0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL, 0xa4093822299f31d0ULL, 0x082efa98ec4e6c89ULL}},
                              {{0x452821e638d01377ULL, 0xbe5466cf34e90c6cULL}});
  CHECK(from_pi[0] == 0xa528f45403e61d95ULL);
  CHECK(from_pi[1] == 0x38c72dbd566e9788ULL);
  CHECK(from_pi[2] == 0xa5a1610e72fd18b5ULL);
  CHECK(from_pi[3] == 0x57bd43b5e52b7fe6ULL);
}

TEST_CASE("FNV-1a gives its published values", "[base]") {
  // draft-eastlake-fnv, appendix: 64-bit FNV-1a of "", "a" and "foobar".
  CHECK(fnv1a("") == 0xcbf29ce484222325ULL);
  CHECK(fnv1a("a") == 0xaf63dc4c8601ec8cULL);
  CHECK(fnv1a("foobar") == 0x85944171f73967e8ULL);
}

TEST_CASE("a stream's numbers are fixed by seed, name and index, whatever else draws", "[base]") {
  RandomStream alone(7, "arrivals", 3);
  RandomStream beside(7, "arrivals", 3);
  RandomStream other(7, "lengths", 3);
  for (int i = 0; i < 1000; ++i) {
    other.bits();
    REQUIRE(alone.bits() == beside.bits());
  }
}

TEST_CASE("the stream's algorithm does not change from one release to the next", "[base]") {
  // Stored numbers: guards results that users kept. The laws above and below say that they are good numbers.
  RandomStream stream(1, "arrivals");
  CHECK(stream.bits() == 0x5107f78078b300abULL);
}

TEST_CASE("streams with another seed, name or index share no number", "[base]") {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed : {0, 1, 2}) {
    for (const char* name : {"arrivals", "lengths", ""}) {
      for (std::uint64_t index : {0, 1, 2}) {
        RandomStream stream(seed, name, index);
        for (int i = 0; i < 100; ++i) seen.insert(stream.bits());
      }
    }
  }
  CHECK(seen.size() == 27 * 100);
}

TEST_CASE("streams of different names are uncorrelated", "[base]") {
  // The correlation of n independent pairs has standard error 1 / sqrt n: 0.00316 for 100 000; 5 of them are 0.0158.
  RandomStream a(11, "arrivals");
  RandomStream b(11, "arrivals2");
  RandomStream c(11, "arrivals", 1);
  double ab = 0.0, ac = 0.0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = a.normal();
    ab += x * b.normal();
    ac += x * c.normal();
  }
  CHECK(std::abs(ab / 1e5) < 0.0158);
  CHECK(std::abs(ac / 1e5) < 0.0158);
}

TEST_CASE("uniform numbers stay off both ends", "[base]") {
  CHECK(open_unit(0) == 0x1.0p-53);
  CHECK(open_unit(~std::uint64_t{0}) == 1.0 - 0x1.0p-53);
  CHECK(open_unit(~std::uint64_t{0}) < 1.0);
}

namespace {

struct Moments {
  double mean;
  double variance;
};

template <class Draw>
Moments moments(int n, Draw draw) {
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / n;
  return {mean, squares / n - mean * mean};
}

}  // namespace

TEST_CASE("the laws have their mean and variance within five standard errors", "[base]") {
  // One million draws. Standard error of a mean: sd / 1000; of a variance: sqrt(kurtosis - 1) variance / 1000.
  RandomStream stream(5, "moments");
  const int n = 1'000'000;
  SECTION("uniform: mean 1/2, variance 1/12, kurtosis 9/5") {
    const auto [mean, variance] = moments(n, [&] { return stream.uniform(); });
    CHECK(mean == Approx(0.5).margin(5 * 0.000289));
    CHECK(variance == Approx(0.0833333).margin(5 * 0.0000745));
  }
  SECTION("exponential: mean 1, variance 1, kurtosis 9") {
    const auto [mean, variance] = moments(n, [&] { return stream.exponential(); });
    CHECK(mean == Approx(1.0).margin(5 * 0.001));
    CHECK(variance == Approx(1.0).margin(5 * 0.00283));
  }
  SECTION("normal: mean 0, variance 1, kurtosis 3") {
    const auto [mean, variance] = moments(n, [&] { return stream.normal(); });
    CHECK(mean == Approx(0.0).margin(5 * 0.001));
    CHECK(variance == Approx(1.0).margin(5 * 0.00141));
  }
  SECTION("integers below 10: mean 4.5, variance 8.25, kurtosis 1.78") {
    const auto [mean, variance] = moments(n, [&] { return static_cast<double>(stream.below(10)); });
    CHECK(mean == Approx(4.5).margin(5 * 0.00287));
    CHECK(variance == Approx(8.25).margin(5 * 0.00727));
  }
}

TEST_CASE("integers below n cover 0 to n - 1 and nothing else", "[base]") {
  RandomStream stream(3, "below");
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(stream.below(7));
  CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(stream.below(1) == 0);
  CHECK_THROWS_AS(stream.below(0), std::logic_error);
}

TEST_CASE("the normal quantile agrees with printed tables and inverts the normal law", "[base]") {
  // Abramowitz and Stegun, table 26.5, more digits by inverting erfc; the loop below checks the inversion itself.
  CHECK(normal_quantile(0.5) == 0.0);
  CHECK(normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-14));
  CHECK(normal_quantile(0.95) == Approx(1.6448536269514722).epsilon(1e-14));
  CHECK(normal_quantile(0.999) == Approx(3.090232306167814).epsilon(1e-14));
  CHECK(normal_quantile(1e-10) == Approx(-6.361340902404056).epsilon(1e-14));
  for (const double u : {1e-300, 1e-20, 1e-6, 0.01, 0.02425, 0.1, 0.3, 0.4999}) {
    const double x = normal_quantile(u);
    CHECK(0.5 * std::erfc(-x / std::sqrt(2.0)) == Approx(u).epsilon(1e-12));
  }
  for (const double u : {0.03125, 0.125, 0.25, 0.375}) CHECK(normal_quantile(1.0 - u) == -normal_quantile(u));
  CHECK_THROWS_AS(normal_quantile(0.0), std::logic_error);
  CHECK_THROWS_AS(normal_quantile(1.0), std::logic_error);
}
