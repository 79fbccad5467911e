// The engine's parts on their own: clock of steps, calendar, heap, window, drafts.
#include <cmath>

#include "../../sim/core/indexed_heap.hpp"
#include "../../sim/core/step_calendar.hpp"
#include "../../sim/core/step_clock.hpp"
#include "../../sim/core/window.hpp"
#include "../../sim/serving/speculation.hpp"
#include "support/catch.hpp"
#include "tokenomics/sim/service.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;

// first 10 ms, slope 2 ms: steps of 10, 12, 14 ms end at 10, 22, 36 ms.
TEST_CASE("Boundaries of a run of steps are sums of an arithmetic series", "[sim]") {
  StepClock clock;
  clock.start(5, {0.010, 0.002, 100}, true);
  CHECK(clock.boundary(1) == 10'000'005);
  CHECK(clock.boundary(2) == 22'000'005);
  CHECK(clock.boundary(3) == 36'000'005);
  CHECK(clock.steps_until(10'000'005, 100) == 1);  // a boundary itself
  CHECK(clock.steps_until(10'000'006, 100) == 2);
  CHECK(clock.steps_until(5, 100) == 1);  // a run has at least one step
  CHECK(clock.steps_until(36'000'006, 3) == 3);
}

TEST_CASE("The first boundary at or after a time is found for growing, constant and shrinking steps", "[sim]") {
  rc::prop("steps_until inverts boundary", [] {
    const double first = 1e-6 * *rc::gen::inRange(1, 100'000);
    const double slope = first * 1e-5 * *rc::gen::inRange(-10, 1000);
    StepClock clock;
    const SimTime start = *rc::gen::inRange(0, 1'000'000'000);
    clock.start(start, {first, slope, 1e18}, true);
    const double limit = 5000;
    const auto wanted = static_cast<double>(*rc::gen::inRange(1, 5000));
    const SimTime t = clock.boundary(wanted) + *rc::gen::inRange(-1, 2);
    const double k = clock.steps_until(t, limit);
    RC_ASSERT(k >= 1 && k <= limit);
    RC_ASSERT(clock.boundary(k) >= t);
    RC_ASSERT(k == 1 || clock.boundary(k - 1) < t);
  });
}

// Steps of 1.4 ns: five of them end at 7 ns, whether taken at once or one by one.
TEST_CASE("Fractions of a nanosecond are carried from step to step, and dropped by idling", "[sim]") {
  StepClock clock;
  SimTime now = 0;
  for (int step = 0; step < 5; ++step) {
    clock.start(now, {1.4e-9, 0, 1}, step == 0);
    now = clock.boundary(1);
    clock.finish(1);
  }
  CHECK(now == 7);
  clock.start(100, {1.4e-9, 0, 1}, true);
  clock.finish(1);  // leaves 0.4 ns
  clock.start(101, {1.4e-9, 0, 1}, false);
  CHECK(clock.boundary(1) == 103);
  clock.start(101, {1.4e-9, 0, 1}, true);
  CHECK(clock.boundary(1) == 102);
}

TEST_CASE("The measured window holds its start but not its end", "[sim]") {
  const Window window{10, 20};
  CHECK(window.contains(10));
  CHECK(window.contains(19));
  CHECK_FALSE(window.contains(9));
  CHECK_FALSE(window.contains(20));
  CHECK(window.overlap_s(0, 100) == Approx(10e-9));
  CHECK(window.overlap_s(15, 18) == Approx(3e-9));
  CHECK(window.overlap_s(0, 10) == 0);
  CHECK(window.overlap_s(20, 30) == 0);
  CHECK(Window{}.overlap_s(0, 1000) == 0);  // before the window is known nothing is in it
}

TEST_CASE("The heap's top is the least key, of equal keys the lowest slot", "[sim]") {
  rc::prop("top", [] {
    const int slots = *rc::gen::inRange(1, 12);
    IndexedHeap<std::int64_t> heap(slots, 5);
    std::vector<std::int64_t> keys(static_cast<std::size_t>(slots), 5);
    for (int i = 0; i < 60; ++i) {
      const int slot = *rc::gen::inRange(0, slots);
      keys[static_cast<std::size_t>(slot)] = *rc::gen::inRange(0, 8);
      heap.update(slot, keys[static_cast<std::size_t>(slot)]);
      const auto least = std::min_element(keys.begin(), keys.end());  // the first of equals
      RC_ASSERT(heap.top() == least - keys.begin());
      RC_ASSERT(heap.top_key() == *least);
    }
  });
}

TEST_CASE("The calendar skips sequences that left, and gives those due at a step in order of their slots", "[sim]") {
  SequenceStore store;
  Request request;
  request.input_tokens = 1;
  const Slot a = store.add(request), b = store.add(request), c = store.add(request);
  StepCalendar calendar;
  calendar.add(store, 7, c);
  calendar.add(store, 7, b);
  calendar.add(store, 3, a);
  store.remove(a);
  CHECK(calendar.next_step(store, 99) == 7);
  CHECK(calendar.take_due(store, 6) == kNoSlot);
  CHECK(calendar.take_due(store, 7) == b);
  CHECK(calendar.take_due(store, 7) == c);
  CHECK(calendar.take_due(store, 7) == kNoSlot);
  CHECK(calendar.next_step(store, 99) == 99);
}

// Accepted 0.8, then 0.6 given that: P(X >= 2) = 0.8, P(X >= 3) = 0.48: E[X] = 2.28. P(X = 1, 2, 3) = 0.2, 0.32, 0.48:
// E[X^2] = 0.2 + 4 * 0.32 + 9 * 0.48 = 5.8, variance 5.8 - 5.1984 = 0.6016.
TEST_CASE("Tokens of a step with drafts have the mean and variance of their law, and draws follow it", "[sim]") {
  const MtpSpec mtp{2, {0.8, 0.6}};
  const Speculation drafts(mtp);
  CHECK(drafts.mean() == Approx(2.28).epsilon(1e-12));
  CHECK(drafts.variance() == Approx(0.6016).epsilon(1e-12));
  CHECK(drafts.queries() == 3);
  RandomStream random(1, "test");
  double count[4] = {};
  for (int i = 0; i < 400'000; ++i) count[drafts.draw(random)] += 1.0 / 400'000;
  CHECK(count[1] == Approx(0.2).margin(0.003));
  CHECK(count[2] == Approx(0.32).margin(0.003));
  CHECK(count[3] == Approx(0.48).margin(0.003));
}

// Renewal theory: E[steps] is (tokens + mean overshoot) / E[X], overshoot (5.8 / 2.28 - 1) / 2 = 0.77193.
// 100 tokens: 100.77193 / 2.28 = 44.1982; variance of the count 100 * 0.6016 / 2.28^3 = 5.076.
TEST_CASE("The number of steps of an answer is what playing the drafts out gives", "[sim]") {
  const MtpSpec mtp{2, {0.8, 0.6}};
  const Speculation drafts(mtp);
  CHECK(mean_steps(mtp, 100) == Approx(44.1982).epsilon(1e-5));
  CHECK(mean_steps(mtp, 0) == 0);
  CHECK(mean_steps(MtpSpec{}, 100) == 100);
  CHECK(mean_steps(mtp, 1) == Approx(1.77193 / 2.28).epsilon(1e-5));
  RandomStream random(2, "test");
  for (const std::int64_t tokens : {20, 33, 100}) {
    double played = 0, played_squares = 0, drawn = 0, drawn_squares = 0;
    constexpr int kDraws = 100'000;
    for (int i = 0; i < kDraws; ++i) {
      std::int64_t steps = 0;
      for (std::int64_t left = tokens; left > 0; ++steps) left -= drafts.draw(random);
      played += static_cast<double>(steps);
      played_squares += static_cast<double>(steps * steps);
      const auto at_once = drafts.draw_steps(tokens, random);
      drawn += static_cast<double>(at_once);
      drawn_squares += static_cast<double>(at_once * at_once);
    }
    const auto variance = [](double sum, double squares) { return squares / kDraws - sum / kDraws * sum / kDraws; };
    INFO(tokens << " tokens");
    CHECK(drawn / kDraws == Approx(played / kDraws).epsilon(0.002));
    CHECK(mean_steps(mtp, static_cast<double>(tokens)) == Approx(played / kDraws).epsilon(0.002));
    // Rounding to whole steps adds 1/12 to the normal's variance.
    CHECK(variance(drawn, drawn_squares) == Approx(variance(played, played_squares)).epsilon(0.08));
  }
}

TEST_CASE("Drafts that are never or always accepted leave no chance", "[sim]") {
  const MtpSpec never{3, {0, 0, 0}}, always{3, {1, 1, 1}};
  RandomStream random(3, "test");
  CHECK(Speculation(never).draw_steps(50, random) == 50);
  CHECK(Speculation(always).draw_steps(50, random) == 13);  // 4 a step: 12.5
  CHECK(Speculation(always).draw_steps(8, random) == 2);
}
