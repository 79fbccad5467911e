#include "tokenomics/market/response_surface.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

ServicePoint point(double load, double ttft, double speed, double served = 1.0) {
  return {TokensPerSecond{load}, Seconds{ttft}, TokensPerSecond{speed}, load / 1000, served, 8, usd_per_hour(16)};
}

/// M/M/1 with service rate 1: mean time in the system 1 / (1 - load).
ServicePoint mm1(double load) { return point(load, 1.0 / (1.0 - load), 50.0 * (1.0 - load)); }

/// Loads and ttft rise, speed falls.
rc::Gen<std::vector<ServicePoint>> rising_points() {
  const auto step = rc::gen::inRange(1, 100);
  return rc::gen::map(rc::gen::container<std::vector<std::tuple<int, int, int>>>(rc::gen::tuple(step, step, step)),
                      [](const std::vector<std::tuple<int, int, int>>& steps) {
                        std::vector<ServicePoint> points = {point(10, 0.1, 100)};
                        for (const auto& [load, ttft, speed] : steps) {
                          const ServicePoint& last = points.back();
                          points.push_back(point(last.load.value() + load, last.ttft.value() * (1 + ttft / 50.0),
                                                 last.interactivity.value() / (1 + speed / 50.0)));
                        }
                        return points;
                      });
}

}  // namespace

TEST_CASE("a surface goes through its points", "[market]") {
  const ResponseSurface surface({point(100, 1, 50), point(200, 2, 40, 0.9), point(400, 8, 20, 0.5)});
  CHECK(surface.at(TokensPerSecond{200}).point.ttft.value() == Approx(2));
  CHECK(surface.at(TokensPerSecond{200}).point.served_share == Approx(0.9));
  CHECK(surface.at(TokensPerSecond{400}).point.interactivity.value() == Approx(20));
  CHECK_FALSE(surface.at(TokensPerSecond{400}).saturated);
}

TEST_CASE("two points: a power law between them", "[market]") {
  // ttft 1 -> 4 while load 100 -> 400: ttft = load / 100, so 2 at 200.
  const ResponseSurface surface({point(400, 4, 25), point(100, 1, 100)});
  CHECK(surface.at(TokensPerSecond{200}).point.ttft.value() == Approx(2));
  CHECK(surface.at(TokensPerSecond{200}).point.interactivity.value() == Approx(50));
  CHECK_FALSE(surface.ttft_error());
}

TEST_CASE("above its last point a provider is full, below its first it is as at the first", "[market]") {
  // At load 400 half is served: 200. At 800 it is still 200, a quarter.
  const ResponseSurface surface({point(100, 1, 50), point(400, 8, 20, 0.5)});
  CHECK(surface.capacity().value() == 200);
  const ServiceAt above = surface.at(TokensPerSecond{800});
  CHECK(above.saturated);
  CHECK(above.point.served_share == Approx(0.25));
  CHECK(above.point.ttft.value() == 8);
  const ServiceAt below = surface.at(TokensPerSecond{50});
  CHECK(below.below_domain);
  CHECK(below.point.ttft.value() == 1);
  CHECK(below.point.cost == usd_per_hour(16));
  CHECK(below.point.utilization == Approx(0.05));
  CHECK(surface.at(TokensPerSecond{0}).point.utilization == 0);
}

TEST_CASE("rising points give a rising curve that stays between its neighbours", "[market]") {
  rc::prop("monotone", [] {
    const ResponseSurface surface(*rising_points());
    const double lo = surface.points().front().load.value();
    const double hi = surface.points().back().load.value();
    ServicePoint last = surface.at(TokensPerSecond{lo}).point;
    for (int i = 1; i <= 200; ++i) {
      const ServicePoint p = surface.at(TokensPerSecond{lo + (hi - lo) * i / 200.0}).point;
      RC_ASSERT(p.ttft.value() >= last.ttft.value() * (1 - 1e-12));
      RC_ASSERT(p.interactivity.value() <= last.interactivity.value() * (1 + 1e-12));
      last = p;
    }
  });
}

TEST_CASE("waits of an M/M/1 queue are met between the points within the stated error", "[market]") {
  std::vector<ServicePoint> points;
  for (double load = 0.1; load < 0.96; load += 0.05) points.push_back(mm1(load));
  const ResponseSurface surface(points);
  double worst = 0.0;
  for (double load = 0.1; load < 0.95; load += 0.001) {
    const double truth = 1.0 / (1.0 - load);
    worst = std::max(worst, std::abs(surface.at(TokensPerSecond{load}).point.ttft.value() / truth - 1.0));
  }
  CHECK(worst <= surface.ttft_error()->max);  // leaving a point out is harder than what is asked of the whole
  CHECK(surface.ttft_error()->max < 0.07);    // at 0.9, between waits of 6.7 and 20
  CHECK(surface.ttft_error()->median < 0.005);
  CHECK(worst > 0.0);
}

TEST_CASE("the leave-one-out error of a point off a straight line is its distance", "[market]") {
  // Points on ttft = load / 100, but the middle one 20% high: the line through the others predicts 2, 2 / 2.4 - 1 = -1/6.
  const ResponseSurface surface({point(100, 1, 50), point(200, 2.4, 50), point(400, 4, 50)});
  CHECK(surface.ttft_error()->max == Approx(1.0 / 6));
  CHECK(surface.ttft_error()->median == Approx(1.0 / 6));
  CHECK(surface.interactivity_error()->max == Approx(0).margin(1e-12));
}

TEST_CASE("two fleets at twice the load serve as one does", "[market]") {
  const ResponseSurface one({point(100, 1, 50), point(200, 2, 40), point(400, 8, 20)});
  const ResponseSurface two = one.scaled(2);
  CHECK(two.at(TokensPerSecond{500}).point.ttft.value() == Approx(one.at(TokensPerSecond{250}).point.ttft.value()));
  CHECK(two.at(TokensPerSecond{500}).point.gpus == Approx(16));
  CHECK(two.at(TokensPerSecond{500}).point.cost.value() == Approx(usd_per_hour(32).value()));
  CHECK(two.capacity() == 2 * one.capacity());
}

TEST_CASE("slopes at the ends and at turning points keep the cubic between its neighbours", "[market]") {
  // (0, 0), (1, 1), (2, -9): chords 1 and -10. The parabola's slope at 0 is (3 x 1 + 10) / 2 = 6.5, cut to three chords = 3;
  // the slope at the turning point is 0. Half way: 1 x 0.25 x 2 + 3 x 0.5 x 0.25 = 0.875.
  const MonotoneCubic peak({0, 1, 2}, {0, 1, -9});
  CHECK(peak.at(0.5) == Approx(0.875));
  // (0, 0), (1, 1), (2, 3), (3, 4): chords 1, 2, 1; the slope at 1 and 2 is 2 x 1 x 2 / (1 + 2) = 4/3. Half way between
  // them: 1 x 0.25 x 2 + 3 x 0.25 x 2 + (4/3 - 4/3) / 8 = 2. At a quarter, s = 3/4: 1 x s^2 (1 + 2t) = 0.84375, 3 x t^2 (1 +
  // 2s) = 3 x 0.15625, and 4/3 x (t s^2 - s t^2) = 4/3 x (0.140625 - 0.046875).
  const MonotoneCubic rising({0, 1, 2, 3}, {0, 1, 3, 4});
  CHECK(rising.at(1.5) == Approx(2));
  CHECK(rising.at(1.25) == Approx(0.84375 + 3 * 0.15625 + 4.0 / 3 * (0.140625 - 0.046875)));
  CHECK(rising.at(-1) == 0);
  CHECK(rising.at(9) == 4);
}
