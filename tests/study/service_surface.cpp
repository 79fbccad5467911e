#include "tokenomics/study/service_surface.hpp"

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/study/solve.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr double kFleet = 450;
constexpr double kLeastTokS = 20;

SimulatedServiceSpec deepseek(ProviderObjective objective, std::optional<double> ttft_p90_s, double fleet = kFleet) {
  return {std::make_shared<const Scenario>(shipped("deepseek-api-2025-06-27")), objective, fleet, kLeastTokS, ttft_p90_s};
}

}  // namespace

TEST_CASE("a held service costs at any load what the cheapest deployment costs", "[study]") {
  const auto query = std::make_shared<const Query>(load_query("r1-host", shipped_catalogue()));
  Query asked = *query;
  asked.slo.ttft_s = SloSpec::Bound{50, 1.5};
  asked.slo.interactivity_tok_s_user = SloSpec::Bound{50, 45};
  SolveOptions how;
  how.confirm = how.shadow = false;
  const OperatingPoint best = solve(asked, how).best->point;
  const double usd_per_token = (best.cost_rate.value()) / (best.requests_per_s * best.per_request.output);
  const ResponseSurface surface = held_surface({1.5, 45, query}, 1);
  for (const double load : {1.0, 1234.0, 1e6}) {
    INFO(load);
    const ServicePoint at = surface.at(TokensPerSecond{load}).point;
    CHECK(at.cost.value() / load == Approx(usd_per_token));
    CHECK(at.gpus / load == Approx(best.gpus / (best.requests_per_s * best.per_request.output)));
    CHECK(at.ttft.value() == Approx(1.5));
    CHECK(at.interactivity.value() == Approx(45));
    CHECK(at.served_share == 1);
  }
  CHECK(has_known_cost(HeldServiceSpec{1.5, 45, query}));
}

TEST_CASE("an observed service is as observed at any load, and its cost is not known", "[study]") {
  const ObservedServiceSpec seen{2, 60};
  for (const double load : {1.0, 1e3, 1e9}) {
    const ServiceAt at = observed_surface(seen).at(TokensPerSecond{load});
    CHECK(at.point.ttft.value() == Approx(2));
    CHECK(at.point.interactivity.value() == Approx(60));
    CHECK_FALSE(at.saturated);
  }
  CHECK_FALSE(has_known_cost(seen));
}

TEST_CASE("a simulated service takes more GPUs for more load, up to its cap, and keeps its speed", "[study]") {
  const ResponseSurface research = simulated_surface(deepseek(ProviderObjective::MaxResearch, std::nullopt), 1, 1);
  const ResponseSurface share = simulated_surface(deepseek(ProviderObjective::MaxShare, 2.0), 1, 1);
  for (const ResponseSurface* surface : {&research, &share}) {
    double before = 0;
    for (const ServicePoint& point : surface->points()) {
      INFO(point.load.value());
      CHECK(point.gpus >= before);
      CHECK(point.gpus <= kFleet);
      CHECK(point.interactivity.value() > 0.95 * kLeastTokS);
      CHECK(point.served_share == 1);
      CHECK(point.cost / point.gpus == research.points()[0].cost / research.points()[0].gpus);
      before = point.gpus;
    }
  }
  // Prefill units that hold a first token are as many or more for the same load, and the same cap serves less.
  CHECK(share.capacity() < research.capacity());
  for (const ServicePoint& point : share.points()) {
    INFO(point.load.value());
    CHECK(research.at(point.load).point.gpus <= point.gpus);
    CHECK(point.ttft < research.at(point.load).point.ttft);
  }
}

TEST_CASE("a fleet at its cap is packed up to the speed that it must keep", "[study]") {
  // 272 GPUs are one decode unit of 144 and four prefill units of 32, of which it needs fewer: decode is full. The simulated
  // mean speed is that of the analytic state to some percent.
  const ResponseSurface surface = simulated_surface(deepseek(ProviderObjective::MaxResearch, std::nullopt, 272), 1, 1);
  CHECK(surface.points().back().gpus == 272);
  CHECK(surface.points().back().interactivity.value() == Approx(kLeastTokS).epsilon(0.05));
  CHECK_THROWS_AS(simulated_surface(deepseek(ProviderObjective::MaxResearch, std::nullopt, 175), 1, 1), Infeasible);
}
