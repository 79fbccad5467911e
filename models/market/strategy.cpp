#include "tokenomics/market/strategy.hpp"

#include <array>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// What is compared first, second; larger is better.
std::array<double, 2> rank(const OperatingChoice& c, ProviderObjective objective) {
  switch (objective) {
    case ProviderObjective::MaxMargin: return {margin(c).value(), -c.gpus};
    case ProviderObjective::MaxShare: return {c.served.value(), margin(c).value()};
    case ProviderObjective::MaxResearch: return {-c.gpus, margin(c).value()};
  }
  check_failed("objective", __FILE__, __LINE__, "unknown");
}

bool allowed(const OperatingChoice& c, ProviderObjective objective, const StrategyLimits& limits) {
  if (c.gpus > limits.fleet_cap) return false;
  return objective != ProviderObjective::MaxResearch || c.served >= limits.demand * limits.served_at_least;
}

}  // namespace

UsdPerSecond margin(const OperatingChoice& choice) { return choice.revenue - choice.cost; }

const char* to_string(ProviderObjective objective) {
  switch (objective) {
    case ProviderObjective::MaxMargin: return "max_margin";
    case ProviderObjective::MaxShare: return "max_share";
    case ProviderObjective::MaxResearch: return "max_research";
  }
  TOKENOMICS_CHECK(false, "unnamed objective");
}

std::optional<std::size_t> pick(const std::vector<OperatingChoice>& choices, ProviderObjective objective,
                                const StrategyLimits& limits) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!allowed(choices[i], objective, limits)) continue;
    if (!best || rank(choices[i], objective) > rank(choices[*best], objective)) best = i;
  }
  return best;
}

StrategyChange change(const OperatingChoice& from, const OperatingChoice& to, double fleet_cap) {
  return {from.gpus - to.gpus,
          fleet_cap - to.gpus,
          margin(from) - margin(to),
          to.ttft - from.ttft,
          from.interactivity - to.interactivity,
          from.served - to.served};
}

ResearchBreakEven research_break_even(const OperatingChoice& first, const OperatingChoice& second) {
  using Kind = ResearchBreakEven::Kind;
  const UsdPerSecond lost = margin(first) - margin(second);
  const double freed = first.gpus - second.gpus;
  if (lost.value() <= 0.0 && freed >= 0.0) return {Kind::Always, UsdPerSecond{0}};
  if (lost.value() >= 0.0 && freed <= 0.0) return {Kind::Never, UsdPerSecond{0}};
  return {freed > 0.0 ? Kind::From : Kind::UpTo, lost / freed};
}

}  // namespace tokenomics
