#include "provider_questions.hpp"

#include <algorithm>
#include <cmath>

#include "tokenomics/base/parallel.hpp"

namespace tokenomics {
namespace {

constexpr int kLoadsTried = 24;
constexpr int kSpan = 180;              ///< grid points below the highest load: down to 1/35 of it
constexpr double kWholeDemand = 0.999;  ///< max_research serves this share of the demand at the SLO, or more

struct Tried {
  const Candidate* candidate;
  OperatingChoice choice;
  double batch = 0;
};

double answer_seconds(const OperatingPoint& point) {
  return point.ttft_mean.value() + (point.per_request.output - 1) / point.interactivity_mean.value();
}

/// Seconds of a mean answer at exactly the SLO.
double reference_seconds(const Query& query, const WorkloadSample& workload) {
  return query.slo.ttft_s->value + (workload.mean.mean_output - 1) / query.slo.interactivity_tok_s_user->value;
}

/// A request's price at the query's price of a token.
double usd_per_request(const Query& query, const WorkloadSample& workload) {
  if (query.objective == Objective::PerAnswer) return *query.price;
  return *query.price * 1e-6 * (workload.mean.mean_input + workload.mean.mean_output);
}

/// As many instances as the demand of this service asks for, each at most at these loads.
std::optional<Tried> try_loads(Solver& solver, const Query& query, const Candidate& candidate, const Solver::Loads& loads) {
  const Pricer& pricer = solver.pricer();
  const WorkloadSample& workload = solver.evaluator().workload();
  Query at_load = query;
  at_load.demand_requests_per_s.reset();
  const Fleet unit = Pricer(at_load, solver.evaluator()).fleet(candidate, load_at(loads.prefill), load_at(loads.decode));
  if (unit.rate_per_s <= 0) return std::nullopt;
  const OperatingPoint point = pricer.point(candidate, unit, true);
  const double demand = *query.demand_requests_per_s *
                        std::pow(reference_seconds(query, workload) / answer_seconds(point), query.demand_response);
  const double units = std::ceil(demand / unit.rate_per_s - 1e-9);
  OperatingChoice choice;
  choice.name = pricer.priced_name(candidate);
  choice.gpus = units * pricer.gpus(candidate, unit);
  choice.ttft = point.ttft_mean;
  choice.interactivity = point.interactivity_mean;
  choice.served = PerSecond{demand};
  choice.revenue = UsdPerSecond{demand * usd_per_request(query, workload)};
  choice.cost = query.hardware[candidate.hardware()].price * choice.gpus;
  return Tried{&candidate, choice, point.batch_per_instance};
}

std::vector<Tried> all_choices(Solver& solver, const Query& query, unsigned jobs) {
  const auto& candidates = solver.candidates();
  std::vector<std::vector<Tried>> tried(candidates.size());
  parallel_for(jobs, candidates.size(), [&](std::size_t c) {
    const Solver::Loads most = solver.good(candidates[c]);
    for (int i = 0; most.any() && i < kLoadsTried; ++i) {
      const int down = kSpan * i / (kLoadsTried - 1);
      const Solver::Loads at{std::max(0, most.prefill - down), std::max(0, most.decode - down)};
      if (auto one = try_loads(solver, query, candidates[c], at)) tried[c].push_back(*one);
    }
  });
  std::vector<Tried> all;
  for (const auto& of_candidate : tried) all.insert(all.end(), of_candidate.begin(), of_candidate.end());
  return all;
}

}  // namespace

void answer_strategy(Solution& solution, Solver& solver, unsigned jobs) {
  const Query& query = solution.query;
  const std::vector<Tried> all = all_choices(solver, query, jobs);
  solution.evaluated = all.size();
  std::vector<OperatingChoice> choices;
  for (const Tried& tried : all) choices.push_back(tried.choice);
  const StrategyLimits limits{*query.fleet_cap_gpus, PerSecond{*query.demand_requests_per_s}, kWholeDemand};
  StrategyAnswer answer;
  for (const ProviderObjective objective :
       {ProviderObjective::MaxMargin, ProviderObjective::MaxShare, ProviderObjective::MaxResearch}) {
    const auto best = pick(choices, objective, limits);
    if (best) answer.choices.push_back({objective, choices[*best].name, choices[*best], all[*best].batch});
  }
  if (answer.choices.size() < 3) return;
  const OperatingChoice &margin = answer.choices[0].operating, &research = answer.choices[2].operating;
  answer.to_research = change(margin, research, *query.fleet_cap_gpus);
  answer.worth = research_break_even(margin, research);
  solution.strategy = answer;
}

void answer_scarcity(Solution& solution, Solver& solver, unsigned jobs) {
  const Query& query = solution.query;
  const auto& candidates = solver.candidates();
  std::vector<double> taken(candidates.size(), 0.0);
  const auto instances = [&](const Candidate& c) {
    return static_cast<int>(std::floor(*query.fleet_cap_gpus / c.decode->gpus()));
  };
  parallel_for(jobs, candidates.size(), [&](std::size_t c) {
    const Solver::Loads most = candidates[c].is_mixed() ? solver.good(candidates[c]) : Solver::Loads{};
    if (most.any()) taken[c] = instances(candidates[c]) * load_at(most.decode);
  });
  solution.evaluated = candidates.size();
  const auto best = std::max_element(taken.begin(), taken.end());
  if (best == taken.end() || *best <= 0) return;
  const Candidate& candidate = candidates[static_cast<std::size_t>(best - taken.begin())];
  const int count = instances(candidate);
  const Fleet before{0, count, *best};
  // The load at which the speed has fallen; TTFT is what it then is.
  const int k = highest_load([&](int load) {
    const UnitPoint point = solver.evaluator().whole(*candidate.decode, load_at(load));
    return point.refused == LoadLimit::None && point.speed >= *query.slow_to_tok_s;
  });
  const Fleet after{0, count, count * load_at(k)};
  ScarcityAnswer answer{solver.pricer().point(candidate, before, true), solver.pricer().point(candidate, after, true), 0};
  answer.gpus_at_old_speed = std::ceil(after.rate_per_s / (*best / count) - 1e-9) * candidate.decode->gpus();
  solution.scarcity = answer;
  solution.best = solver.pricer().priced(candidate, before);
  solution.scenario = scenario_of(query, candidate, before);
}

}  // namespace tokenomics
