#include "tokenomics/study/market_run.hpp"

#include <algorithm>
#include <cmath>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// Two equal providers seen from outside, of whom users know the first by four to one; one in ten reconsiders in a week.
constexpr const char* kTwins = R"({
  "calendar": {"start": "2025-01-06", "period": "week", "periods": 4},
  "weights": {"log_price": -1, "log_seconds": -1, "log_ttft": -0.5},
  "segments": [{"name": "chat", "requests_per_s": 10, "tokens": {"input": 1000, "cached": 400, "output": 500}, "switching_share": 0.1,
                "last_choices": {"alpha": 0.8, "beta": 0.2}}],
  "providers": [
    {"name": "alpha", "usd_per_mtok": {"input": 1, "output": 2}, "context": 64000, "service": {"kind": "observed", "ttft_s": 1, "tok_s": 50}},
    {"name": "beta", "usd_per_mtok": {"input": 1, "output": 2}, "context": 64000, "service": {"kind": "observed", "ttft_s": 1, "tok_s": 50}}
  ],
  "events": [],
  "measures": [{"name": "share", "kind": "token_share", "provider": "alpha"}, {"name": "requests", "kind": "requests_per_day"},
               {"name": "wait", "kind": "ttft_s", "provider": "alpha"}]
})";

/// Everything at once: a small fleet that is overrun and one that is seen, free users and payers, some of whom do not ask;
/// impatience, elastic demand, a nest, growth, and events of every kind.
constexpr const char* kBusy = R"({
  "calendar": {"start": "2025-01-06", "period": "month", "periods": 6},
  "weights": {"log_price": -1, "log_seconds": -1, "log_ttft": -0.5, "log_context_fit": 1, "dissimilarity": 0.5},
  "segments": [
    {"name": "app", "requests_per_s": 300, "tokens": {"input": 800, "output": 300}, "free": true, "outside_utility": -4, "growth": 0.2,
     "patience": {"limit_s": 0.5, "share_leaving": 0.6}},
    {"name": "coding", "requests_per_s": 90, "tokens": {"input": 6000, "cached": 3000, "output": 400}, "elasticity": 0.4, "switching_share": 0.3,
     "context_need": {"probability": [0, 0.7, 1], "tokens": [100, 8000, 90000]}}
  ],
  "providers": [
    {"name": "fleet", "usd_per_mtok": {"input": 0.5, "input_cached": 0.2, "output": 0.9}, "context": 64000,
     "pricing": {"rule": "target_margin", "margin_over_revenue": 0.2},
     "service": {"kind": "simulated", "scenario": "llama-70b-h100", "fleet_gpus": 8}},
    {"name": "host", "usd_per_mtok": {"input": 1, "output": 2}, "context": 32000, "nest": "n", "pricing": {"rule": "follow", "rival": "fleet", "ratio": 1.5},
     "service": {"kind": "observed", "ttft_s": 0.8, "tok_s": 60}},
    {"name": "late", "usd_per_mtok": {"input": 1, "output": 2}, "context": 128000, "nest": "n", "enters": "2025-02-05",
     "service": {"kind": "held", "ttft_s": 2, "tok_s": 40, "query": "r1-host"}}
  ],
  "events": [
    {"date": "2025-02-06", "label": "more users", "segment": "app", "demand_factor": 3},
    {"date": "2025-03-06", "label": "late is slower", "provider": "late", "service": {"kind": "observed", "ttft_s": 3, "tok_s": 30}},
    {"date": "2025-04-06", "label": "the fleet grows", "provider": "fleet", "fleet_factor": 2},
    {"date": "2025-05-06", "label": "coding grows", "segment": "coding", "growth": 0.3},
    {"date": "2025-05-06", "label": "the host leaves", "provider": "host", "leaves": true}
  ],
  "measures": [{"name": "share", "kind": "token_share", "provider": "fleet", "segments": ["coding"]}, {"name": "tokens", "kind": "tokens_per_day"}],
  "uncertain": [{"pointer": "/weights/log_price", "low": -1.5, "high": -0.5, "source": "assumed"}]
})";

MarketSpec market_of(const char* text, const std::vector<std::string>& sets = {}) {
  return load_market_text(text, "market.json", shipped_catalogue(), sets);
}

MarketResult run(const char* text, const std::vector<std::string>& sets = {}, const MarketOptions& options = {}) {
  return run_market_spec(market_of(text, sets), options);
}

MarketOptions with(unsigned jobs, int samples) {
  MarketOptions options;
  options.jobs = jobs;
  options.samples = samples;
  return options;
}

double share_in(const MarketPeriod& period, const std::string& provider, std::size_t segment) {
  return period.find(provider)->segments[segment].share;
}

void check_accounts(const MarketPeriod& period) {
  MicroUsd revenue, cost;
  for (const ProviderPeriod& provider : period.providers) {
    MicroUsd earned, spent = provider.idle_cost;
    for (const MarketCell& cell : provider.segments) earned += cell.revenue, spent += cell.cost;
    CHECK(earned == provider.revenue);
    CHECK(spent == provider.cost);
    revenue += earned;
    cost += spent;
  }
  CHECK(revenue == period.revenue);
  CHECK(cost == period.cost);
}

void check_requests(const MarketPeriod& period) {
  for (std::size_t s = 0; s < period.segments.size(); ++s) {
    const SegmentPeriod& segment = period.segments[s];
    double shares = segment.outside / segment.demand, requests = segment.outside;
    for (const ProviderPeriod& provider : period.providers) {
      const MarketCell& cell = provider.segments[s];
      CHECK(cell.share >= 0);
      shares += cell.share;
      requests += cell.served + cell.refused + cell.left;
    }
    CHECK(shares == Approx(1).epsilon(1e-12));
    CHECK(requests == Approx(segment.demand).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("users who do not reconsider stay where they were", "[study]") {
  // Equal offers: 0.9 x 0.8 + 0.1 x 0.5 = 0.77, 0.9 x 0.77 + 0.05 = 0.743, 0.7187, 0.69683. Nobody served before: 1/2 at
  // once.
  const MarketResult result = run(kTwins);
  const double expected[] = {0.77, 0.743, 0.7187, 0.69683};
  for (std::size_t k = 0; k < 4; ++k) CHECK(share_in(result.periods[k], "alpha", 0) == Approx(expected[k]));
  for (const MarketPeriod& period : run(kTwins, {"segments.0.last_choices={}"}).periods)
    CHECK(share_in(period, "alpha", 0) == Approx(0.5));
  // 60% have a last choice, the rest choose as they come: 0.9 x 0.6 + (1 - 0.9 x 0.6) / 2 = 0.77.
  const MarketResult some = run(kTwins, {R"(segments.0.last_choices={"alpha": 0.6})"});
  CHECK(share_in(some.periods[0], "alpha", 0) == Approx(0.77));
}

TEST_CASE("in every period shares add up to one, requests to demand, and money to the millionth", "[study]") {
  const MarketResult result = run(kBusy, {}, with(2, 0));
  CHECK(result.converged);
  CHECK(result.start_spread < 1e-6);
  double refused = 0, left = 0, outside = 0;
  for (const MarketPeriod& period : result.periods) {
    check_accounts(period);
    check_requests(period);
    for (const ProviderPeriod& provider : period.providers)
      for (const MarketCell& cell : provider.segments) refused += cell.refused, left += cell.left;
    for (const SegmentPeriod& segment : period.segments) outside += segment.outside;
  }
  CHECK(refused > 0);  // none of the parts is idle
  CHECK(left > 0);
  CHECK(outside > 0);
  CHECK(result.periods[0].find("late") == nullptr);
  CHECK(result.periods[1].find("late") != nullptr);
  CHECK(result.periods[4].find("host") == nullptr);
  CHECK(result.periods[1].events == std::vector<std::string>{"late enters", "more users"});
  // Twice the fleet serves twice as much of an overrun service.
  const ProviderPeriod &small = *result.periods[2].find("fleet"), &large = *result.periods[3].find("fleet");
  REQUIRE((small.service.saturated && large.service.saturated));
  CHECK(large.service.point.load * large.service.point.served_share /
            (small.service.point.load * small.service.point.served_share) ==
        Approx(2));
}

TEST_CASE("an event of a service stands among the others of its day as in the file", "[study]") {
  const MarketResult result = run(kTwins, {R"(events=[
    {"date": "2025-01-13", "label": "slower", "provider": "beta", "service": {"kind": "observed", "ttft_s": 9, "tok_s": 5}},
    {"date": "2025-01-13", "label": "gone", "provider": "beta", "leaves": true}])"});
  CHECK(result.periods[1].events == std::vector<std::string>{"slower", "gone"});
  CHECK(result.periods[1].providers.size() == 1);
}

TEST_CASE("when everybody has left nobody is served, and measures that nobody has are absent", "[study]") {
  const MarketResult result =
      run(kTwins, {R"(events=[{"date": "2025-01-13", "label": "a", "provider": "alpha", "leaves": true},
                                                      {"date": "2025-01-20", "label": "b", "provider": "beta", "leaves": true}])"});
  CHECK(share_in(result.periods[1], "beta", 0) == Approx(1));
  CHECK(result.periods[2].segments[0].outside == Approx(result.periods[2].segments[0].demand));
  CHECK_FALSE(result.measures[0].values[3].has_value());
  CHECK(result.measures[1].values[3] == 0.0);
  CHECK_FALSE(result.measures[2].values[3].has_value());
}

TEST_CASE("users who do not care for service do not see a first token", "[study]") {
  const std::string slow = "providers.0.service.ttft_s=30", careless = "weights.service_factor=0";
  const double fast_share = share_in(run(kTwins).periods[3], "alpha", 0);
  CHECK(share_in(run(kTwins, {slow}).periods[3], "alpha", 0) < fast_share - 0.05);
  CHECK(share_in(run(kTwins, {slow, careless}).periods[3], "alpha", 0) == Approx(fast_share));
  CHECK(share_in(run(kTwins, {slow, "segments.0.service_factor=0"}).periods[3], "alpha", 0) == Approx(fast_share));
}

TEST_CASE("growth is told from means over the ends", "[study]") {
  // 10% a week: 1, 1.1, 1.21, 1.331 times 864,000 requests a day. One at each end: 1.331. Two: (1.21 + 1.331) / (1 + 1.1)
  // = 1.21.
  const MarketResult one = run(kTwins, {"segments.0.growth=0.1"});
  const MarketResult two = run(kTwins, {"segments.0.growth=0.1", "growth_over=2"});
  CHECK(*one.measures[1].values[0] == Approx(864000));
  CHECK(*one.measures[1].last_over_first == Approx(1.331));
  CHECK(*two.measures[1].last_over_first == Approx(1.21));
}

TEST_CASE("draws that contradict an observation are dropped", "[study]") {
  // Users choose at once, so alpha's share is 1 / (1 + e^-b): at least 1/2 where its brand b is at least 0. b is drawn from
  // 40 cells over -1 to 1, 20 of them at or above 0; the middle of those left is 0.5: share 0.6225.
  const std::vector<std::string> sets{
      "segments.0.switching_share=1", "providers.0.brand=0",
      R"(uncertain=[{"pointer": "/providers/0/brand", "low": -1, "high": 1, "source": "s"}])"};
  const auto observing = [&](double low, double high) {
    std::vector<std::string> all = sets;
    all.push_back(R"(observed=[{"measure": "share", "date": "2025-01-15", "low": )" + std::to_string(low) + R"(, "high": )" +
                  std::to_string(high) + R"(, "source": "s"}])");
    return run(kTwins, all, with(1, 40));
  };
  const MarketResult all = run(kTwins, sets, with(1, 40));
  CHECK(all.drawn == 40);
  CHECK(all.kept == 40);
  CHECK(*all.measures[0].intervals[1].p50 == Approx(0.5).margin(0.01));
  const MarketResult some = observing(0.5, 1);
  CHECK(some.drawn == 40);
  CHECK(some.kept == 20);
  CHECK(*some.measures[0].intervals[1].p5 >= 0.5);
  CHECK(*some.measures[0].intervals[1].p50 == Approx(0.6225).margin(0.01));
  CHECK(observing(0, 0.5).kept == 20);
  CHECK(*some.measures[0].values[1] == Approx(0.5));  // the file's own numbers are not touched
  CHECK_THROWS_AS(observing(0.9, 1), Infeasible);     // e^1 / (1 + e^1) = 0.73
}

TEST_CASE("a number that alone drives a figure has rank correlation 1, one that does not 0", "[study]") {
  const MarketResult result =
      run(kTwins, {R"(uncertain=[{"pointer": "/segments/0/switching_share", "low": 0.05, "high": 0.5, "source": "s"}])"},
          with(1, 20));
  CHECK(result.measures[0].driver == std::vector<double>{-1});  // alpha's share falls to a half the faster
  CHECK(result.measures[1].driver == std::vector<double>{0});   // everybody asks
  CHECK(result.measures[2].driver == std::vector<double>{0});   // the first token is what was observed
}

TEST_CASE("a market at its own uncertain numbers is the market, and threads change nothing", "[study]") {
  const MarketSpec spec = market_of(kBusy);
  const MarketSpec same = with_numbers(spec, {-1});
  const MarketResult one = run_market_spec(spec, with(1, 4)), two = run_market_spec(same, with(2, 0));
  REQUIRE(one.periods.size() == two.periods.size());
  for (std::size_t k = 0; k < one.periods.size(); ++k) {
    CHECK(one.periods[k].revenue == two.periods[k].revenue);
    CHECK(one.periods[k].cost == two.periods[k].cost);
    CHECK(one.measures[0].values[k] == two.measures[0].values[k]);
  }
}

TEST_CASE("a price that follows its cost falls to its floor and leaves it when the cost rises", "[study]") {
  // alpha's service is held; in the third week it becomes a dearer, faster one. With damping 1 a price is at its target a
  // week later: first what the slow service costs (margin 0), from the fifth week on what the fast one costs.
  const std::vector<std::string> sets{
      "calendar.periods=6", "providers.0.usd_per_mtok={\"input\": 20, \"output\": 40}",
      R"(providers.0.pricing={"rule": "target_margin", "damping": 1})",
      R"(providers.0.service={"kind": "held", "ttft_s": 2, "tok_s": 30, "query": "r1-host"})",
      R"(events=[{"date": "2025-01-27", "label": "faster", "provider": "alpha",
                  "service": {"kind": "held", "ttft_s": 2, "tok_s": 90, "query": "r1-host"}}])"};
  MarketSpec spec = market_of(kTwins, sets);
  const auto prices_of = [](const MarketResult& result) {
    std::vector<double> prices;
    for (const MarketPeriod& period : result.periods)
      prices.push_back(in_usd_per_mtok(blended_3_1(period.find("alpha")->prices)));
    return prices;
  };
  const MarketResult free = run_market_spec(spec);
  const std::vector<double> bare = prices_of(free);
  const double slow = bare[2], fast = bare[5];
  CHECK(bare[0] == Approx(25));  // (3 x 20 + 40) / 4
  CHECK(fast > 1.5 * slow);
  CHECK(bare[1] == Approx(slow));
  CHECK(bare[4] == Approx(fast));
  const ProviderPeriod& last = *free.periods[5].find("alpha");
  CHECK(static_cast<double>(last.margin().value) / static_cast<double>(last.revenue.value) == Approx(0).margin(1e-6));

  const double floor = std::sqrt(slow * fast);
  spec.providers[0].pricing.floor = usd_per_mtok(floor);
  const std::vector<double> kept = prices_of(run_market_spec(spec));
  for (const std::size_t k : {1, 2, 3}) CHECK(kept[k] == Approx(floor));
  for (const std::size_t k : {4, 5}) CHECK(kept[k] == Approx(fast));
}

TEST_CASE("a service that no deployment holds names its provider", "[study]") {
  const std::string set = R"(providers.1.service={"kind": "held", "ttft_s": 2, "tok_s": 9000, "query": "r1-host"})";
  CHECK_THROWS_AS(run(kTwins, {set}), Infeasible);
  CHECK_THROWS_WITH(run(kTwins, {set}), Catch::Contains("service of beta: 9000 tok/s/user with a first token in 2 s: "));
  const std::string tiny = R"(providers.0.service={"kind": "simulated", "scenario": "llama-70b-h100", "fleet_gpus": 3})";
  CHECK_THROWS_WITH(run(kTwins, {tiny}), Catch::Contains("service of alpha: fleet: 3 GPUs do not hold one unit"));
}
