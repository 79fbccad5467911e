#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

#include "tokenomics/base/range_law.hpp"

using namespace tokenomics;
using Kind = RangeLaw::Kind;

namespace {

constexpr Kind kAll[] = {Kind::Uniform, Kind::LogUniform, Kind::Triangular, Kind::Normal, Kind::LogNormal};

double unit() { return *rc::gen::inRange(1, 1'000'000) * 1e-6; }

/// Any law without fault whose low is above 0.
RangeLaw generated() {
  RangeLaw law;
  law.kind = *rc::gen::elementOf(std::vector<Kind>(std::begin(kAll), std::end(kAll)));
  law.low = *rc::gen::inRange(1, 1000) * 1e-3;
  law.high = law.low * (1 + 10 * unit());
  if (law.kind == Kind::Triangular && *rc::gen::arbitrary<bool>()) law.mode = law.low + unit() * (law.high - law.low);
  return law;
}

}  // namespace

TEST_CASE("quantiles of range laws are those worked by hand", "[base]") {
  // Uniform over 2 to 6: a quarter of the way is 3.
  CHECK(quantile({Kind::Uniform, 2, 6}, 0.25) == 3);
  // Log-uniform over 1 to 100: half of the logarithm of 100 is that of 10, a quarter that of sqrt 10.
  CHECK(quantile({Kind::LogUniform, 1, 100}, 0.5) == Approx(10).epsilon(1e-14));
  CHECK(quantile({Kind::LogUniform, 1, 100}, 0.25) == Approx(3.16227766016838).epsilon(1e-14));
  // Triangle over 0 to 10 with its peak of 2/10 at 4: area 0.4 to its left, a quarter of that up to 2. Right of it,
  // (10 - x)^2 / 60 = 0.15 at x = 7, and 0.55 at x = 10 - sqrt 33.
  const RangeLaw triangle{Kind::Triangular, 0, 10, 4};
  CHECK(quantile(triangle, 0.1) == Approx(2));
  CHECK(quantile(triangle, 0.4) == Approx(4));
  CHECK(quantile(triangle, 0.45) == Approx(4.255437));
  CHECK(quantile(triangle, 0.85) == Approx(7));
  // Without a mode it is the middle: up to x the area is x^2 / 50.
  CHECK(quantile({Kind::Triangular, 0, 10}, 0.02) == Approx(1));
  CHECK(quantile({Kind::Triangular, 0, 10}, 0.98) == Approx(9));
  // Right triangles: x^2 / 100 = 0.25 with the mode at the top, (10 - x)^2 / 100 = 0.25 with it at the bottom.
  CHECK(quantile({Kind::Triangular, 0, 10, 10}, 0.25) == Approx(5));
  CHECK(quantile({Kind::Triangular, 0, 10, 0}, 0.75) == Approx(5));
  // Normal with 5% at -1 and 95% at 3: mean 1, standard deviation 2 / 1.6448536 = 1.2159; 97.5% at 1 + 1.959964 x 1.2159.
  CHECK(quantile({Kind::Normal, -1, 3}, 0.975) == Approx(3.383147).epsilon(1e-6));
  // Lognormal with 5% at 1 and 95% at 4: median 2; the logarithm has standard deviation log 2 / 1.6448536 = 0.421404, and
  // 1.959964 of them are 0.825937.
  CHECK(quantile({Kind::LogNormal, 1, 4}, 0.5) == Approx(2).epsilon(1e-14));
  CHECK(std::log(quantile({Kind::LogNormal, 1, 4}, 0.975) / 2) == Approx(0.825937).epsilon(1e-5));
}

TEST_CASE("the low and high of unbounded laws are their 5% and 95% quantiles", "[base]") {
  for (const Kind kind : {Kind::Normal, Kind::LogNormal}) {
    CHECK(quantile({kind, 2, 5}, 0.05) == Approx(2).epsilon(1e-13));
    CHECK(quantile({kind, 2, 5}, 0.95) == Approx(5).epsilon(1e-13));
    CHECK(quantile({kind, 2, 5}, 0.01) < 2);
    CHECK(quantile({kind, 2, 5}, 0.99) > 5);
  }
}

TEST_CASE("the centre of a law is its median", "[base]") {
  CHECK(centre({Kind::Uniform, 2, 6}) == 4);
  CHECK(centre({Kind::Normal, 2, 6}) == 4);
  CHECK(centre({Kind::LogUniform, 2, 8}) == Approx(4));
  CHECK(centre({Kind::LogNormal, 2, 8}) == Approx(4));
  // (10 - x)^2 / (10 x 10) = 1/2 with the mode at 0: x = 10 - sqrt 50.
  CHECK(centre({Kind::Triangular, 0, 10, 0}) == Approx(2.928932));
}

TEST_CASE("quantiles of any law rise, and those of bounded laws stay within their bounds", "[base]") {
  rc::prop("rising and bounded", [] {
    const RangeLaw law = generated();
    RC_ASSERT(fault_of(law) == "");
    const double u = unit(), v = unit();
    RC_PRE(u < v);
    const double at_u = quantile(law, u), at_v = quantile(law, v);
    RC_ASSERT(at_u < at_v);
    if (law.kind == Kind::Normal || law.kind == Kind::LogNormal) return;
    RC_ASSERT(at_u >= law.low);
    RC_ASSERT(at_v <= law.high);
  });
}

TEST_CASE("rounding does not carry a bounded law over its bounds", "[base]") {
  for (const Kind kind : {Kind::Uniform, Kind::LogUniform, Kind::Triangular}) {
    for (int i = 1; i < 200; ++i) {
      const RangeLaw law{kind, 0.01 * i, 0.03 * i};
      CHECK(quantile(law, 0x1.0p-53) >= law.low);
      CHECK(quantile(law, 1 - 0x1.0p-53) <= law.high);
    }
  }
}

TEST_CASE("a law scaled is the law of scaled bounds", "[base]") {
  rc::prop("scaling", [] {
    const RangeLaw law = generated();
    RangeLaw doubled = law;
    doubled.low *= 2, doubled.high *= 2;
    if (doubled.mode) *doubled.mode *= 2;
    const double u = unit();
    RC_ASSERT(std::abs(quantile(doubled, u) - 2 * quantile(law, u)) < 1e-12 * law.high);
  });
}

TEST_CASE("what is wrong with a law is told", "[base]") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  CHECK(fault_of({Kind::Uniform, -3, 2}) == "");
  CHECK(fault_of({Kind::Uniform, 3, 2}) == "low 3 is not below high 2");
  CHECK(fault_of({Kind::Uniform, 2, 2}) == "low 2 is not below high 2");
  CHECK(fault_of({Kind::Normal, 0, infinity}) == "low 0 and high inf are not finite");
  CHECK(fault_of({Kind::Normal, nan, 1}) == "low nan and high 1 are not finite");
  CHECK(fault_of({Kind::Normal, -3, 2}) == "");
  CHECK(fault_of({Kind::LogUniform, 0, 2}) == "low 0 is not above 0, which log_uniform needs");
  CHECK(fault_of({Kind::LogNormal, -1, 2}) == "low -1 is not above 0, which lognormal needs");
  CHECK(fault_of({Kind::Triangular, 1, 2, 1}) == "");
  CHECK(fault_of({Kind::Triangular, 1, 2, 2}) == "");
  CHECK(fault_of({Kind::Triangular, 1, 2, 2.5}) == "mode 2.5 is not between low 1 and high 2");
  CHECK(fault_of({Kind::Triangular, 1, 2, nan}) == "mode nan is not between low 1 and high 2");
  CHECK(fault_of({Kind::Uniform, 1, 2, 1.5}) == "uniform has no mode");
  CHECK_THROWS_AS(quantile({Kind::Uniform, 3, 2}, 0.5), std::logic_error);
  CHECK_THROWS_AS(quantile({Kind::Uniform, 2, 3}, 0.0), std::logic_error);
  CHECK_THROWS_AS(quantile({Kind::Uniform, 2, 3}, 1.0), std::logic_error);
}

TEST_CASE("range laws are read by the names that they are written by", "[base]") {
  for (const Kind kind : kAll) CHECK(range_law_named(name_of(kind)) == kind);
  CHECK(name_of(Kind::LogUniform) == "log_uniform");
  CHECK(name_of(Kind::LogNormal) == "lognormal");
  CHECK_FALSE(range_law_named("gauss").has_value());
}
