#pragma once

#include "tokenomics/market/response_surface.hpp"
#include "tokenomics/scenario/market_spec.hpp"

namespace tokenomics {

/// What a provider's users get as a function of load, in output tokens per second, simulated.
///
/// A fleet is chosen by the strategy under the cap, in whole units of the scenario's pools, at loads that fill its decode
/// units. max_research: the
/// fewest units that serve the load: decode units packed up to `least_tok_s` (0: up to their memory), prefill units up to
/// what they can compute. max_margin and max_share: prefill units hold `ttft_p90_s` instead. A slice of the fleet in the
/// same proportion is then simulated for ten minutes after ten minutes of warm-up; longer overload waits longer.
/// The last point is a fleet at the cap with as much load as it serves.
ResponseSurface simulated_surface(const SimulatedServiceSpec& spec, unsigned jobs, std::uint64_t seed);

/// Service held at what was observed: cost and GPUs in proportion to load, of the cheapest deployment that the query finds
/// for it. Throws Infeasible when none holds it.
ResponseSurface held_surface(const HeldServiceSpec& spec, unsigned jobs);

/// Service as observed, at any load. Costs nothing here because nobody knows the cost: see has_known_cost().
ResponseSurface observed_surface(const ObservedServiceSpec& spec);

/// Whether the surface's cost means anything.
bool has_known_cost(const MarketServiceSpec& spec);

}  // namespace tokenomics
