#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "tokenomics/cost/price_card.hpp"

using namespace tokenomics;

namespace {

TokenPrices prices(double input, std::optional<double> cached, double output) {
  TokenPrices result{usd_per_mtok(input), std::nullopt, usd_per_mtok(output)};
  if (cached) result.input_cached = usd_per_mtok(*cached);
  return result;
}

PriceCard card(double from, double to) { return {prices(4, 1, 8), PriceCard::OffPeak{from, to, prices(2, 0.5, 4)}}; }

bool is_standard(const PriceCard& c, double hour) { return c.at(hour).input == c.standard.input; }

rc::Gen<TokenVolume> any_volume() {
  const auto tokens = rc::gen::map(rc::gen::inRange(0, 1'000'000'000), [](int n) { return static_cast<double>(n); });
  return rc::gen::apply([](double a, double b, double c) { return TokenVolume{a, b, c}; }, tokens, tokens, tokens);
}

}  // namespace

TEST_CASE("revenue is each class at its price", "[cost]") {
  // 2M computed x 4 + 3M cached x 1 + 1M output x 8 = 19 USD; without a cached price 2 x 4 + 3 x 4 + 8 = 28 USD.
  const TokenVolume volume{2e6, 3e6, 1e6};
  CHECK(revenue(prices(4, 1, 8), volume).value() == Approx(19));
  CHECK(revenue(prices(4, std::nullopt, 8), volume).value() == Approx(28));
  CHECK(revenue(prices(4, 0, 8), volume).value() == Approx(16));  // free cached input is not the same as none
}

TEST_CASE("revenue is linear in the volume", "[cost]") {
  rc::prop("sum and scale", [] {
    const auto a = *any_volume();
    const auto b = *any_volume();
    const double k = *rc::gen::inRange(0, 1000) / 10.0;
    const TokenVolume mix{a.input_computed + k * b.input_computed, a.input_cached + k * b.input_cached,
                          a.output + k * b.output};
    const TokenPrices p = prices(0.55, 0.14, 2.19);
    RC_ASSERT(revenue(p, mix).value() ==
              Approx(revenue(p, a).value() + k * revenue(p, b).value()).epsilon(1e-12).margin(1e-9));
  });
}

TEST_CASE("a window holds its start and not its end", "[cost]") {
  const PriceCard c = card(0.5, 8.5);
  CHECK(is_standard(c, 0.4999));
  CHECK_FALSE(is_standard(c, 0.5));
  CHECK_FALSE(is_standard(c, 8.4999));
  CHECK(is_standard(c, 8.5));
  CHECK_THROWS_AS(c.at(24.0), std::logic_error);
  CHECK_THROWS_AS(card(1, 24.5).at(2), std::logic_error);
}

TEST_CASE("a window may wrap midnight", "[cost]") {
  // The same night in UTC: 16:30 to 00:30.
  const PriceCard c = card(16.5, 0.5);
  CHECK(is_standard(c, 16.4));
  CHECK_FALSE(is_standard(c, 16.5));
  CHECK_FALSE(is_standard(c, 23.9));
  CHECK_FALSE(is_standard(c, 0.0));
  CHECK(is_standard(c, 0.5));
  CHECK(off_peak_share(c, 16) == 0.5);
  CHECK(off_peak_share(c, 20) == 1.0);
  CHECK(off_peak_share(c, 0) == 0.5);
  CHECK(off_peak_share(c, 8) == 0.0);
}

TEST_CASE("an empty window and no window change nothing", "[cost]") {
  const PriceCard empty = card(5, 5);
  CHECK(is_standard(empty, 5.0));
  CHECK(off_peak_share(empty, 5) == 0.0);
  CHECK(off_peak_share({prices(4, 1, 8), std::nullopt}, 5) == 0.0);
}

TEST_CASE("a window's share of the day is its length, wherever it lies", "[cost]") {
  rc::prop("length", [] {
    const double from = *rc::gen::inRange(0, 96) / 4.0;
    const double to = *rc::gen::inRange(0, 96) / 4.0;
    double hours = 0.0;
    for (int hour = 0; hour < 24; ++hour) hours += off_peak_share(card(from, to), hour);
    RC_ASSERT(hours == (to >= from ? to - from : to - from + 24.0));
  });
}

TEST_CASE("off-peak hours are sold at off-peak prices", "[cost]") {
  // 1M output in every hour: 24 x 8 = 192 USD; with 8 hours of the night at 4 USD it is 16 x 8 + 8 x 4 = 160 USD.
  DailyVolume day{};
  for (TokenVolume& hour : day) hour.output = 1e6;
  CHECK(revenue(PriceCard{prices(4, 1, 8), std::nullopt}, day).value() == Approx(192));
  CHECK(revenue(card(0.5, 8.5), day).value() == Approx(160));
  CHECK(revenue(card(16.5, 0.5), day).value() == Approx(160));
}

TEST_CASE("realised revenue loses free users' tokens and the other model's difference", "[cost]") {
  DailyVolume day{};
  day[12].output = 100e6;
  const PriceCard list{prices(4, 1, 8), std::nullopt};
  Realisation realisation;
  CHECK(realised_revenue(list, day, realisation).value() == Approx(800));
  // A quarter free: 600. Of the paid 75M, two fifths (30M) at 2 instead of 8: 45 x 8 + 30 x 2 = 420.
  realisation.free_share = 0.25;
  CHECK(realised_revenue(list, day, realisation).value() == Approx(600));
  realisation.other_model_share = 0.4;
  CHECK_THROWS_AS(realised_revenue(list, day, realisation), std::logic_error);
  realisation.other_model = PriceCard{prices(1, 0.2, 2), std::nullopt};
  CHECK(realised_revenue(list, day, realisation).value() == Approx(420));
  realisation.free_share = 1.5;
  CHECK_THROWS_AS(realised_revenue(list, day, realisation), std::logic_error);
}

// Of the sample's output a quarter is off-peak, of its cached input all, computed input it has none of: of 4M output 1M, all
// of 2M cached, nothing of 3M computed. Standard 3 x 4 + 3 x 8 = 36 USD, off-peak 2 x 0.5 + 1 x 4 = 5 USD.
TEST_CASE("a volume is billed as a sample of its requests is", "[cost]") {
  const SplitVolume split = split_as({0, 30, 25}, {0, 30, 100}, {3e6, 2e6, 4e6});
  CHECK(split.off_peak.input_computed == 0);
  CHECK(split.off_peak.input_cached == Approx(2e6));
  CHECK(split.off_peak.output == Approx(1e6));
  CHECK(split.standard.output == Approx(3e6));
  PriceCard sold{prices(4, 1, 8), PriceCard::OffPeak{1, 2, prices(2, 0.5, 4)}};
  CHECK(revenue(sold, split).value() == Approx(41));
  CHECK(realised_revenue(sold, split, {0.5, 0, std::nullopt}).value() == Approx(20.5));
  sold.off_peak.reset();  // standard prices at all hours: 12 + 2 + 32
  CHECK(revenue(sold, split).value() == Approx(46));
}

TEST_CASE("off-peak hours may end at midnight", "[cost]") {
  CHECK(is_standard(card(16, 24), 15.9));
  CHECK_FALSE(is_standard(card(16, 24), 23.9));
  CHECK(off_peak_share(card(16, 24), 23) == 1.0);
  CHECK(off_peak_share(card(16, 24), 0) == 0.0);
  CHECK(is_in_hours(22, 2, 1.9));
  CHECK_FALSE(is_in_hours(22, 2, 2));
}

TEST_CASE("the blend weighs input three times", "[cost]") {
  CHECK(in_usd_per_mtok(blended_3_1(prices(4, 1, 8))) == Approx(5.0));
}
