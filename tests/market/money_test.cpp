#include "tokenomics/market/money.hpp"

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

TEST_CASE("a dollar in three is two parts of 333,333 and one of 333,334 millionths", "[market]") {
  const std::vector<MicroUsd> parts = split(to_micro_usd(Usd{1}), {1, 1, 1});
  CHECK(parts[0].value == 333334);
  CHECK(parts[1].value == 333333);
  CHECK(parts[2].value == 333333);
  CHECK(split({5}, {0, 1})[0].value == 0);
}

TEST_CASE("amounts are rounded to the nearest millionth", "[market]") {
  CHECK(to_micro_usd(Usd{0.0000016}).value == 2);
  CHECK(to_micro_usd(Usd{-0.0000016}).value == -2);
  CHECK(to_usd({1500000}).value() == Approx(1.5));
}

TEST_CASE("parts add up to the whole and lie within two millionths of their ratio", "[market]") {
  rc::prop("split", [] {
    const auto weights = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<double>>(rc::gen::map(rc::gen::inRange(0, 1000000), [](int n) { return n / 7.0; })));
    double sum = 0.0;
    for (const double w : weights) sum += w;
    RC_PRE(sum > 0.0);
    const MicroUsd whole{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)};
    MicroUsd total;
    const std::vector<MicroUsd> parts = split(whole, weights);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      total += parts[i];
      const double exact = static_cast<double>(whole.value) * weights[i] / sum;
      RC_ASSERT(std::abs(static_cast<double>(parts[i].value) - exact) < 2.0);
    }
    RC_ASSERT(total == whole);
  });
}
