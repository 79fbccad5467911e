#include "tokenomics/study/cost_curves.hpp"

#include <cmath>

#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

/// y = c x^-k at these x.
CostCurve power_law(double c, double k, const std::vector<double>& xs) {
  CostCurve curve{"power law", {}};
  for (const double x : xs) curve.points.emplace_back(x, c * std::pow(x, -k));
  return curve;
}

}  // namespace

TEST_CASE("The lower envelope is sorted and keeps the lowest cost of each x", "[study]") {
  CHECK(lower_envelope({{3, 1}, {1, 5}, {3, 0.5}, {1, 7}, {2, 2}}) == CurvePoints{{1, 5}, {2, 2}, {3, 0.5}});
  CHECK(lower_envelope({}).empty());
  CHECK_THROWS_AS(lower_envelope({{0, 1}}), std::logic_error);
  CHECK_THROWS_AS(lower_envelope({{1, -1}}), std::logic_error);
  CHECK_THROWS_AS(lower_envelope({{1, std::nan("")}}), std::logic_error);
}

TEST_CASE("Power laws cross where algebra says", "[study]") {
  // 12 / x = 3 at x = 4: a falls and is the cheaper one from there on. From two points each, so that the crossing lies
  // between points.
  const CostCurve a = power_law(12, 1, {1, 100}), b = power_law(3, 0, {0.5, 50});
  const std::vector<Crossing> found = crossings(a, b);
  REQUIRE(found.size() == 1);
  CHECK(found[0].x == Approx(4));
  CHECK(found[0].y == Approx(3));
  CHECK(found[0].below_after);
  const std::vector<Crossing> turned = crossings(b, a);
  REQUIRE(turned.size() == 1);
  CHECK(turned[0].x == Approx(4));
  CHECK_FALSE(turned[0].below_after);
  CHECK(crossings(power_law(12, 1, {1, 3.9}), b).empty());  // before they meet
  CHECK(crossings(power_law(12, 1, {4.1, 9}), b).empty());  // after
}

TEST_CASE("Any two power laws cross once, at (c1 / c2)^(1 / (k1 - k2)), whatever their points", "[study]") {
  rc::prop("power laws", [] {
    const auto pick = [](int low, int high) { return *rc::gen::inRange(low, high) * 0.01; };
    const double k1 = pick(100, 200), k2 = pick(0, 90), c2 = pick(1, 500);
    // They meet at x = m: c1 = c2 m^(k1 - k2).
    const double m = pick(200, 5000);
    const CostCurve a = power_law(c2 * std::pow(m, k1 - k2), k1, {1, pick(110, 190), pick(5100, 9000), 100});
    const std::vector<Crossing> found = crossings(a, power_law(c2, k2, {1, pick(110, 5000), 100}));
    RC_ASSERT(found.size() == 1u);
    RC_ASSERT(std::abs(found[0].x / m - 1) < 1e-9);
    RC_ASSERT(found[0].below_after);
  });
}

TEST_CASE("A crossing on a point of the curves is told once", "[study]") {
  const CostCurve flat{"flat", {{1, 2}, {10, 2}, {100, 2}}};
  const std::vector<Crossing> found = crossings({"falling", {{1, 4}, {10, 2}, {100, 1}}}, flat);
  REQUIRE(found.size() == 1);
  CHECK(found[0].x == 10);
  CHECK(found[0].y == 2);
  CHECK(found[0].below_after);
}

TEST_CASE("Curves that touch, start together or end together do not cross", "[study]") {
  const CostCurve flat{"flat", {{1, 2}, {1000, 2}}};
  CHECK(crossings({"touches", {{1, 4}, {10, 2}, {1000, 3}}}, flat).empty());
  CHECK(crossings({"runs along", {{1, 4}, {10, 2}, {20, 2}, {1000, 3}}}, flat).empty());
  CHECK(crossings({"parts", {{1, 2}, {10, 3}}}, flat).empty());
  CHECK(crossings({"arrives", {{1, 4}, {1000, 2}}}, flat).empty());
}

TEST_CASE("Curves that run together for a while cross at the end of that", "[study]") {
  const CostCurve flat{"flat", {{1, 2}, {1000, 2}}};
  const std::vector<Crossing> found = crossings({"falls", {{1, 4}, {10, 2}, {20, 2}, {1000, 1}}}, flat);
  REQUIRE(found.size() == 1);
  CHECK(found[0].x == 20);
  CHECK(found[0].below_after);
}

TEST_CASE("A curve that goes under another and comes back crosses twice", "[study]") {
  // 8 / x = 2 at x = 4, and from its lowest point (16, 0.5) back to 8 at 256: 0.5 (x / 16) = 2 at x = 64.
  const CostCurve flat{"flat", {{1, 2}, {1000, 2}}};
  const std::vector<Crossing> found = crossings({"dips", {{256, 8}, {1, 8}, {16, 0.5}}}, flat);
  REQUIRE(found.size() == 2);
  CHECK(found[0].x == Approx(4));
  CHECK(found[0].below_after);
  CHECK(found[1].x == Approx(64));
  CHECK_FALSE(found[1].below_after);
}

TEST_CASE("The same curve does not cross itself, also through other points", "[study]") {
  const CostCurve a = power_law(7, 0.7, {1, 100});
  CHECK(crossings(a, a).empty());
  CHECK(crossings(a, {"none", {}}).empty());
  rc::prop("other points", [] {
    const auto pick = [](int low, int high) { return *rc::gen::inRange(low, high) * 0.01; };
    const double c = pick(1, 1000), k = pick(1, 200);
    const CostCurve other = power_law(c, k, {1, pick(110, 900), pick(1000, 3000), pick(3100, 5000), pick(5100, 9000), 100});
    RC_ASSERT(crossings(power_law(c, k, {1, 100}), other).empty());
  });
}

TEST_CASE("Of parallel power laws the break-even price is the same at every x", "[study]") {
  // The other costs 5 / 2 of the reference at 4 USD an hour: as cheap at 4 x 2 / 5 = 1.6.
  const std::optional<CurveBreakEven> found =
      break_even(power_law(2, 0.6, {1, 10, 100}), power_law(5, 0.6, {3, 30, 300}), 4);
  REQUIRE(found);
  CHECK(found->x_low == 3);
  CHECK(found->x_high == 100);
  REQUIRE(found->price.size() == 4);
  const double xs[] = {3, 10, 30, 100};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(found->price[i].first == xs[i]);
    CHECK(found->price[i].second == Approx(1.6));
  }
  CHECK(found->low == Approx(1.6));
  CHECK(found->median == Approx(1.6));
  CHECK(found->high == Approx(1.6));
}

TEST_CASE("The break-even price follows the ratio of the curves", "[study]") {
  // At x = 1, 10, 100 the reference costs 8, 4, 2 and the other 4, 4, 4, at 3 USD an hour: 6, 3 and 1.5.
  const CostCurve reference{"reference", {{1, 8}, {10, 4}, {100, 2}, {100, 9}}}, other{"other", {{0.1, 4}, {100, 4}}};
  const std::optional<CurveBreakEven> found = break_even(reference, other, 3);
  REQUIRE(found);
  CHECK(found->low == Approx(1.5));
  CHECK(found->median == Approx(3));
  CHECK(found->high == Approx(6));
}

TEST_CASE("Curves without a common range have no break-even, those with one common x have it there", "[study]") {
  const CostCurve early{"early", {{1, 2}, {10, 1}}}, late{"late", {{10, 4}, {20, 3}}};
  const std::optional<CurveBreakEven> at_ten = break_even(early, late, 8);
  REQUIRE(at_ten);
  CHECK(at_ten->price == CurvePoints{{10, 2}});
  CHECK_FALSE(break_even(early, {"later", {{11, 4}, {20, 3}}}, 8).has_value());
  CHECK_FALSE(break_even(early, {"none", {}}, 8).has_value());
}
