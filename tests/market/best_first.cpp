#include "tokenomics/market/best_first.hpp"

#include <rapidcheck/catch.h>

#include <limits>

#include "support/catch.hpp"

using namespace tokenomics;

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

/// Prices of each candidate by level, rising.
using Prices = std::vector<std::vector<double>>;

BestFirst search_of(const Prices& prices, int levels) {
  return {prices.size(), levels, [&prices](std::size_t c, int level) { return prices[c][static_cast<std::size_t>(level)]; }};
}

/// Few different values, so that ties are common; now and then a candidate drops out at some level.
Prices generated_prices(int levels) {
  Prices prices(*rc::gen::inRange<std::size_t>(0, 30));
  for (auto& candidate : prices) {
    double price = 0;
    for (int level = 0; level < levels; ++level) {
      price += *rc::gen::inRange(0, 4);
      if (*rc::gen::inRange(0, 12) == 0) price = kNone;
      candidate.push_back(price);
    }
  }
  return prices;
}

}  // namespace

TEST_CASE("The cheapest of any candidates with valid bounds is the plain minimum, the first of equals, on any threads",
          "[market]") {
  rc::prop("minimum", [] {
    const int levels = *rc::gen::inRange(1, 4);
    const Prices prices = generated_prices(levels);
    std::optional<std::size_t> first;
    for (std::size_t c = 0; c < prices.size(); ++c)
      if (prices[c].back() < (first ? prices[*first].back() : kNone)) first = c;
    const BestFirstResult one = cheapest(search_of(prices, levels), 1), two = cheapest(search_of(prices, levels), 2);
    RC_ASSERT(one.best == first);
    if (first) RC_ASSERT(one.price == prices[*first].back());
    RC_ASSERT(two.best == one.best);
    RC_ASSERT(two.price == one.price);
    RC_ASSERT(two.calls == one.calls);
  });
}

TEST_CASE("Nothing is the cheapest of nothing, nor of candidates that are all out of the question", "[market]") {
  CHECK_FALSE(cheapest(search_of({}, 2), 1).best);
  const Prices never{{kNone, kNone}, {1, kNone}, {2, kNone}};
  const BestFirstResult result = cheapest(search_of(never, 2), 1);
  CHECK_FALSE(result.best);
  CHECK(result.calls == std::vector<std::size_t>{3, 2});  // the first was out already
}

TEST_CASE("Levels are asked for in order and once, and none after the answer is infinite", "[market]") {
  const Prices prices{{1, 4, 6}, {2, 3, 5}, {0, kNone, kNone}, {9, 9, 9}};
  std::vector<std::vector<int>> asked(prices.size());
  const BestFirst search{prices.size(), 3, [&](std::size_t c, int level) {
                           asked[c].push_back(level);
                           return prices[c][static_cast<std::size_t>(level)];
                         }};
  CHECK(cheapest(search, 1).best == std::size_t{1});
  for (const auto& levels : asked)
    for (std::size_t i = 0; i < levels.size(); ++i) CHECK(levels[i] == static_cast<int>(i));
  CHECK(asked[2] == std::vector<int>{0, 1});
}

// Bounds that are the prices themselves: one round of four finds it out, whatever the rest.
TEST_CASE("Candidates whose bound is above the cheapest price are not refined", "[market]") {
  Prices prices;
  for (int c = 0; c < 1000; ++c) prices.push_back({1.0 + (c * 7919) % 1000, 1.0 + (c * 7919) % 1000});
  const BestFirstResult result = cheapest(search_of(prices, 2), 1);
  CHECK(result.price == 1);
  CHECK(result.calls[0] == 1000);
  CHECK(result.calls[1] <= 4);
}
