#include "tokenomics/market/equilibrium.hpp"

#include <cmath>

#include "market/markets.hpp"
#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// Up to four providers with queues and two segments, loads from slack to far above capacity.
Market any_market() {
  const auto pick = [](int lo, int hi) { return *rc::gen::inRange(lo, hi); };
  Market m;
  const int n = pick(1, 5);
  for (int j = 0; j < n; ++j) {
    m.providers.push_back(provider("p" + std::to_string(j), pick(1, 50) / 10.0, queue(1000 * pick(1, 100))));
    m.providers.back().brand = {pick(-20, 20) / 10.0, 0.0};
  }
  m.segments = {segment(pick(1, 200), -pick(0, 40) / 10.0, -pick(0, 30) / 10.0), segment(pick(0, 50), -1, -2)};
  m.segments[0].weights.log_ttft = -pick(0, 20) / 10.0;
  m.segments[0].patience = {Seconds{3}, pick(0, 101) / 100.0};
  m.segments[1].free = true;
  m.segments[1].elasticity = pick(0, 101) / 100.0;
  return m;
}

}  // namespace

TEST_CASE("with service that load does not touch the fixed point is the plain logit", "[market]") {
  // Prices 1 and 2 at weight -2: 0.8 and 0.2 of 10 requests of 1,000 output tokens.
  const Market m{{segment(10)}, {provider("a", 1, flat(1e6)), provider("b", 2, flat(1e6))}};
  const Equilibrium e = solve_period(m);
  CHECK(e.convergence.converged);
  CHECK(e.providers[0].load.value() == Approx(8000));
  CHECK(e.providers[1].load.value() == Approx(2000));
  // Revenue: 8 answers x 2,000 tokens x 1 USD per million; cost 16 USD an hour.
  const ProviderMoney money = money_of(m, e, 0);
  CHECK(money.revenue.value() == Approx(0.016));
  CHECK(in_usd_per_hour(money.cost) == Approx(16));
}

TEST_CASE("alike providers share alike, and a queue moves users to the rival until the utilities agree", "[market]") {
  Market m{{segment(10, -2, -1)}, {provider("a", 1, queue(8000)), provider("b", 1, queue(8000))}};
  const Equilibrium even = solve_period(m);
  CHECK(even.providers[0].load.value() == Approx(5000).epsilon(1e-8));
  // The second twice as large: it takes more, and both loads solve ln(l1 / l2) = -(ln s1 - ln s2) with s = ttft + 1000 /
  // speed.
  m.providers[1].service = queue(16000);
  const Equilibrium e = solve_period(m);
  const auto seconds = [&](std::size_t j) {
    const ServicePoint& p = e.providers[j].service.point;
    return p.ttft.value() + 1000 / p.interactivity.value();
  };
  CHECK(e.providers[1].load.value() > 5100);
  CHECK(std::log(e.providers[0].load / e.providers[1].load) == Approx(-std::log(seconds(0) / seconds(1))).epsilon(1e-6));
}

TEST_CASE("what is above capacity is refused and counted, and drives users away", "[market]") {
  // One provider of 4,000 tok/s and 10 requests/s of 1,000: 4 are served, 6 refused.
  const Equilibrium alone = solve_period({{segment(10)}, {provider("a", 1, flat(4000))}});
  CHECK(alone.convergence.converged);
  CHECK(alone.providers[0].service.saturated);
  CHECK(alone.segments[0].served[0].value() == Approx(4));
  CHECK(alone.segments[0].refused[0].value() == Approx(6));
  // A rival as cheap without limits: odds l : 10 - l = 4 / l (the share served), so l^2 + 4 l - 40 = 0 and l = 4.6332.
  const Equilibrium two = solve_period({{segment(10)}, {provider("a", 1, flat(4000)), provider("b", 1, flat(1e6))}});
  CHECK(two.segments[0].sent[0].value() == Approx(4.6332496));
  CHECK(two.segments[0].served[0].value() == Approx(4));
}

TEST_CASE("the fixed point is reached from every start, and is the same", "[market]") {
  rc::prop("starts", [] {
    const Market m = any_market();
    const StartComparison c = solve_from_starts(m);
    RC_ASSERT(c.all_converged);
    RC_ASSERT(c.spread < 1e-7);
    RC_ASSERT(c.equilibria.size() == m.providers.size() + 2);
    for (const Equilibrium& e : c.equilibria) {
      for (std::size_t s = 0; s < 2; ++s) {
        double sum = e.segments[s].outside.value();
        for (const PerSecond sent : e.segments[s].sent) sum += sent.value();
        RC_ASSERT(std::abs(sum - e.segments[s].demand.value()) <= 1e-9 * sum);
      }
    }
  });
}

TEST_CASE("a dearer price never raises a provider's own load", "[market]") {
  rc::prop("own price", [] {
    Market m = any_market();
    const Equilibrium before = solve_period(m);
    m.providers[0].prices = scaled(m.providers[0].prices, 1.1);
    const Equilibrium after = solve_period(m);
    RC_ASSERT(after.providers[0].load.value() <= before.providers[0].load.value() * (1 + 1e-6));
  });
}

TEST_CASE("no iterations left is told, not hidden", "[market]") {
  const Market m{{segment(10, -2, -1)}, {provider("a", 1, queue(8000)), provider("b", 2, queue(8000))}};
  const Equilibrium e = solve_period(m, {}, {1e-10, 1});
  CHECK_FALSE(e.convergence.converged);
  CHECK(e.convergence.iterations == 1);
  CHECK(e.convergence.residual > 1e-10);
}

TEST_CASE("a target margin is met: revenue = cost / (1 - margin)", "[market]") {
  // 10 requests/s fixed, all to one provider of 16 USD/h. Margin 0.2: revenue 20 USD/h over 72 million tokens an hour.
  Market m{{segment(10)}, {provider("a", 5, flat(1e5))}};
  m.providers[0].pricing.rule = TargetMargin{0.2, 0.05};
  const PriceEquilibrium found = solve_prices(m);
  CHECK(found.converged);
  CHECK(in_usd_per_mtok(found.market.providers[0].prices.output) == Approx(20.0 / 72).epsilon(1e-5));
  // One damped step from 5 goes half of the way in logarithms.
  const TokenPrices once = reprice(m, solve_period(m))[0];
  CHECK(in_usd_per_mtok(once.input) == Approx(std::sqrt(5 * 20.0 / 72)));
}

TEST_CASE("an empty fleet is priced at its least load, not at infinity", "[market]") {
  // Nothing sold: 16 USD/h over a tenth of 1e5 tok/s = 36 million output tokens an hour; the market's mix is one input
  // per output, so 16 / 36 per million output tokens is half of that per token of the card.
  Market m{{segment(0)}, {provider("a", 5, flat(1e5))}};
  m.segments.push_back(segment(1));
  m.providers.push_back(provider("b", 1, flat(1e5)));
  m.providers[0].brand = {0, -100};
  m.providers[0].pricing = {TargetMargin{0.0, 0.1}, 1.0};
  CHECK(in_usd_per_mtok(reprice(m, solve_period(m))[0].output) == Approx(16.0 / 36 / 2));
}

TEST_CASE("a price leaves the floor it reached when its target rises again", "[market]") {
  Market m{{segment(10)}, {provider("a", 5, flat(1e5, 1))}};
  m.providers[0].pricing = {TargetMargin{0.2, 0.05}, 0.5, usd_per_mtok(0.1)};
  for (int i = 0; i < 20; ++i) m.providers[0].prices = reprice(m, solve_period(m))[0];
  CHECK(in_usd_per_mtok(m.providers[0].prices.output) == Approx(0.1));  // the target is 1.25 / 72 = 0.017
  m.providers[0].service = flat(1e5, 16);
  const TokenPrices risen = reprice(m, solve_period(m))[0];
  CHECK(in_usd_per_mtok(risen.output) == Approx(std::sqrt(0.1 * 20.0 / 72)));
}

TEST_CASE("a follower ends at its ratio of the rival's price, and holds without that rival", "[market]") {
  Market m{{segment(10)}, {provider("a", 5, flat(1e5)), provider("b", 1, flat(1e5))}};
  m.providers[0].pricing.rule = FollowRival{"b", 1.5};
  const PriceEquilibrium found = solve_prices(m);
  CHECK(found.converged);
  CHECK(in_usd_per_mtok(found.market.providers[0].prices.input) == Approx(1.5).epsilon(1e-5));
  m.providers[0].pricing.rule = FollowRival{"nobody", 1.5};
  CHECK(in_usd_per_mtok(solve_prices(m).market.providers[0].prices.input) == 5);
}
