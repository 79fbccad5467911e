#include "tokenomics/market/pareto.hpp"

#include <rapidcheck/catch.h>

#include "support/catch.hpp"

using namespace tokenomics;

namespace {

/// Word for word: no other point is at least as good everywhere and better somewhere; of equal points the first.
std::vector<std::size_t> brute_front(const std::vector<Qualities>& points) {
  const auto equal = [](const Qualities& a, const Qualities& b) {
    return a.price == b.price && a.ttft_s == b.ttft_s && a.interactivity == b.interactivity &&
           a.context_tokens == b.context_tokens;
  };
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool is_beaten = false;
    for (std::size_t j = 0; j < points.size(); ++j) {
      const Qualities &a = points[j], &b = points[i];
      const bool as_good = a.price <= b.price && a.ttft_s <= b.ttft_s && a.interactivity >= b.interactivity &&
                           a.context_tokens >= b.context_tokens;
      if (as_good && (!equal(a, b) || j < i)) is_beaten = true;
    }
    if (!is_beaten) front.push_back(i);
  }
  return front;
}

/// Few different values, so that ties and equal points are common.
std::vector<Qualities> generated_points() {
  const int values = *rc::gen::inRange(1, 7);
  const auto pick = [&] { return static_cast<double>(*rc::gen::inRange(0, values)); };
  std::vector<Qualities> points(*rc::gen::inRange<std::size_t>(0, 40));
  for (Qualities& q : points) q = {pick(), pick(), pick(), pick()};
  return points;
}

}  // namespace

// B is dearer than A and faster; C is as A but slower to its first token; D is as A with a longer context and a higher
// price; E is A again; F is worse than B in everything.
TEST_CASE("A point stays when nothing beats it, and equal points stand once", "[market]") {
  const std::vector<Qualities> points{{2, 1, 90, 1000},  // B
                                      {1, 1, 30, 1000},  // A
                                      {1, 2, 30, 1000},  // C
                                      {3, 1, 30, 2000},  // D
                                      {1, 1, 30, 1000},  // E
                                      {4, 3, 80, 500}};  // F
  CHECK(pareto_front(points) == std::vector<std::size_t>{1, 0, 3});
  CHECK(pareto_front({}).empty());
  CHECK(pareto_front({{5, 5, 5, 5}}) == std::vector<std::size_t>{0});
}

TEST_CASE("A point dominates another when it is nowhere worse and somewhere better", "[market]") {
  const Qualities base{1, 1, 30, 1000};
  CHECK_FALSE(dominates(base, base));
  for (const Qualities& worse : {Qualities{2, 1, 30, 1000}, {1, 2, 30, 1000}, {1, 1, 29, 1000}, {1, 1, 30, 999}}) {
    CHECK(dominates(base, worse));
    CHECK_FALSE(dominates(worse, base));
  }
  CHECK_FALSE(dominates({1, 2, 40, 1000}, base));
  CHECK_FALSE(dominates(base, {1, 2, 40, 1000}));
}

TEST_CASE("The front of any points is the one that comparing each with each finds, cheapest first", "[market]") {
  rc::prop("front", [] {
    const std::vector<Qualities> points = generated_points();
    std::vector<std::size_t> front = pareto_front(points);
    const auto dearer = [&](std::size_t a, std::size_t b) { return points[a].price < points[b].price; };
    RC_ASSERT(std::is_sorted(front.begin(), front.end(), dearer));
    std::sort(front.begin(), front.end());
    RC_ASSERT(front == brute_front(points));
  });
}
