#include "tokenomics/market/operating_point.hpp"

#include <rapidcheck/catch.h>

#include "support/catch.hpp"

using namespace tokenomics;

namespace {

/// One second of two GPUs at 1 USD/s each, a quarter of whose steps are prompts: 0.5 USD for prompts, 1.5 USD for
/// answers. 2 requests of 600 computed, 200 cached and 200 output tokens.
OperatingPoint two_requests() {
  OperatingPoint point;
  point.requests_per_s = 2;
  point.gpus = 2;
  point.per_request = {600, 200, 200};
  const PoolUse use{Usd{1} / Seconds{1}, UsdPerSecond{0}, Seconds{2}, Seconds{1}, Seconds{1}, Seconds{3}};
  point.cost = cost_breakdown({use}, {1200, 400, 400}, 2);
  return point;
}

TokenVolume of_one_second(const OperatingPoint& point) {
  const double rate = point.requests_per_s;
  return {point.per_request.input_computed * rate, point.per_request.input_cached * rate, point.per_request.output * rate};
}

double parts_in_usd(const TokenPrices& prices, const TokenVolume& volume) {
  return prices.input.value() * volume.input_computed +
         (prices.input_cached ? prices.input_cached : prices.input)->value() * volume.input_cached +
         prices.output.value() * volume.output;
}

/// Mixed or split pools with some load, cached prompts and storage now and then.
OperatingPoint generated_point() {
  const auto pick = [](int low, int high) { return static_cast<double>(*rc::gen::inRange(low, high + 1)); };
  OperatingPoint point;
  point.requests_per_s = pick(1, 5000) / 100;
  point.per_request = {pick(1, 20000), pick(0, 1) * pick(1, 20000), pick(1, 5000)};
  std::vector<PoolUse> uses;
  for (int pool = static_cast<int>(pick(1, 2)); pool > 0; --pool) {
    const double gpus = pick(1, 64);
    uses.push_back({usd_per_hour(pick(50, 1000) / 100), usd_per_hour(pick(0, 1) * 0.01), Seconds{gpus},
                    Seconds{gpus * pick(0, 100) / 100}, Seconds{pick(0, 100)}, Seconds{pick(0, 100)}});
    point.gpus += gpus;
  }
  point.cost = cost_breakdown(uses, of_one_second(point), point.requests_per_s);
  return point;
}

}  // namespace

// Computed input: 0.5 USD over 1,200 tokens; output: 1.5 over 400; a margin of 20% divides both by 0.8. Cached input
// costs nothing here.
TEST_CASE("Without ratios each class is sold at its own cost over one minus the margin", "[market]") {
  const auto prices = prices_of(two_requests(), 0.2);
  REQUIRE(prices);
  CHECK(prices->input.value() == Approx(0.625 / 1200).epsilon(1e-12));
  CHECK(prices->input_cached.value().value() == 0);
  CHECK(prices->output.value() == Approx(1.875 / 400).epsilon(1e-12));
}

// 1,200 x 4 + 400 x 1 + 400 x 16 = 11,600 at the ratios; 2.5 USD are to be earned.
TEST_CASE("With ratios the three prices keep them and earn the same", "[market]") {
  const TokenPrices shape{UsdPerToken{4}, UsdPerToken{1}, UsdPerToken{16}};
  const auto prices = prices_of(two_requests(), 0.2, shape);
  REQUIRE(prices);
  CHECK(prices->input.value() == Approx(4 * 2.5 / 11600).epsilon(1e-12));
  CHECK(prices->input_cached.value().value() == Approx(1 * 2.5 / 11600).epsilon(1e-12));
  CHECK(prices->output.value() == Approx(16 * 2.5 / 11600).epsilon(1e-12));
}

// 2.5 USD earned in the second: 1.25 an answer, of 1,000 tokens. Output: 1.875 USD over 400 tokens. Input, cached too:
// 0.625 USD over 1,600 tokens; (3 x 0.000390625 + 0.0046875) / 4 = 0.00146484375.
TEST_CASE("Each objective is the figure that its name says", "[market]") {
  const OperatingPoint point = two_requests();
  const TokenPrices prices = *prices_of(point, 0.2);
  CHECK(objective_of(point, prices, Objective::PerAnswer) == Approx(1.25).epsilon(1e-12));
  CHECK(objective_of(point, prices, Objective::OwnMix) == Approx(0.00125).epsilon(1e-12));
  CHECK(objective_of(point, prices, Objective::Output) == Approx(0.0046875).epsilon(1e-12));
  CHECK(objective_of(point, prices, Objective::Blended31) == Approx(0.00146484375).epsilon(1e-12));
}

TEST_CASE("The parts add to the whole, and the margin is over revenue, whatever the point and the ratios", "[market]") {
  rc::prop("margin", [] {
    const OperatingPoint point = generated_point();
    const double margin = *rc::gen::inRange(-50, 96) / 100.0;
    std::optional<TokenPrices> ratios;
    if (*rc::gen::arbitrary<bool>()) ratios = TokenPrices{UsdPerToken{3}, UsdPerToken{0.5}, UsdPerToken{12}};
    const auto prices = prices_of(point, margin, ratios);
    RC_ASSERT(prices);
    const double cost = point.cost.having.value(), earned = parts_in_usd(*prices, of_one_second(point));
    const double in_parts =
        (point.cost.parts.input_computed + point.cost.parts.input_cached + point.cost.parts.output).value();
    RC_ASSERT(in_parts == Approx(cost).epsilon(1e-12));
    RC_ASSERT(earned >= cost / (1 - margin) * (1 - 1e-12));
    // To the cent of a month.
    const double month = 30 * 86400;
    RC_ASSERT(month * std::abs(earned - cost - margin * earned) < 0.01);
    const double an_answer = objective_of(point, *prices, Objective::PerAnswer);
    RC_ASSERT(an_answer * point.requests_per_s == Approx(earned).epsilon(1e-12));
  });
}

TEST_CASE("A point without input or without output has no prices", "[market]") {
  const TokenPrices shape{UsdPerToken{1}, UsdPerToken{1}, UsdPerToken{4}};
  for (const TokenVolume& one : {TokenVolume{600, 0, 0}, TokenVolume{0, 0, 200}}) {
    OperatingPoint point = two_requests();
    point.per_request = one;
    const PoolUse use{Usd{1} / Seconds{1}, UsdPerSecond{0}, Seconds{2}, Seconds{1}, Seconds{1}, Seconds{3}};
    point.cost = cost_breakdown({use}, of_one_second(point), 2);
    CHECK_FALSE(prices_of(point, 0.2));
    CHECK_FALSE(prices_of(point, 0.2, shape));
  }
}
