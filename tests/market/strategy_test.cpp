#include "tokenomics/market/strategy.hpp"

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

OperatingChoice choice(const char* name, double gpus, double served, double revenue_usd_hour, double ttft = 1,
                       double speed = 50) {
  return {name,
          gpus,
          Seconds{ttft},
          TokensPerSecond{speed},
          PerSecond{served},
          usd_per_hour(revenue_usd_hour),
          usd_per_hour(2 * gpus)};
}

/// 2 USD a GPU-hour. Margins: small batches 5000 - 2 x 1000 = 3000, large 3000 - 2 x 400 = 2200, most users 5500 - 2 x 1800
/// = 1900, cheap 1000 - 2 x 100 = 800 but half of the demand.
const std::vector<OperatingChoice> kChoices = {choice("small batches", 1000, 100, 5000, 1, 60),
                                               choice("large batches", 400, 100, 3000, 12, 22),
                                               choice("most users", 1800, 130, 5500), choice("cheap", 100, 50, 1000)};

}  // namespace

TEST_CASE("each objective picks its own way to run", "[market]") {
  const StrategyLimits limits{2000, PerSecond{100}};
  CHECK(*pick(kChoices, ProviderObjective::MaxMargin, limits) == 0);
  CHECK(*pick(kChoices, ProviderObjective::MaxShare, limits) == 2);
  CHECK(*pick(kChoices, ProviderObjective::MaxResearch, limits) == 1);  // the cheap one does not serve the demand
}

TEST_CASE("a fleet cap takes choices away", "[market]") {
  CHECK(*pick(kChoices, ProviderObjective::MaxMargin, {999, PerSecond{100}}) == 1);
  CHECK(*pick(kChoices, ProviderObjective::MaxShare, {1799, PerSecond{100}}) == 0);
  CHECK(*pick(kChoices, ProviderObjective::MaxResearch, {400, PerSecond{100}}) == 1);
  CHECK_FALSE(pick(kChoices, ProviderObjective::MaxResearch, {399, PerSecond{100}}));
  CHECK(*pick(kChoices, ProviderObjective::MaxResearch, {399, PerSecond{50}}) == 3);
  CHECK_FALSE(pick(kChoices, ProviderObjective::MaxShare, {99, PerSecond{1}}));
}

TEST_CASE("equal choices: margin goes to fewer GPUs, share and research to more margin, then to the first", "[market]") {
  std::vector<OperatingChoice> equal = {choice("a", 10, 5, 40), choice("b", 5, 5, 40), choice("c", 5, 5, 40)};
  for (OperatingChoice& c : equal) c.cost = usd_per_hour(20);
  CHECK(*pick(equal, ProviderObjective::MaxMargin, {10, PerSecond{5}}) == 1);
  const std::vector<OperatingChoice> same_gpus = {choice("a", 5, 5, 30), choice("b", 5, 5, 31)};
  CHECK(*pick(same_gpus, ProviderObjective::MaxShare, {10, PerSecond{5}}) == 1);
  CHECK(*pick(same_gpus, ProviderObjective::MaxResearch, {10, PerSecond{5}}) == 1);
}

TEST_CASE("research is worth more from (3000 - 2200) / (1000 - 400) = 1.33 USD a GPU-hour on", "[market]") {
  const ResearchBreakEven b = research_break_even(kChoices[0], kChoices[1]);
  CHECK(b.kind == ResearchBreakEven::Kind::From);
  CHECK(in_usd_per_hour(b.usd_per_gpu) == Approx(800.0 / 600));
  const StrategyChange c = change(kChoices[0], kChoices[1], 2000);
  CHECK(c.gpus_freed == 600);
  CHECK(c.free_under_cap == 1600);
  CHECK(in_usd_per_hour(c.margin_lost) == Approx(800));
  CHECK(c.ttft_added.value() == 11);
  CHECK(c.interactivity_lost.value() == 38);
  CHECK(c.served_lost.value() == 0);
}

TEST_CASE("the edges of the break-even: always, never, only up to", "[market]") {
  using Kind = ResearchBreakEven::Kind;
  CHECK(research_break_even(kChoices[0], kChoices[0]).kind == Kind::Always);
  CHECK(research_break_even(choice("", 10, 1, 30), choice("", 5, 1, 30)).kind == Kind::Always);  // 10 against 20
  CHECK(research_break_even(choice("", 10, 1, 30), choice("", 10, 1, 29)).kind == Kind::Never);
  CHECK(research_break_even(choice("", 5, 1, 30), choice("", 10, 1, 30)).kind == Kind::Never);
  // 20 against 30 on 5 more GPUs: better while a GPU-hour of research is worth less than 2.
  const ResearchBreakEven up_to = research_break_even(choice("", 5, 1, 30), choice("", 10, 1, 50));
  CHECK(up_to.kind == Kind::UpTo);
  CHECK(in_usd_per_hour(up_to.usd_per_gpu) == Approx(2));
}

TEST_CASE("at the break-even both choices are worth the same, and above it research is better", "[market]") {
  rc::prop("indifference", [] {
    const auto number = rc::gen::inRange(1, 1000);
    const OperatingChoice a = choice("a", *number, 1, 5.0 * *number);
    const OperatingChoice b = choice("b", *number, 1, 5.0 * *number);
    const ResearchBreakEven e = research_break_even(a, b);
    RC_PRE(e.kind == ResearchBreakEven::Kind::From);
    const auto worth = [](const OperatingChoice& c, double v) { return in_usd_per_hour(margin(c)) + v * (1000 - c.gpus); };
    const double v = in_usd_per_hour(e.usd_per_gpu);
    RC_ASSERT(v > 0.0);
    RC_ASSERT(std::abs(worth(a, v) - worth(b, v)) < 1e-6);
    RC_ASSERT(worth(b, v + 1) > worth(a, v + 1));
  });
}
