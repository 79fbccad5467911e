#include "tokenomics/study/solve.hpp"

#include <cmath>

#include <fmt/format.h>

#include "inverse.hpp"
#include "solver.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

constexpr double kShadowSecond = 1;
constexpr double kShadowSpeed = 1;
constexpr std::int64_t kShadowContext = 10'000;
constexpr double kShadowGpuPrice = 0.9;

/// The objective of another query that differs a little; nothing when that one has no answer.
std::optional<double> objective_of_query(const Query& query, const LengthLaw& lengths, unsigned jobs) {
  try {
    Solver solver(query, lengths, jobs);
    const Solver::Found found = solver.cheapest({}, false);
    if (!found.candidate) return std::nullopt;
    const Candidate& candidate = solver.candidates()[*found.candidate];
    return solver.pricer().objective(solver.pricer().point(candidate, found.fleet, false));
  } catch (const Infeasible&) {
    return std::nullopt;
  }
}

std::optional<double> change(const std::optional<double>& other, const std::optional<double>& base) {
  if (!other || !base) return std::nullopt;
  return *other - *base;
}

/// Both sides by the evaluator, so that the sampling error of a simulation is in neither.
ShadowPrices shadow_prices(const Query& query, const LengthLaw& lengths, unsigned jobs) {
  const std::optional<double> base = objective_of_query(query, lengths, jobs);
  ShadowPrices shadow;
  Query looser = query;
  if (query.slo.ttft_s) {
    looser.slo.ttft_s->value += kShadowSecond;
    shadow.ttft_one_second_more = change(objective_of_query(looser, lengths, jobs), base);
  }
  looser = query;
  if (query.slo.interactivity_tok_s_user && query.slo.interactivity_tok_s_user->value > kShadowSpeed) {
    looser.slo.interactivity_tok_s_user->value -= kShadowSpeed;
    shadow.one_tok_s_less = change(objective_of_query(looser, lengths, jobs), base);
  }
  looser = query;
  if (query.context_tokens > kShadowContext) {
    looser.context_tokens -= kShadowContext;
    shadow.context_10k_less = change(objective_of_query(looser, lengths, jobs), base);
  }
  looser = query;
  for (HardwareChoice& hardware : looser.hardware) hardware.price *= kShadowGpuPrice;
  shadow.gpus_10_percent_cheaper = change(objective_of_query(looser, lengths, jobs), base);
  return shadow;
}

void add_notes(Solution& solution, const Solver& solver) {
  const WorkloadSample& workload = solver.evaluator().workload();
  solution.notes.push_back(
      "prices divide the cost of provisioned GPUs; input cached elsewhere than in HBM bears no storage cost");
  if (workload.truncated_share > 0)
    solution.notes.push_back(fmt::format("{:.2f}% of answers end at the context limit", 100 * workload.truncated_share));
  for (const HardwareChoice& hardware : solution.query.hardware)
    if (hardware.calibration.is_family_default)
      solution.notes.push_back(
          fmt::format("{}: efficiencies are the default of its family ({})", hardware.gpu.name, hardware.calibration.name));
}

/// The cheapest of each chip that the best deployment is not built of.
void add_runners_up(Solution& solution, Solver& solver) {
  for (std::size_t h = 0; h < solution.query.hardware.size() && solution.query.hardware.size() > 1; ++h) {
    if (solution.query.hardware[h].gpu.name == solution.best->hardware) continue;
    const std::vector<std::size_t> among = solver.of_hardware(h);
    if (among.empty()) continue;
    const Solver::Found found = solver.cheapest(among, false);
    if (!found.candidate) continue;
    solution.runners_up.push_back(solver.pricer().priced(solver.candidates()[*found.candidate], found.fleet));
  }
}

void solve_price(Solution& solution, Solver& solver, const LengthLaw& lengths, const SolveOptions& options) {
  const Solver::Found found = solver.cheapest({}, options.confirm);
  solution.evaluated = found.evaluated;
  solution.simulations = found.simulations;
  if (!found.candidate) {
    solution.infeasible_reason = solver.why_none();
    return;
  }
  const Candidate& candidate = solver.candidates()[*found.candidate];
  solution.best = solver.pricer().priced(candidate, found.fleet);
  solution.simulated = found.simulated;
  solution.scenario = scenario_of(solution.query, candidate, found.fleet);
  std::tie(solution.best->binding, solution.best->binding_detail) = solver.binding(candidate, found.fleet);
  if (options.shadow) {
    solution.shadow = shadow_prices(solution.query, lengths, options.jobs);
    add_runners_up(solution, solver);
  }
}

}  // namespace

Solution solve(const Query& query, const SolveOptions& options) {
  Solution solution;
  solution.query = query;
  const LoadedWorkload workload(query.workload);
  const auto lengths = workload.length_law();
  try {
    Solver solver(solution.query, *lengths, options.jobs);
    solution.deployments = solver.candidates().size();
    const double rejected = solver.evaluator().workload().rejected_share;
    if (rejected > query.max_reject) {
      solution.infeasible_reason = fmt::format(
          "context: {:.2f}% of requests have a prompt that leaves no room for an answer in {} tokens; {:.2f}% may "
          "be rejected",
          100 * rejected, query.context_tokens, 100 * query.max_reject);
    } else if (query.solve_for == SolveFor::Price) {
      solve_price(solution, solver, *lengths, options);
    } else {
      solve_inverse(solution, solver, *lengths, options);
    }
    add_notes(solution, solver);
  } catch (const Infeasible& error) {
    solution.infeasible_reason = error.what();
  }
  return solution;
}

}  // namespace tokenomics
