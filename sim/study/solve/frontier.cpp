#include <algorithm>
#include <cmath>

#include "solver.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"
#include "tokenomics/market/pareto.hpp"

namespace tokenomics {
namespace {

struct Tried {
  const Candidate* candidate;
  Fleet fleet;
  Qualities qualities;
};

/// Operating points of a candidate at evenly spaced loads of the grid, from a fiftieth of the most up to the most.
std::vector<Tried> points_of(Solver& solver, const Query& query, const Candidate& candidate, int loads) {
  const Solver::Loads most = solver.good(candidate);
  std::vector<Tried> points;
  if (!most.any()) return points;
  const int span = static_cast<int>(std::log(50.0) / std::log(kLoadRatio));
  for (int i = 0; i < loads; ++i) {
    const int down = span * i / std::max(1, loads - 1);
    // A pair is loaded less on its decode side: that buys speed; prefill stays at what the TTFT bound allows.
    const Solver::Loads at{candidate.is_mixed() ? 0 : std::max(0, most.prefill - down / 4), std::max(0, most.decode - down)};
    const Fleet fleet = solver.fleet_at(candidate, at);
    if (fleet.rate_per_s <= 0 || !solver.pricer().within_cap(candidate, fleet)) continue;
    const OperatingPoint point = solver.pricer().point(candidate, fleet, true);
    points.push_back({&candidate,
                      fleet,
                      {solver.pricer().objective(point), point.ttft.value(), point.interactivity.value(),
                       static_cast<double>(query.context_tokens)}});
  }
  return points;
}

/// The front of some of the points, as deployments.
std::vector<PricedDeployment> front_of(const std::vector<PricedDeployment>& all) {
  std::vector<Qualities> qualities;
  for (const PricedDeployment& d : all)
    qualities.push_back(
        {d.objective, d.point.ttft.value(), d.point.interactivity.value(), static_cast<double>(d.context_tokens)});
  std::vector<PricedDeployment> front;
  for (const std::size_t i : pareto_front(qualities)) front.push_back(all[i]);
  return front;
}

/// Adds the front of each chip at one context limit.
void add_fronts(Frontier& frontier, const Query& query, const LengthLaw& lengths, const SolveOptions& options, int loads) {
  Solver solver(query, lengths, options.jobs);
  const auto& candidates = solver.candidates();
  frontier.deployments += candidates.size();
  std::vector<std::vector<Tried>> tried(candidates.size());
  parallel_for(options.jobs, candidates.size(),
               [&](std::size_t c) { tried[c] = points_of(solver, query, candidates[c], loads); });
  for (std::size_t h = 0; h < query.hardware.size(); ++h) {
    std::vector<Tried> all;
    for (std::size_t c = 0; c < candidates.size(); ++c)
      if (candidates[c].hardware() == h) all.insert(all.end(), tried[c].begin(), tried[c].end());
    frontier.evaluated += all.size();
    std::vector<Qualities> qualities;
    for (const Tried& point : all) qualities.push_back(point.qualities);
    for (const std::size_t i : pareto_front(qualities))
      frontier.per_hardware.push_back(solver.pricer().priced(*all[i].candidate, all[i].fleet));
  }
  if (candidates.empty() || frontier.per_hardware.empty()) frontier.infeasible_reason = solver.why_none();
}

}  // namespace

Frontier frontier(const Query& query, const SolveOptions& options, int loads) {
  Frontier result;
  result.query = query;
  const LoadedWorkload workload(query.workload);
  const auto lengths = workload.length_law();
  std::vector<std::int64_t> contexts = query.frontier_contexts;
  if (contexts.empty()) contexts = {query.context_tokens};
  for (const std::int64_t context : contexts) {
    Query at = query;
    at.context_tokens = context;
    try {
      add_fronts(result, at, *lengths, options, loads);
    } catch (const Infeasible& error) {
      result.infeasible_reason = error.what();
    }
  }
  if (!result.per_hardware.empty()) result.infeasible_reason.clear();
  // A chip's points at several contexts: what one context dominates at another goes.
  std::vector<PricedDeployment> kept;
  for (const HardwareChoice& hardware : query.hardware) {
    std::vector<PricedDeployment> own;
    for (const PricedDeployment& d : result.per_hardware)
      if (d.hardware == hardware.gpu.name) own.push_back(d);
    for (PricedDeployment& d : front_of(own)) kept.push_back(std::move(d));
  }
  result.per_hardware = std::move(kept);
  result.points = front_of(result.per_hardware);
  return result;
}

}  // namespace tokenomics
