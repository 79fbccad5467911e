// What a provider does with its fleet, and what a fleet does to its users.
#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/study/solve.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

Solution solved(const char* query, const std::vector<std::string>& sets = {}) {
  SolveOptions how;
  how.confirm = how.shadow = false;
  return solve(load_query(query, shipped_catalogue(), sets), how);
}

const OperatingChoice& of(const StrategyAnswer& answer, ProviderObjective objective) {
  for (const StrategyAnswer::Choice& choice : answer.choices)
    if (choice.objective == objective) return choice.operating;
  throw std::logic_error("no such choice");
}

}  // namespace

TEST_CASE("Load on a fixed fleet slows its users, fills its batches and makes its GPUs produce more", "[study]") {
  const Solution solution = solved("claude-scarcity");
  REQUIRE(solution.scarcity);
  const OperatingPoint &before = solution.scarcity->before, &after = solution.scarcity->after;
  CHECK(before.gpus == after.gpus);
  // The loads are points of a grid of 2%.
  CHECK(before.interactivity.value() == Approx(75).epsilon(0.03));
  CHECK(after.interactivity.value() == Approx(45).epsilon(0.03));
  CHECK(after.requests_per_s > 1.2 * before.requests_per_s);
  CHECK(after.batch_per_instance > 1.5 * before.batch_per_instance);
  CHECK(after.ttft > before.ttft);
  // The same load at the old speed takes GPUs in proportion to it, up to whole instances of 8.
  const double proportion = before.gpus * after.requests_per_s / before.requests_per_s;
  CHECK(solution.scarcity->gpus_at_old_speed >= proportion * (1 - 1e-9));
  CHECK(solution.scarcity->gpus_at_old_speed < proportion + 8 + 1e-6);
}

TEST_CASE("A batch that cannot grow leaves users fast and takes no more load", "[study]") {
  const Solution solution = solved("claude-scarcity", {"search.sequences_per_rank=[1]"});
  REQUIRE(solution.scarcity);
  CHECK(solution.scarcity->after.requests_per_s < 1.05 * solution.scarcity->before.requests_per_s);
}

TEST_CASE("Research takes the fewest GPUs, margin the most money, share the most requests", "[study]") {
  const Solution solution = solved("r1-strategy");
  REQUIRE(solution.strategy);
  const StrategyAnswer& answer = *solution.strategy;
  const OperatingChoice& earns = of(answer, ProviderObjective::MaxMargin);
  const OperatingChoice& grows = of(answer, ProviderObjective::MaxShare);
  const OperatingChoice& frees = of(answer, ProviderObjective::MaxResearch);
  CHECK(frees.gpus <= earns.gpus);
  CHECK(margin(earns) >= margin(frees));
  CHECK(margin(earns) >= margin(grows));
  CHECK(grows.served >= earns.served);
  CHECK(frees.served.value() >= 0.999 * 1900);
  CHECK(grows.gpus <= 2224);
  CHECK(answer.to_research.gpus_freed == earns.gpus - frees.gpus);
  // Indifference: v (GPUs freed) = margin lost.
  REQUIRE(answer.worth.kind == ResearchBreakEven::Kind::From);
  CHECK((answer.worth.usd_per_gpu * answer.to_research.gpus_freed).value() ==
        Approx(answer.to_research.margin_lost.value()));
}

// Users who come however slow the answer is: then nothing is earned by serving them faster.
TEST_CASE("Without a response of demand the fewest GPUs earn most", "[study]") {
  const Solution solution = solved("r1-strategy", {"demand_response=0"});
  REQUIRE(solution.strategy);
  CHECK(of(*solution.strategy, ProviderObjective::MaxMargin).gpus ==
        of(*solution.strategy, ProviderObjective::MaxResearch).gpus);
  CHECK(solution.strategy->worth.kind == ResearchBreakEven::Kind::Always);
}

TEST_CASE("A fleet too small for the demand has no strategy, and says so", "[study]") {
  const Solution solution = solved("r1-strategy", {"fleet_cap=400"});
  CHECK_FALSE(solution.strategy);
  CHECK(solution.infeasible_reason == "fleet: no deployment within the cap serves the demand at the SLO");
}
