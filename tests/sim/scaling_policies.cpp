// What each policy wants at one tick, worked by hand.
#include "../../sim/serving/fleet/policies.hpp"
#include "../../sim/serving/fleet/stabilizer.hpp"
#include "support/catch.hpp"

using namespace tokenomics;

namespace {

PoolSignals pool(int on, int starting = 0) {
  PoolSignals s;
  s.on = on;
  s.starting = starting;
  return s;
}

int by_utilization(int on, int starting, double utilization) {
  PoolSignals s = pool(on, starting);
  s.usage = utilization * on;
  return target_utilization_policy({UtilizationSignal::Busy, 0.6, 0.1})->desired(s);
}

constexpr SimTime seconds(double s) { return static_cast<SimTime>(s * 1e9); }

}  // namespace

// ceil(instances * utilization / target), nothing within 10% of the target 0.6:
//   4 at 0.90: 4 * 1.5 = 6.   4 at 0.65: ratio 1.083, nothing.   4 at 0.67: ratio 1.117, ceil(4.47) = 5.
//   10 at 0.30: ratio 0.5, 5.   10 at 0.55: ratio 0.917, nothing.   10 at 0.31: ceil(5.17) = 6.
TEST_CASE("Target utilization follows the formula of Kubernetes' horizontal pod autoscaler", "[sim]") {
  CHECK(by_utilization(4, 0, 0.90) == 6);
  CHECK(by_utilization(4, 0, 0.65) == 4);
  CHECK(by_utilization(4, 0, 0.67) == 5);
  CHECK(by_utilization(10, 0, 0.30) == 5);
  CHECK(by_utilization(10, 0, 0.55) == 10);
  CHECK(by_utilization(10, 0, 0.31) == 6);
}

// 4 on at 0.9 with 2 starting: 3.6 / (0.6 * 6) = 1: the two on the way are enough. With one starting: 3.6 / (0.6 * 5) =
// 1.2, ceil(5 * 1.2) = 6. 4 on at 0.3 with 2 starting that will be used at 0.6: (1.2 + 1.2) / 3.6 = 0.667, 4.
TEST_CASE("Instances that are starting are unused on the way up and used on the way down", "[sim]") {
  CHECK(by_utilization(4, 2, 0.90) == 6);
  CHECK(by_utilization(4, 1, 0.90) == 6);
  CHECK(by_utilization(4, 2, 0.30) == 4);
}

// Two waiting an instance are too many: 10 instances and 30 waiting want 15. 300 waiting want 150, at most 20 at once. 10
// waiting are borne. Fewer than 10, half the bound: one in twenty less, at least one.
TEST_CASE("A queue above its bound adds in proportion, at most twice as many; a calm one takes a step back", "[sim]") {
  const auto policy = queue_policy({2});
  const auto wanted = [&](int on, std::int64_t waiting) {
    PoolSignals s = pool(on);
    s.waiting = waiting;
    return policy->desired(s);
  };
  CHECK(wanted(10, 30) == 15);
  CHECK(wanted(10, 300) == 20);
  CHECK(wanted(1, 300) == 5);
  CHECK(wanted(10, 10) == 10);
  CHECK(wanted(10, 9) == 9);
  CHECK(wanted(10, 0) == 9);
  CHECK(wanted(100, 0) == 95);
}

// Bound 1 s at p50. Median 1.5 s of three: 8 -> 12. 0.6 s: stays. 0.4 s, below half the bound: 7. Nobody got a token while
// somebody waits: twice as many.
TEST_CASE("An objective's percentile over its bound says how many more", "[sim]") {
  SloTarget rule;
  rule.percentile = 50;
  rule.ttft_s = 1.0;
  const auto policy = slo_policy(rule);
  const auto wanted = [&](std::vector<double> ttft_s, std::int64_t waiting = 0) {
    PoolSignals s = pool(8);
    s.ttft_s = std::move(ttft_s);
    s.waiting = waiting;
    return policy->desired(s);
  };
  CHECK(wanted({0.1, 9.0, 1.5}) == 12);
  CHECK(wanted({0.1, 9.0, 0.6}) == 8);
  CHECK(wanted({0.1, 9.0, 0.4}) == 7);
  CHECK(wanted({}, 5) == 16);
  CHECK(wanted({}) == 7);
}

// 2 from 6 h on, 5 from 8 h on; five minutes' lead. Time 0 is 7 h, so 8 h is 3,600 s away: ordered from 3,300 s on. At 6 h
// the day after (82,800 s) the three go, not before.
TEST_CASE("A schedule orders so early that instances are up in time and takes them away on time", "[sim]") {
  const auto policy = schedule_policy({{{6.0, 2}, {8.0, 5}}, 7.0}, 300);
  const auto at = [&](double s) {
    PoolSignals signals = pool(1);
    signals.now = seconds(s);
    return policy->desired(signals);
  };
  CHECK(at(0) == 2);
  CHECK(at(3299) == 2);
  CHECK(at(3300) == 5);
  CHECK(at(40'000) == 5);
  CHECK(at(82'799) == 5);
  CHECK(at(82'800) == 2);
}

TEST_CASE("Instances go only when no tick of the stabilization time wanted more", "[sim]") {
  Stabilizer stabilizer(seconds(60));
  CHECK(stabilizer.settle(seconds(0), 4, 10) == 10);  // nothing is known of the time before
  CHECK(stabilizer.settle(seconds(15), 7, 10) == 10);
  CHECK(stabilizer.settle(seconds(60), 4, 10) == 7);
  CHECK(stabilizer.settle(seconds(75), 4, 7) == 7);
  CHECK(stabilizer.settle(seconds(90), 4, 7) == 4);
  CHECK(stabilizer.settle(seconds(105), 9, 4) == 9);  // more comes at once
  CHECK(stabilizer.settle(seconds(120), 5, 9) == 9);
}
