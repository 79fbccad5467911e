#include "inverse.hpp"
#include "provider_questions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"

namespace tokenomics {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();
constexpr std::int64_t kContextStep = 4096;

/// A fleet of a candidate and how good it is: less is better.
struct Choice {
  double score = kNone;
  Fleet fleet;
  bool holds = true;  ///< the bounds
};

template <class Judge>
void choose(Solution& solution, Solver& solver, unsigned jobs, const Judge& judge) {
  const auto& candidates = solver.candidates();
  std::vector<Choice> choices(candidates.size());
  parallel_for(jobs, candidates.size(), [&](std::size_t c) { choices[c] = judge(candidates[c]); });
  solution.evaluated = candidates.size();
  const auto better = [](const Choice& a, const Choice& b) {
    return a.holds != b.holds ? a.holds && std::isfinite(a.score) : a.score < b.score;
  };
  const auto best = std::min_element(choices.begin(), choices.end(), better);
  if (best == choices.end() || !std::isfinite(best->score)) return;
  const Candidate& candidate = candidates[static_cast<std::size_t>(best - choices.begin())];
  solution.best = solver.pricer().priced(candidate, best->fleet);
  solution.simulated = simulate_fleet(solution.query, candidate, best->fleet, solver.evaluator().bounds(), solver.pricer());
  solution.simulations = 1;
  solution.scenario = scenario_of(solution.query, candidate, best->fleet);
  solution.best->binding = Constraint::None;
}

double per_token_price(const Query& query) {
  return query.objective == Objective::PerAnswer ? *query.price : *query.price * 1e-6;
}

/// Lowest load of the grid at which the fleet costs no more than the price; the price falls as the load rises.
template <class FleetAt>
int lowest_paid(const Solver& solver, const Candidate& candidate, double price, int most, const FleetAt& fleet_at) {
  const auto costs_more = [&](int k) {
    const Fleet fleet = fleet_at(k);
    return fleet.rate_per_s <= 0 || solver.pricer().objective(solver.pricer().point(candidate, fleet, false)) > price;
  };
  if (most < 0 || costs_more(most)) return -1;
  return highest_load([&](int k) { return k < most && costs_more(k); }) + 1;
}

/// The earliest first token: the lightest load of prompts that the price pays for, decoding as densely as allowed.
Choice soonest(Solver& solver, const Candidate& candidate, double price) {
  const Solver::Loads most = solver.fast(candidate);
  if (!most.any()) return {};
  const auto fleet_at = [&](int k) {
    return solver.fleet_at(candidate, candidate.is_mixed() ? Solver::Loads{0, k} : Solver::Loads{k, most.decode});
  };
  const int k = lowest_paid(solver, candidate, price, candidate.is_mixed() ? most.decode : most.prefill, fleet_at);
  if (k < 0) return {};
  const Fleet fleet = fleet_at(k);
  if (!solver.pricer().within_cap(candidate, fleet)) return {};
  return {solver.pricer().point(candidate, fleet, true).ttft.value(), fleet};
}

/// The highest speed: the lightest decode load that the price pays for, prompts as densely as the TTFT allows.
Choice fastest(Solver& solver, const Candidate& candidate, double price) {
  const Solver::Loads most = solver.good(candidate);
  if (!most.any()) return {};
  const auto fleet_at = [&](int k) { return solver.fleet_at(candidate, {most.prefill, k}); };
  const int k = lowest_paid(solver, candidate, price, most.decode, fleet_at);
  if (k < 0) return {};
  const Fleet fleet = fleet_at(k);
  if (!solver.pricer().within_cap(candidate, fleet)) return {};
  return {-solver.pricer().point(candidate, fleet, true).interactivity.value(), fleet};
}

double answer_seconds(const OperatingPoint& point) {
  return point.ttft_mean.value() + (point.per_request.output - 1) / point.interactivity_mean.value();
}

/// Fleets of a candidate that fill the cap: all instances for mixed pools; for pairs every split of the GPUs.
std::vector<Fleet> full_fleets(const Pricer& pricer, const Candidate& candidate, double cap, double rate) {
  std::vector<Fleet> fleets;
  const double decode_gpus = candidate.decode->gpus();
  if (candidate.is_mixed()) {
    const int count = static_cast<int>(std::floor(cap / decode_gpus));
    if (count > 0) fleets.push_back({0, count, rate});
    return fleets;
  }
  const double prefill_gpus = candidate.prefill->gpus();
  const int most = static_cast<int>(std::floor((cap - decode_gpus) / prefill_gpus));
  const int stride = std::max(1, most / 16);  // finer splits change little
  for (int p = 1; p <= most; p += stride) {
    const int d = static_cast<int>(std::floor((cap - p * prefill_gpus) / decode_gpus));
    const Fleet fleet{p, d, rate};
    if (d > 0 && pricer.within_cap(candidate, fleet)) fleets.push_back(fleet);
  }
  return fleets;
}

/// Whether the fleet keeps up at all, and its service if it does.
std::optional<OperatingPoint> service_of(Solver& solver, const Candidate& candidate, const Fleet& fleet) {
  const UnitEvaluator& evaluator = solver.evaluator();
  const double decode_rate = fleet.rate_per_s / fleet.decode;
  if (evaluator.decode(*candidate.decode, decode_rate).refused != LoadLimit::None) return std::nullopt;
  if (candidate.is_mixed() && evaluator.whole(*candidate.decode, decode_rate).refused != LoadLimit::None)
    return std::nullopt;
  if (!candidate.is_mixed() &&
      evaluator.prefill(*candidate.prefill, fleet.rate_per_s / fleet.prefill).refused != LoadLimit::None)
    return std::nullopt;
  return solver.pricer().point(candidate, fleet, true);
}

/// The quickest mean answer that the whole fleet gives the demand, within the bounds where any fleet is.
Choice best_service(Solver& solver, const Candidate& candidate, double cap, double demand) {
  Choice best;
  best.holds = false;
  const Bounds& bounds = solver.evaluator().bounds();
  for (const Fleet& fleet : full_fleets(solver.pricer(), candidate, cap, demand)) {
    const auto point = service_of(solver, candidate, fleet);
    if (!point) continue;
    const bool holds = solver.evaluator().is_soon_enough(point->ttft.value()) &&
                       (!bounds.has_speed || point->interactivity.value() >= bounds.speed_min);
    const double seconds = answer_seconds(*point);
    if (std::pair(!holds, seconds) < std::pair(!best.holds, best.score)) best = {seconds, fleet, holds};
  }
  return best;
}

/// The most that a full fleet takes within the bounds.
Choice largest_demand(Solver& solver, const Candidate& candidate, double cap) {
  const Solver::Loads most = solver.good(candidate);
  if (!most.any()) return {};
  Choice best;
  for (Fleet fleet : full_fleets(solver.pricer(), candidate, cap, 0)) {
    fleet.rate_per_s = fleet.decode * load_at(most.decode);
    if (!candidate.is_mixed()) fleet.rate_per_s = std::min(fleet.rate_per_s, fleet.prefill * load_at(most.prefill));
    if (-fleet.rate_per_s < best.score) best = {-fleet.rate_per_s, fleet};
  }
  return best;
}

/// Bisection over whole steps of context: a longer one never costs less.
void longest_context(Solution& solution, const LengthLaw& lengths, const SolveOptions& options) {
  const double price = per_token_price(solution.query);
  const auto paid_at = [&](std::int64_t context) -> std::optional<PricedDeployment> {
    Query query = solution.query;
    query.context_tokens = context;
    try {
      Solver solver(query, lengths, options.jobs);
      if (solver.evaluator().workload().rejected_share > query.max_reject) return std::nullopt;
      const Solver::Found found = solver.cheapest({}, false);
      solution.evaluated += found.evaluated;
      if (!found.candidate) return std::nullopt;
      PricedDeployment best = solver.pricer().priced(solver.candidates()[*found.candidate], found.fleet);
      return best.objective <= price ? std::optional(best) : std::nullopt;
    } catch (const Infeasible&) {
      return std::nullopt;
    }
  };
  std::int64_t high = solution.query.network.max_context_tokens / kContextStep;
  if (auto best = paid_at(high * kContextStep)) {
    solution.best = best;
  } else {
    std::int64_t low = 0;
    while (high - low > 1) {
      const std::int64_t middle = (low + high) / 2;
      auto better = paid_at(middle * kContextStep);
      if (better) solution.best = better;
      (better ? low : high) = middle;
    }
  }
  if (solution.best) solution.answer = static_cast<double>(solution.best->context_tokens);
}

void break_even(Solution& solution, Solver& solver) {
  for (std::size_t h = 0; h < solution.query.hardware.size(); ++h) {
    const HardwareChoice& hardware = solution.query.hardware[h];
    BreakEven row{hardware.gpu.name, 0, std::nullopt, in_usd_per_hour(hardware.price), ""};
    const std::vector<std::size_t> among = solver.of_hardware(h);
    const Solver::Found found = among.empty() ? Solver::Found{} : solver.cheapest(among, false);
    solution.evaluated += found.evaluated;
    if (found.candidate) {
      const PricedDeployment best = solver.pricer().priced(solver.candidates()[*found.candidate], found.fleet);
      row.own_objective = best.objective;
      if (h == 0) solution.best = best;
      // The objective is proportional to the price of a GPU-hour.
      if (solution.best) row.usd_per_gpu_hour = row.listed_usd_per_gpu_hour * solution.best->objective / row.own_objective;
    } else {
      row.infeasible_reason = "no deployment of this chip holds the service";
    }
    solution.break_even.push_back(row);
  }
}

std::string why_unanswered(const Query& query, Solver& solver) {
  if (query.solve_for == SolveFor::Strategy) return "fleet: no deployment within the cap serves the demand at the SLO";
  if (query.solve_for == SolveFor::Service)
    return fmt::format("fleet: {:g} GPUs cannot keep up with {:g} requests/s", *query.fleet_cap_gpus,
                       *query.demand_requests_per_s);
  if (query.price)
    return fmt::format("price: {:g} does not pay for any deployment that holds the other bounds", *query.price);
  return solver.why_none();
}

}  // namespace

void solve_inverse(Solution& solution, Solver& solver, const LengthLaw& lengths, const SolveOptions& options) {
  const Query& query = solution.query;
  std::string what_missed;
  switch (query.solve_for) {
    case SolveFor::Price: break;
    case SolveFor::Ttft:
      choose(solution, solver, options.jobs, [&](const Candidate& c) { return soonest(solver, c, per_token_price(query)); });
      if (solution.best) solution.answer = solution.best->point.ttft.value();
      break;
    case SolveFor::Interactivity:
      choose(solution, solver, options.jobs, [&](const Candidate& c) { return fastest(solver, c, per_token_price(query)); });
      if (solution.best) solution.answer = solution.best->point.interactivity.value();
      break;
    case SolveFor::Context: longest_context(solution, lengths, options); break;
    case SolveFor::Service:
      choose(solution, solver, options.jobs, [&](const Candidate& c) {
        return best_service(solver, c, *query.fleet_cap_gpus, *query.demand_requests_per_s);
      });
      if (solution.best) solution.answer = answer_seconds(solution.best->point);
      break;
    case SolveFor::Demand:
      choose(solution, solver, options.jobs,
             [&](const Candidate& c) { return largest_demand(solver, c, *query.fleet_cap_gpus); });
      if (solution.best) solution.answer = solution.best->point.requests_per_s;
      break;
    case SolveFor::GpuPrice: break_even(solution, solver); break;
    case SolveFor::Strategy: answer_strategy(solution, solver, options.jobs); break;
    case SolveFor::Scarcity: answer_scarcity(solution, solver, options.jobs); break;
  }
  if (solution.best || solution.strategy) return;
  solution.infeasible_reason = why_unanswered(query, solver);
}

}  // namespace tokenomics
