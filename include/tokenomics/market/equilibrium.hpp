#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/market/demand.hpp"
#include "tokenomics/market/fixed_point.hpp"
#include "tokenomics/market/pricing_rule.hpp"
#include "tokenomics/market/response_surface.hpp"

/// One period: loads that make the service that makes the choices that make the loads.
namespace tokenomics {

struct MarketProvider {
  std::string name;
  TokenPrices prices;
  ResponseSurface service;
  double context_tokens = 0;
  WorkWeights work;           ///< the load that `service` is a function of
  std::vector<double> brand;  ///< utility per segment; empty: 0 for all
  PricingRule pricing;
  int nest = -1;  ///< providers of one nest are close substitutes, see Offer
};

struct Market {
  std::vector<Segment> segments;
  std::vector<MarketProvider> providers;
};

/// What a period takes from the one before. Empty vectors: nothing.
struct PeriodStart {
  std::vector<std::vector<double>> shares;  ///< [segment][provider]: last choices, of this period's users
  std::vector<double> reference_inclusive;  ///< [segment]: where demand is the reference; empty: wherever this period is
};

struct ProviderOutcome {
  TokensPerSecond load{0};  ///< arriving work, refused included
  ServiceAt service;
};

struct Equilibrium {
  std::vector<SegmentFlow> segments;
  std::vector<ProviderOutcome> providers;
  Convergence convergence;
};

/// The load of every provider that comes back as itself (solve_fixed_point). Where every provider's service only worsens
/// with its own load this is the logit equilibrium of a congested network, which is unique (Fisk, Transportation Research
/// 14B, 1980). Where service improves with load (a fleet that grows in steps) there may be several: see solve_from_starts.
/// `from`: loads to start at; empty: none. Not converging is a result: look at `convergence`.
Equilibrium solve_period(const Market& market, const PeriodStart& start = {}, const FixedPointOptions& options = {},
                         const std::vector<TokensPerSecond>& from = {});

/// The same from no load, from all load at each provider in turn, and from every provider full.
struct StartComparison {
  std::vector<Equilibrium> equilibria;
  double spread = 0;  ///< largest difference of a provider's load between two of them, over the sum of loads
  bool all_converged = false;
};
StartComparison solve_from_starts(const Market& market, const PeriodStart& start = {},
                                  const FixedPointOptions& options = {});

/// Per second, at an equilibrium.
struct ProviderMoney {
  TokenVolume served;  ///< tokens per second, free users' too
  TokenVolume paid;    ///< those that are paid for
  UsdPerSecond revenue{0};
  UsdPerSecond cost{0};
};
ProviderMoney money_of(const Market& market, const Equilibrium& equilibrium, std::size_t provider);

/// Prices after one round of every provider's rule, all answering the same equilibrium at once.
std::vector<TokenPrices> reprice(const Market& market, const Equilibrium& equilibrium);

/// Rounds of reprice and solve_period until no price moves by more than `tolerance` (of its logarithm).
struct PriceEquilibrium {
  Market market;  ///< with the prices found
  Equilibrium equilibrium;
  int rounds = 0;
  double last_move = 0;  ///< largest |ln price change| of the last round
  bool converged = false;
};
PriceEquilibrium solve_prices(Market market, const PeriodStart& start = {}, int max_rounds = 200, double tolerance = 1e-6);

}  // namespace tokenomics
