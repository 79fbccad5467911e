#include <cmath>
#include <vector>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/cost/accounting.hpp"

using namespace tokenomics;

namespace {

PoolUse pool(double usd_hour, double gpu_hours, double busy_share, double prefill, double decode, double storage = 0.0) {
  PoolUse use;
  use.gpu = usd_per_hour(usd_hour);
  use.kv_storage = usd_per_hour(storage);
  use.provisioned = Seconds{gpu_hours * 3600.0};
  use.busy = use.provisioned * busy_share;
  use.prefill = Seconds{prefill};
  use.decode = Seconds{decode};
  return use;
}

double paid(const std::optional<UsdPerToken>& price, double tokens) { return price ? price->value() * tokens : 0.0; }

/// What the three class prices pay for.
double paid_by_classes(const PerToken& price, const TokenVolume& volume) {
  return paid(price.input_computed, volume.input_computed) + paid(price.input_cached, volume.input_cached) +
         paid(price.output, volume.output);
}

rc::Gen<std::vector<PoolUse>> any_pools() {
  const auto number = rc::gen::inRange(0, 1000);
  const auto any_pool =
      rc::gen::apply([](int usd, int hours, int busy, int prefill, int decode,
                        int storage) { return pool(usd / 100.0, hours, busy / 1000.0, prefill, decode, storage / 1000.0); },
                     number, number, number, rc::gen::element(0, 0, 3, 700), rc::gen::element(0, 0, 11, 900), number);
  return rc::gen::container<std::vector<PoolUse>>(any_pool);
}

rc::Gen<TokenVolume> any_volume() {
  const auto tokens = rc::gen::map(rc::gen::oneOf(rc::gen::just(0), rc::gen::inRange(1, 1'000'000'000)),
                                   [](int n) { return static_cast<double>(n); });
  return rc::gen::apply([](double a, double b, double c) { return TokenVolume{a, b, c}; }, tokens, tokens, tokens);
}

double whole(const std::vector<PoolUse>& pools) {
  double usd = 0.0;
  for (const PoolUse& p : pools) usd += p.provisioned.value() / 3600.0 * in_usd_per_hour(p.gpu + p.kv_storage);
  return usd;
}

}  // namespace

TEST_CASE("pools apart: prefill bears computed input, decode bears output, storage bears cached input", "[cost]") {
  // Prefill 10 GPU-h at 3 = 30; decode 20 GPU-h at 2 = 40; storage 30 GPU-h at 0.10 = 3; whole 73.
  const std::vector<PoolUse> pools = {pool(3, 10, 0.5, 100, 0, 0.10), pool(2, 20, 0.8, 0, 100, 0.10)};
  const CostBreakdown cost = cost_breakdown(pools, {60e6, 30e6, 20e6}, 1000);
  CHECK(cost.having.value() == Approx(73));
  CHECK(cost.in_use.value() == Approx(0.5 * 31 + 0.8 * 42));
  CHECK(cost.parts.input_computed.value() == Approx(30));
  CHECK(cost.parts.output.value() == Approx(40));
  CHECK(cost.parts.input_cached.value() == Approx(3));
  CHECK(cost.unallocated == Usd{0});
  CHECK(in_usd_per_hour(*cost.per_gpu) == Approx(73.0 / 30));
  CHECK(in_usd_per_mtok(*cost.per_token.input_computed) == Approx(0.5));
  CHECK(in_usd_per_mtok(*cost.per_token.input_cached) == Approx(0.1));
  CHECK(in_usd_per_mtok(*cost.per_token.input) == Approx(33.0 / 90));
  CHECK(in_usd_per_mtok(*cost.per_token.output) == Approx(2.0));
  CHECK(in_usd_per_mtok(*cost.per_token.blended_3_1) == Approx((33.0 / 30 + 2.0) / 4));
  CHECK(in_usd_per_mtok(*cost.per_token.own_mix) == Approx(73.0 / 110));
  CHECK(cost.per_answer->value() == Approx(0.073));
}

TEST_CASE("a mixed pool is split by the seconds of its steps, idle time in the same ratio", "[cost]") {
  // 10 GPU-h at 2 = 20, a quarter of the step time on prefill: 5 and 15, however much of it was idle.
  for (const double busy : {0.1, 1.0}) {
    const CostBreakdown cost = cost_breakdown({pool(2, 10, busy, 25, 75)}, {1e6, 0, 1e6}, 1);
    CHECK(cost.parts.input_computed.value() == Approx(5));
    CHECK(cost.parts.output.value() == Approx(15));
    CHECK(cost.in_use.value() == Approx(20 * busy));
  }
}

TEST_CASE("classes without tokens have no cost per token", "[cost]") {
  const CostBreakdown no_cache = cost_breakdown({pool(2, 10, 1, 25, 75, 0.1)}, {1e6, 0, 1e6}, 0);
  CHECK_FALSE(no_cache.per_token.input_cached);
  CHECK_FALSE(no_cache.per_answer);
  CHECK(no_cache.parts.input_computed.value() == Approx(6));  // 5, and 1 of storage that no cached token bears
  const CostBreakdown no_output = cost_breakdown({pool(2, 10, 1, 25, 75)}, {1e6, 0, 0}, 0);
  CHECK_FALSE(no_output.per_token.output);
  CHECK_FALSE(no_output.per_token.blended_3_1);
  CHECK(in_usd_per_mtok(*no_output.per_token.input_computed) == Approx(20));
}

TEST_CASE("a fleet that served nothing costs its whole and has no price", "[cost]") {
  const CostBreakdown cost = cost_breakdown({pool(2, 10, 0, 0, 0)}, {}, 0);
  CHECK(cost.having.value() == Approx(20));
  CHECK(cost.unallocated.value() == Approx(20));
  CHECK(cost.in_use == Usd{0});
  CHECK_FALSE(cost.per_token.own_mix);
  CHECK_FALSE(cost.per_token.input);
  CHECK_FALSE(cost_breakdown({}, {}, 0).per_gpu);
}

TEST_CASE("a pool that took no step shares its cost as the others do", "[cost]") {
  const CostBreakdown cost = cost_breakdown({pool(2, 10, 1, 25, 75), pool(4, 10, 0, 0, 0)}, {1e6, 0, 1e6}, 1);
  CHECK(cost.parts.input_computed.value() == Approx(15));
  CHECK(cost.parts.output.value() == Approx(45));
}

TEST_CASE("the parts add up to the whole to the cent", "[cost]") {
  rc::prop("closing", [] {
    const auto pools = *any_pools();
    const auto volume = *any_volume();
    const CostBreakdown cost = cost_breakdown(pools, volume, 1);
    const double all = whole(pools);
    RC_ASSERT(std::abs(cost.having.value() - all) < 0.005);
    RC_ASSERT(std::abs((cost.parts.total() + cost.unallocated).value() - all) < 0.005);
    if (cost.unallocated > Usd{0}) return;
    RC_ASSERT(std::abs(paid_by_classes(cost.per_token, volume) - all) < 0.005);
    RC_ASSERT(std::abs(paid(cost.per_token.input, volume.input_computed + volume.input_cached) +
                       paid(cost.per_token.output, volume.output) - all) < 0.005);
    RC_ASSERT(std::abs(paid(cost.per_token.own_mix, volume.input_computed + volume.input_cached + volume.output) - all) <
              0.005);
  });
}

TEST_CASE("no class ever has a negative cost, and busy never costs more than having", "[cost]") {
  rc::prop("signs", [] {
    const CostBreakdown cost = cost_breakdown(*any_pools(), *any_volume(), 1);
    RC_ASSERT(cost.parts.input_computed.value() >= -1e-9);
    RC_ASSERT(cost.parts.input_cached.value() >= 0.0);
    RC_ASSERT(cost.parts.output.value() >= -1e-9);
    RC_ASSERT(cost.in_use.value() <= cost.having.value() + 1e-9);
  });
}

TEST_CASE("a dearer GPU-hour never lowers any price", "[cost]") {
  rc::prop("all pools dearer by the same factor", [] {
    auto pools = *any_pools();
    const auto volume = *any_volume();
    const double margin = *rc::gen::inRange(-50, 100) / 100.0;
    const double factor = 1.0 + *rc::gen::inRange(0, 300) / 100.0;
    const PerToken before = cost_breakdown(pools, volume, 1).per_token;
    for (PoolUse& p : pools) p.gpu *= factor;
    const PerToken after = cost_breakdown(pools, volume, 1).per_token;
    const auto never_lower = [margin](const auto& a, const auto& b) {
      return a.has_value() == b.has_value() &&
             (!a || price_from_cost(*b, margin).value() >= price_from_cost(*a, margin).value() * (1.0 - 1e-12));
    };
    RC_ASSERT(never_lower(before.input_computed, after.input_computed));
    RC_ASSERT(never_lower(before.input_cached, after.input_cached));
    RC_ASSERT(never_lower(before.output, after.output));
    RC_ASSERT(never_lower(before.own_mix, after.own_mix));
  });
}

TEST_CASE("the two margins are different numbers of the same trade", "[cost]") {
  // Sold for 8, cost 2: 300% over cost, 75% over revenue.
  CHECK(*margin_over_cost(Usd{8}, Usd{2}) == 3.0);
  CHECK(*margin_over_revenue(Usd{8}, Usd{2}) == 0.75);
  CHECK(*margin_over_revenue(Usd{2}, Usd{8}) == -3.0);
  CHECK_FALSE(margin_over_cost(Usd{8}, Usd{0}));
  CHECK_FALSE(margin_over_revenue(Usd{0}, Usd{2}));
}

TEST_CASE("a price leaves its margin over revenue, and a margin of one has no price", "[cost]") {
  CHECK(in_usd_per_mtok(price_from_cost(usd_per_mtok(0.3), 0.25)) == Approx(0.4));
  CHECK(in_usd_per_mtok(price_from_cost(usd_per_mtok(0.3), 0.0)) == Approx(0.3));
  CHECK(in_usd_per_mtok(price_from_cost(usd_per_mtok(0.3), -0.5)) == Approx(0.2));
  CHECK_NOTHROW(price_from_cost(usd_per_mtok(0.3), 0.999));
  CHECK_THROWS_AS(price_from_cost(usd_per_mtok(0.3), 1.0), Infeasible);
  CHECK_THROWS_AS(price_from_cost(usd_per_mtok(0.3), 1.2), Infeasible);
}

TEST_CASE("class prices from costs earn the margin over revenue", "[cost]") {
  const TokenVolume volume{60e6, 30e6, 20e6};
  const CostBreakdown cost = cost_breakdown({pool(3, 10, 1, 1, 0, 0.10), pool(2, 20, 1, 0, 1, 0.10)}, volume, 1);
  const TokenPrices prices = prices_from_costs(cost.per_token, 0.2).value();
  CHECK(in_usd_per_mtok(prices.input) == Approx(0.625));
  CHECK(in_usd_per_mtok(prices.input_cached.value()) == Approx(0.125));
  CHECK(in_usd_per_mtok(prices.output) == Approx(2.5));
  CHECK(*margin_over_revenue(revenue(prices, volume), cost.having) == Approx(0.2));
  CHECK_FALSE(prices_from_costs(PerToken{}, 0.2));
}

TEST_CASE("prices in given ratios keep them and earn the margin", "[cost]") {
  // Shape 4 : 1 : 8 on 2M, 3M, 1M earns 19; to earn 76 / (1 - 0.5) = 152 every price is multiplied by 8.
  const TokenPrices shape{usd_per_mtok(4), usd_per_mtok(1), usd_per_mtok(8)};
  const TokenVolume volume{2e6, 3e6, 1e6};
  const TokenPrices prices = prices_in_ratios(shape, Usd{76}, volume, 0.5).value();
  CHECK(in_usd_per_mtok(prices.input) == Approx(32));
  CHECK(in_usd_per_mtok(prices.input_cached.value()) == Approx(8));
  CHECK(in_usd_per_mtok(prices.output) == Approx(64));
  CHECK_FALSE(prices_in_ratios(shape, Usd{76}, {}, 0.5));
  CHECK_THROWS_AS(prices_in_ratios(shape, Usd{76}, volume, 1.0), Infeasible);
}

TEST_CASE("a busy time beyond the provisioned one is a broken contract", "[cost]") {
  CHECK_THROWS_AS(cost_breakdown({pool(2, 10, 1.1, 1, 1)}, {1, 0, 1}, 1), std::logic_error);
  CHECK_THROWS_AS(cost_breakdown({pool(2, -10, 1, 1, 1)}, {1, 0, 1}, 1), std::logic_error);
  CHECK_THROWS_AS(cost_breakdown({pool(2, 10, 1, 1, 1)}, {-1, 0, 1}, 1), std::logic_error);
}
