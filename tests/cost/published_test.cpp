#include <cmath>
#include <numeric>
#include <string>

#include "support/catch.hpp"

#include "cost/deepseek_day.hpp"
#include "tokenomics/cost/accounting.hpp"
#include "tokenomics/cost/gpu_hour.hpp"

using namespace tokenomics;
using namespace tokenomics::deepseek_day;

namespace {

/// One published figure against ours; the tolerance is relative.
void check_published(const std::string& what, double published, double ours, double tolerance, const std::string& source) {
  const double deviation = ours / published - 1.0;
  INFO(what << ": published " << published << ", ours " << ours << ", deviation " << 100 * deviation << "%, tolerance "
            << 100 * tolerance << "%; " << source);
  CHECK(std::abs(deviation) <= tolerance);
}

const std::string kDay6 = "deepseek-ai/open-infra-index, day 6, 2025-03-01";
const std::string kDerived = "arithmetic from the figures of deepseek-ai/open-infra-index, day 6";
const std::string kCards = "price lists of spring 2025";

constexpr Seconds kDay{86400};

PoolUse nodes(double count, Seconds prefill, Seconds decode) {
  PoolUse pool;
  pool.gpu = usd_per_hour(2.0);
  pool.provisioned = kDay * count * kGpusPerNode;
  pool.busy = pool.provisioned;
  pool.prefill = prefill;
  pool.decode = decode;
  return pool;
}

/// Prefill and decode apart, as published.
CostBreakdown day() {
  return cost_breakdown({nodes(kPrefillNodes, kDay, Seconds{0}), nodes(kNodes - kPrefillNodes, Seconds{0}, kDay)}, kTokens,
                        0);
}

PriceCard flat(const TokenPrices& prices) { return {prices, std::nullopt}; }

PriceCard r1_with_night() { return {r1_list(), PriceCard::OffPeak{0.5, 8.5, card(0.1375, 0.035, 0.5475)}}; }

/// Output tokens that earn the published income of each hour at R1's list price.
DailyVolume volume_of_income() {
  DailyVolume volume{};
  for (std::size_t hour = 0; hour < volume.size(); ++hour) volume[hour].output = kHourlyIncome[hour] / 2.19e-6;
  return volume;
}

double discount(double now, double before) { return 1.0 - now / before; }

}  // namespace

TEST_CASE("DeepSeek's day costs 87,072 USD", "[cost]") {
  check_published("daily cost, USD", 87072, day().having.value(), 1e-12, kDay6);
  CHECK(in_usd_per_hour(*day().per_gpu) == Approx(2.0).epsilon(1e-12));
}

TEST_CASE("DeepSeek's day earns 562,027 USD when everything is sold at R1's list", "[cost]") {
  check_published("daily revenue, USD", 562027, revenue(r1_list(), kTokens).value(), 0.0005, kDay6);
}

TEST_CASE("545% is the margin over cost and 84.5% the margin over revenue of the same day", "[cost]") {
  const Usd income{562027};
  check_published("margin over cost", 5.45, *margin_over_cost(income, day().having), 0.001, kDay6);
  check_published("margin over revenue", 0.845, *margin_over_revenue(income, day().having), 0.001, kDerived);
}

TEST_CASE("DeepSeek's unit costs follow from its two pools", "[cost]") {
  const CostBreakdown cost = day();
  // Printed to three places: the tolerance is half of the last place.
  check_published("input, USD/M", 0.060, in_usd_per_mtok(*cost.per_token.input), 0.0005 / 0.060, kDerived);
  check_published("computed input, USD/M", 0.138, in_usd_per_mtok(*cost.per_token.input_computed), 0.0005 / 0.138, kDerived);
  check_published("output, USD/M", 0.300, in_usd_per_mtok(*cost.per_token.output), 0.0005 / 0.300, kDerived);
  check_published("all tokens, USD/M", 0.112, in_usd_per_mtok(*cost.per_token.own_mix), 0.0005 / 0.112, kDerived);
  check_published("prefill part, USD", 36.7e3, cost.parts.input_computed.value(), 0.002, kDerived);
  check_published("decode part, USD", 50.4e3, cost.parts.output.value(), 0.002, kDerived);
}

TEST_CASE("the same day at V3's list earns 280.6 thousand and 222% over cost", "[cost]") {
  const Usd income = revenue(v3_list(), kTokens);
  check_published("daily revenue, USD", 280.6e3, income.value(), 0.0005, kDerived);
  check_published("margin over cost", 2.22, *margin_over_cost(income, day().having), 0.002, kDerived);
}

TEST_CASE("the night discount leaves 490.1 thousand of the day's income", "[cost]") {
  CHECK(std::accumulate(kHourlyIncome.begin(), kHourlyIncome.end(), 0.0) == Approx(562027).margin(60));
  const double list = revenue(flat(r1_list()), volume_of_income()).value();
  const double realised = revenue(r1_with_night(), volume_of_income()).value();
  CHECK(list == Approx(562024).epsilon(1e-12));
  check_published("income with 75% off from 00:30 to 08:30, USD", 490.1e3, realised, 100.0 / 490.1e3, kDerived);
  check_published("loss of income", 0.128, discount(realised, list), 0.001 / 0.128, kDerived);
}

TEST_CASE("inside the night window income still pays for the nodes", "[cost]") {
  // Three quarters of the list income inside the window are given up, so what is left is a third of the loss.
  const Usd loss = revenue(flat(r1_list()), volume_of_income()) - revenue(r1_with_night(), volume_of_income());
  const double income = loss.value() / 3.0;
  check_published("income in the window, USD", 24.0e3, income, 0.002, kDerived);
  CHECK(income > 1024 * 16.0);  // 1,024 node-hours at 16 USD
}

TEST_CASE("price cards give the ratios the market talks about", "[cost]") {
  const double r1 = in_usd_per_mtok(blended_3_1(r1_list()));
  const double azure = in_usd_per_mtok(blended_3_1({usd_per_mtok(1.35), std::nullopt, usd_per_mtok(5.40)}));
  const double o1 = in_usd_per_mtok(blended_3_1(card(15, 7.50, 60)));
  const double o3_before = in_usd_per_mtok(blended_3_1({usd_per_mtok(10), std::nullopt, usd_per_mtok(40)}));
  const double o3_after = in_usd_per_mtok(blended_3_1(card(2, 0.50, 8)));
  check_published("R1 blended 3:1, USD/M", 0.96, r1, 1e-9, kCards);
  check_published("V3 blended 3:1, USD/M", 0.4775, in_usd_per_mtok(blended_3_1(v3_list())), 1e-9, kCards);
  check_published("R1 and V3 by night, USD/M", 0.239, in_usd_per_mtok(blended_3_1(card(0.135, 0.035, 0.55))), 0.002, kCards);
  check_published("Azure's R1 blended 3:1, USD/M", 2.3625, azure, 1e-9, kCards);
  check_published("Azure over DeepSeek", 2.46, azure / r1, 0.002, "2.5x in SemiAnalysis, 2025-07-03; price lists");
  check_published("o1 blended 3:1, USD/M", 26.25, o1, 1e-9, kCards);
  check_published("o3's cut of June 2025", 0.80, discount(o3_after, o3_before), 1e-9, "SemiAnalysis, 2025-07-03");
  CHECK(discount(2.19, 60) > 0.90);  // SemiAnalysis, 2025-07-03: R1 undercuts o1's output price by more than 90%
  CHECK(discount(r1, o1) > 0.90);
}

TEST_CASE("a chip matches a rival at the GPU price in the ratio of their speeds", "[cost]") {
  // SemiAnalysis, 2025-05-23: MI300X needs 1.9 USD/h to match H200 at 2.5 USD/h: 0.76 of its throughput.
  const UsdPerToken h200 = usd_per_hour(2.5) / TokensPerSecond{1000};
  check_published("MI300X break-even, USD/h", 1.9, in_usd_per_hour(matching_gpu_price(h200, TokensPerSecond{760})), 1e-9,
                  "SemiAnalysis, AMD vs NVIDIA Inference Benchmark, 2025-05-23");
}
