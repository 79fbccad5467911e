#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/units/quantity.hpp"

/// What a provider does with a capped fleet: earn, grow, or keep GPUs for research.
namespace tokenomics {

/// One way to run the service at a given price card: a batching stance, a context limit, a fleet.
struct OperatingChoice {
  std::string name;
  double gpus = 0;                   ///< that serve
  Seconds ttft{0};                   ///< what users get
  TokensPerSecond interactivity{0};  ///< per user
  PerSecond served{0};               ///< requests
  UsdPerSecond revenue{0};
  UsdPerSecond cost{0};  ///< of these GPUs; those that do not serve are not in it
};

/// revenue - cost.
UsdPerSecond margin(const OperatingChoice& choice);

enum class ProviderObjective {
  MaxMargin,   ///< the most revenue - cost; of equals fewest GPUs
  MaxShare,    ///< the most requests served; of equals the most margin
  MaxResearch  ///< the whole demand on the fewest GPUs; of equals the most margin
};

const char* to_string(ProviderObjective objective);  ///< "max_margin" ...

struct StrategyLimits {
  double fleet_cap = 0;          ///< GPUs
  PerSecond demand{0};           ///< requests to be served by MaxResearch
  double served_at_least = 1.0;  ///< share of the demand that counts as all of it, 0.999 say
};

/// Index of the best choice within the cap, the first of equal ones. Nothing when none fits the cap or, for MaxResearch,
/// none within the cap serves the demand.
std::optional<std::size_t> pick(const std::vector<OperatingChoice>& choices, ProviderObjective objective,
                                const StrategyLimits& limits);

/// Going from one choice to another: what it frees, what it costs the provider and the users.
struct StrategyChange {
  double gpus_freed = 0;
  double free_under_cap = 0;  ///< GPUs of the cap that the second choice leaves to research
  UsdPerSecond margin_lost{0};
  Seconds ttft_added{0};
  TokensPerSecond interactivity_lost{0};
  PerSecond served_lost{0};
};
StrategyChange change(const OperatingChoice& from, const OperatingChoice& to, double fleet_cap);

/// From which worth of a GPU-hour of research the second choice is the better one.
struct ResearchBreakEven {
  enum class Kind {
    From,    ///< from `usd_per_gpu_hour` on
    Always,  ///< it frees GPUs (or as many) and earns as much: even at 0
    Never,   ///< it frees none and earns less
    UpTo     ///< it earns more and uses more GPUs: better up to `usd_per_gpu_hour` only
  };
  Kind kind = Kind::Never;
  UsdPerSecond usd_per_gpu{0};  ///< per GPU; in_usd_per_hour() gives USD per GPU-hour
};

/// margin_1 + v (cap - gpus_1) = margin_2 + v (cap - gpus_2), so v = (margin_1 - margin_2) / (gpus_1 - gpus_2); 1 is the
/// choice of most margin, 2 that of most research. The cap does not enter. v is net of a GPU's own cost, since a choice's
/// cost is that of its serving GPUs: where a free GPU still costs its hour, add that to v.
ResearchBreakEven research_break_even(const OperatingChoice& max_margin, const OperatingChoice& max_research);

}  // namespace tokenomics
