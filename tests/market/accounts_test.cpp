#include "tokenomics/market/accounts.hpp"

#include <cmath>

#include "market/markets.hpp"
#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "tokenomics/market/calendar.hpp"

using namespace tokenomics;
using namespace tokenomics::test;
using namespace std::chrono;

namespace {

Calendar months_from_january(int periods) { return {sys_days{2025y / January / 1}, PeriodLength::Month, periods, {}}; }

}  // namespace

TEST_CASE("a month of one provider and two segments, by hand", "[market]") {
  // 30 days; 10 paid and 5 free requests/s of 1,000 + 1,000 tokens, half of the fleet's 30,000 tok/s. Revenue 10 x 2,000 x
  // 1e-6 USD/s x 2,592,000 s = 51,840; cost 16 USD/h x 720 h = 11,520, two thirds and one third of it by the work served.
  Market market{{segment(10), segment(5)}, {provider("a", 1, flat(30000))}};
  market.segments[1].free = true;
  const MarketPeriod period = account(market, solve_period(market), sys_days{2025y / April / 1}, Seconds{2592000});
  const ProviderPeriod& a = *period.find("a");
  CHECK(to_usd(a.revenue).value() == Approx(51840));
  CHECK(to_usd(a.segments[0].cost).value() == Approx(7680));
  CHECK(to_usd(a.segments[1].cost).value() == Approx(3840));
  CHECK(a.segments[1].revenue.value == 0);
  CHECK(to_usd(a.margin()).value() == Approx(40320));
  CHECK(a.idle_cost.value == 0);
  CHECK(a.tokens().output == Approx(15000.0 * 2592000));
  CHECK(a.service.point.utilization == Approx(0.5));
}

TEST_CASE("an idle fleet's cost is nobody's part", "[market]") {
  const Market market{{segment(0)}, {provider("a", 1, flat(30000))}};
  const MarketPeriod period = account(market, solve_period(market), sys_days{2025y / April / 1}, Seconds{3600});
  CHECK(to_usd(period.find("a")->idle_cost).value() == Approx(16));
  CHECK(to_usd(period.cost).value() == Approx(16));
}

TEST_CASE("accounts close to the millionth for every provider and the market", "[market]") {
  rc::prop("accounts", [] {
    const auto pick = [](int lo, int hi) { return *rc::gen::inRange(lo, hi); };
    Market m;
    m.segments = {segment(pick(0, 100)), segment(pick(0, 100), -1, -1), segment(pick(0, 100))};
    m.segments[2].free = true;
    m.segments[1].patience = {Seconds{2}, 0.5};
    for (int j = 0; j < 3; ++j) {
      m.providers.push_back(
          provider(std::string(1, static_cast<char>('a' + j)), pick(1, 900) / 7.0, queue(pick(1, 100) * 1000.0)));
      m.providers.back().pricing.rule = TargetMargin{0.3, 0.1};
    }
    for (const MarketPeriod& period : run_market(m, months_from_january(4))) {
      RC_ASSERT(period.convergence.converged);
      MicroUsd revenue;
      MicroUsd cost;
      for (const ProviderPeriod& p : period.providers) {
        MicroUsd parts = p.idle_cost;
        MicroUsd earned;
        for (const MarketCell& cell : p.segments) parts += cell.cost, earned += cell.revenue;
        RC_ASSERT(parts == p.cost);
        RC_ASSERT(earned == p.revenue);
        RC_ASSERT(p.segments[2].revenue.value == 0);
        revenue += p.revenue;
        cost += p.cost;
      }
      RC_ASSERT(revenue == period.revenue);
      RC_ASSERT(cost == period.cost);
      for (std::size_t s = 0; s < 3; ++s) {
        double requests = period.segments[s].outside;
        for (const ProviderPeriod& p : period.providers) {
          requests += p.segments[s].served + p.segments[s].refused + p.segments[s].left;
        }
        RC_ASSERT(std::abs(requests - period.segments[s].demand) <= 1e-9 * (1 + requests));
      }
    }
  });
}

TEST_CASE("share of a provider in the tokens of a set of providers", "[market]") {
  // Prices 1, 1, 0.5: shares 1/6, 1/6, 2/3. Within a and b each has half.
  const Market market{{segment(10)},
                      {provider("a", 1, flat(1e6)), provider("b", 1, flat(1e6)), provider("c", 0.5, flat(1e6))}};
  const MarketPeriod period = run_market(market, months_from_january(1)).front();
  CHECK(*token_share(period, "a", {}) == Approx(1.0 / 6));
  CHECK(*token_share(period, "a", {{"a", "b"}, {}}) == Approx(0.5));
  CHECK(*token_share(period, "c", {{"a", "b"}, {}}) == 0.0);
  CHECK_FALSE(token_share(period, "a", {{"nobody"}, {}}));
  CHECK_FALSE(token_share(period, "a", {{}, {"no segment"}}));
}
