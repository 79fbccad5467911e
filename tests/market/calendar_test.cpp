#include "tokenomics/market/calendar.hpp"

#include <cmath>

#include "market/markets.hpp"
#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;
using namespace std::chrono;

namespace {

Calendar months_from_january(int periods, std::vector<MarketEvent> events = {}) {
  return {sys_days{2025y / January / 1}, PeriodLength::Month, periods, std::move(events)};
}

Market two_alike() { return {{segment(10)}, {provider("a", 1, flat(1e6)), provider("b", 1, flat(1e6))}}; }

double share(const MarketPeriod& period, const std::string& name) { return period.find(name)->segments[0].share; }

}  // namespace

TEST_CASE("periods begin on the same day of the month, or every seven days", "[market]") {
  Calendar calendar = months_from_january(3);
  CHECK(period_begin(calendar, 1) == sys_days{2025y / February / 1});
  CHECK(period_begin(calendar, 3) == sys_days{2025y / April / 1});
  calendar.length = PeriodLength::Week;
  CHECK(period_begin(calendar, 2) == sys_days{2025y / January / 15});
}

TEST_CASE("an event takes effect at the nearest boundary", "[market]") {
  const Calendar calendar = months_from_january(3);
  CHECK(period_of(calendar, sys_days{2024y / May / 1}) == 0);
  CHECK(period_of(calendar, sys_days{2025y / February / 1}) == 1);
  CHECK(period_of(calendar, sys_days{2025y / February / 15}) == 1);  // 14 days after the 1st, 14 before March: the earlier
  CHECK(period_of(calendar, sys_days{2025y / February / 16}) == 2);
  CHECK(period_of(calendar, sys_days{2025y / March / 31}) == 3);  // nearest to April, which is not simulated
  CHECK(period_of(calendar, sys_days{2026y / March / 31}) == 3);
}

TEST_CASE("a price cut at its date moves the shares from then on", "[market]") {
  // Half the price at weight -2: 0.5 becomes 0.8.
  const auto periods = run_market(
      two_alike(), months_from_january(3, {{sys_days{2025y / February / 3}, "cut", PriceChange{"a", card(0.5)}}}));
  CHECK(share(periods[0], "a") == Approx(0.5));
  CHECK(share(periods[1], "a") == Approx(0.8));
  CHECK(share(periods[2], "a") == Approx(0.8));
  CHECK(periods[1].events == std::vector<std::string>{"cut"});
  CHECK(periods[2].events.empty());
}

TEST_CASE("users who reconsider now and then follow a price cut by and by", "[market]") {
  // A quarter reconsiders each month: 0.5, then 0.8 - 0.3 x 0.75 = 0.575, then 0.8 - 0.3 x 0.75^2 = 0.63125.
  Market market = two_alike();
  market.segments[0].switching_share = 0.25;
  const auto periods =
      run_market(market, months_from_january(3, {{sys_days{2025y / February / 1}, "cut", PriceChange{"a", card(0.5)}}}));
  CHECK(share(periods[1], "a") == Approx(0.575));
  CHECK(share(periods[2], "a") == Approx(0.63125));
  // Twice the requests in February: half of the users are new and choose at once. Of the old half three quarters stay.
  const auto grown =
      run_market(market, months_from_january(2, {{sys_days{2025y / February / 1}, "cut", PriceChange{"a", card(0.5)}},
                                                 {sys_days{2025y / February / 1}, "boom", DemandChange{"", 2}}}));
  CHECK(share(grown[1], "a") == Approx(0.375 * 0.5 + 0.625 * 0.8));
}

TEST_CASE("providers enter and leave; the users of one that left choose again", "[market]") {
  Market market = two_alike();
  market.segments[0].switching_share = 0;
  const auto periods = run_market(
      market, months_from_january(3, {{sys_days{2025y / February / 1}, "c", ProviderEnters{provider("c", 1, flat(1e6))}},
                                      {sys_days{2025y / March / 1}, "b", ProviderLeaves{"b"}}}));
  CHECK(share(periods[1], "c") == 0.0);           // nobody reconsiders
  CHECK(share(periods[2], "a") == Approx(0.75));  // its own half, and half of b's
  CHECK(share(periods[2], "c") == Approx(0.25));
  CHECK(periods[2].find("b") == nullptr);
}

TEST_CASE("growth compounds, and fleets and services change", "[market]") {
  Market market{{segment(10)}, {provider("a", 1, flat(8000))}};
  market.segments[0].growth = 0.1;
  const auto periods = run_market(
      market, months_from_january(4, {{sys_days{2025y / March / 1}, "double", FleetChange{"a", 2}},
                                      {sys_days{2025y / April / 1}, "stop", GrowthChange{"chat", 0}},
                                      {sys_days{2025y / April / 1}, "new", ServiceChange{"a", flat(1e6), 64e3}}}));
  const double january = 31 * 86400.0;
  CHECK(periods[0].segments[0].demand == Approx(10 * january));
  CHECK(periods[0].find("a")->segments[0].served == Approx(8 * january));
  CHECK(periods[0].find("a")->segments[0].refused == Approx(2 * january));
  CHECK(periods[2].segments[0].demand == Approx(12.1 * january));
  CHECK(periods[2].find("a")->segments[0].refused == Approx(0).margin(1e-6));  // 12,100 of 16,000
  CHECK(to_usd(periods[2].cost).value() == Approx(2 * 16 * 24 * 31));
  CHECK(periods[3].segments[0].demand == Approx(13.31 * 30 * 86400));  // growth of March; none after April
  CHECK(to_usd(periods[3].cost).value() == Approx(16 * 24 * 30));
}

TEST_CASE("total demand answers prices from the first period on", "[market]") {
  // Everything at half the price, weight -2, elasticity 0.5: demand doubles.
  Market market = two_alike();
  market.segments[0].elasticity = 0.5;
  const Date february = sys_days{2025y / February / 1};
  const auto periods = run_market(market, months_from_january(2, {{february, "a", PriceChange{"a", card(0.5)}},
                                                                  {february, "b", PriceChange{"b", card(0.5)}}}));
  CHECK(periods[0].segments[0].demand == Approx(10 * 31 * 86400.0));
  CHECK(periods[1].segments[0].demand == Approx(20 * 28 * 86400.0));
}

TEST_CASE("a provider with a rule answers the last period", "[market]") {
  Market market = two_alike();
  market.providers[1].pricing = {FollowRival{"a", 1}, 1.0};
  const auto periods =
      run_market(market, months_from_january(3, {{sys_days{2025y / February / 1}, "cut", PriceChange{"a", card(0.5)}}}));
  CHECK(share(periods[1], "a") == Approx(0.8));
  CHECK(share(periods[2], "a") == Approx(0.5));  // the rival has followed
}

TEST_CASE("a slow provider's share falls with every fast host that joins at its price", "[market]") {
  // The home of the network: 25 s to the first token and 25 tok/s; hosts of it at the same price: 1 s and 50 tok/s.
  const auto slow = [] {
    ServicePoint p = flat(1e6).points().front();
    p.ttft = Seconds{25};
    p.interactivity = TokensPerSecond{25};
    return ResponseSurface({p});
  };
  Market market{{segment(10, -2, -1)}, {provider("home", 1, slow()), provider("host 1", 1, flat(1e6))}};
  market.segments[0].switching_share = 0.5;
  std::vector<MarketEvent> events;
  for (unsigned m = 2; m <= 5; ++m) {
    events.push_back(
        {sys_days{2025y / month{m} / 1}, "", ProviderEnters{provider("host " + std::to_string(m), 1, flat(1e6))}});
  }
  const auto periods = run_market(market, months_from_january(5, events));
  for (std::size_t k = 1; k < periods.size(); ++k) {
    CHECK(*token_share(periods[k], "home", {}) < *token_share(periods[k - 1], "home", {}));
  }
}

TEST_CASE("with a capped fleet and a held price, demand raises ttft and lowers speed, not price", "[market]") {
  Market market{{segment(2)}, {provider("a", 1, queue(10000))}};
  market.segments[0].growth = 0.3;
  const auto periods = run_market(market, months_from_january(5));
  for (std::size_t k = 1; k < periods.size(); ++k) {
    const ProviderPeriod& before = periods[k - 1].providers[0];
    const ProviderPeriod& after = periods[k].providers[0];
    CHECK(after.service.point.ttft > before.service.point.ttft);
    CHECK(after.service.point.interactivity < before.service.point.interactivity);
    CHECK(after.prices.output == before.prices.output);
  }
}
