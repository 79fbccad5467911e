#include "solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "tokenomics/base/parallel.hpp"
#include "tokenomics/market/best_first.hpp"

namespace tokenomics {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();
constexpr int kMostSteps = 80;  ///< by which a simulated load is lowered: to a fifth

}  // namespace

Solver::Solver(const Query& query, const LengthLaw& lengths, unsigned jobs)
    : query_(query),
      jobs_(jobs),
      options_(pool_options(query, query.context_tokens, jobs)),
      workload_(sample_workload(lengths, query.context_tokens, query.seed)) {
  evaluator_ = std::make_unique<UnitEvaluator>(workload_, bounds_of(query.slo));
  pricer_ = std::make_unique<Pricer>(query, *evaluator_);
  for (const PoolOption& option : options_.mixed) candidates_.push_back({nullptr, &option});
  for (const PoolOption& prefill : options_.prefill)
    for (const PoolOption& decode : options_.decode)
      if (prefill.hardware == decode.hardware) candidates_.push_back({&prefill, &decode});
  for (const PoolOption& prefill : options_.prefill)
    tables_.emplace(&prefill, std::make_unique<PrefillTable>(*evaluator_, prefill));
  good_.resize(candidates_.size());
  confirmed_.resize(candidates_.size());
  simulations_.assign(candidates_.size(), 0);

  std::vector<const PoolOption*> all;
  for (const auto* list : {&options_.mixed, &options_.decode, &options_.prefill})
    for (const PoolOption& option : *list) all.push_back(&option);
  std::vector<int> limits(all.size());
  parallel_for(jobs, all.size(), [&](std::size_t i) {
    const bool prefills = all[i]->config.role == PoolRole::Prefill;
    limits[i] = prefills ? highest_load([&](int k) { return table(all[i]).at(k).refused == LoadLimit::None; })
                         : evaluator_->highest_fast(*all[i]);
  });
  for (std::size_t i = 0; i < all.size(); ++i)
    (all[i]->config.role == PoolRole::Prefill ? prefill_limit_ : fast_decode_)[all[i]] = limits[i];
}

std::vector<std::size_t> Solver::of_hardware(std::size_t hardware) const {
  std::vector<std::size_t> found;
  for (std::size_t c = 0; c < candidates_.size(); ++c)
    if (candidates_[c].hardware() == hardware) found.push_back(c);
  return found;
}

Solver::Loads Solver::fast(const Candidate& candidate) {
  return {candidate.is_mixed() ? 0 : prefill_limit_.at(candidate.prefill), fast_decode_.at(candidate.decode)};
}

Solver::Loads Solver::good(const Candidate& candidate) {
  const Loads most = fast(candidate);
  if (!most.any()) return most;
  if (candidate.is_mixed()) return {0, evaluator_->highest_good(*candidate.decode)};
  const double after_s = pricer_->hand_over_s(candidate, evaluator_->decode(*candidate.decode, load_at(most.decode)));
  const int prefill = highest_load([&](int k) {
    const UnitPoint& point = table(candidate.prefill).at(k);
    return point.refused == LoadLimit::None && evaluator_->is_soon_enough(point.ttft_s + after_s);
  });
  return {prefill, most.decode};
}

Fleet Solver::fleet_at(const Candidate& candidate, const Loads& loads) const {
  return pricer_->fleet(candidate, load_at(loads.prefill), load_at(loads.decode));
}

double Solver::price(std::size_t c, int level) {
  const Candidate& candidate = candidates_[c];
  if (level == 0) {
    const Loads most = fast(candidate);
    return most.any() ? pricer_->bound(candidate, load_at(most.prefill), load_at(most.decode)) : kNone;
  }
  if (level == 2) return confirmed_price(c);
  good_[c] = good(candidate);
  if (!good_[c].any()) return kNone;
  const Fleet fleet = fleet_at(candidate, good_[c]);
  if (fleet.rate_per_s <= 0 || !pricer_->within_cap(candidate, fleet)) return kNone;
  return pricer_->objective(pricer_->point(candidate, fleet, false));
}

/// The load is lowered, grid point by grid point, until the simulation holds the bounds too.
double Solver::confirmed_price(std::size_t c) {
  const Candidate& candidate = candidates_[c];
  Loads loads = good_[c];
  Fleet tried;
  for (int step = 0; step < kMostSteps && loads.any(); ++step, --loads.prefill, --loads.decode) {
    if (candidate.is_mixed()) loads.prefill = 1;
    const Fleet fleet = fleet_at(candidate, loads);
    if (!pricer_->within_cap(candidate, fleet)) return kNone;
    const bool is_same =
        step > 0 && fleet.decode == tried.decode && fleet.prefill == tried.prefill && fleet.rate_per_s == tried.rate_per_s;
    if (is_same) continue;
    tried = fleet;
    const SimulatedPoint seen = simulate_fleet(query_, candidate, fleet, evaluator_->bounds(), *pricer_);
    ++simulations_[c];
    if (!seen.holds) continue;
    confirmed_[c] = {fleet, seen};
    return pricer_->objective(pricer_->point(candidate, fleet, false));
  }
  return kNone;
}

Solver::Found Solver::cheapest(const std::vector<std::size_t>& among, bool confirm) {
  std::vector<std::size_t> list = among;
  if (list.empty())
    for (std::size_t c = 0; c < candidates_.size(); ++c) list.push_back(c);
  const BestFirst search{list.size(), confirm ? 3 : 2, [&](std::size_t i, int level) { return price(list[i], level); }};
  const BestFirstResult result = tokenomics::cheapest(search, jobs_);
  Found found;
  found.evaluated = result.calls[1];
  for (const std::size_t c : list) found.simulations += simulations_[c];
  if (!result.best) return found;
  found.candidate = list[*result.best];
  found.fleet = fleet_at(candidates_[*found.candidate], good_[*found.candidate]);
  if (confirm) {
    found.fleet = confirmed_[*found.candidate]->first;
    found.simulated = confirmed_[*found.candidate]->second;
  }
  return found;
}

std::pair<Constraint, std::string> Solver::binding(const Candidate& candidate, const Fleet& fleet) {
  const double decode_rate = fleet.rate_per_s / fleet.decode;
  const auto limit_name = [](LoadLimit limit) {
    return limit == LoadLimit::KvMemory ? Constraint::HbmCapacity
           : limit == LoadLimit::Places ? Constraint::Places
                                        : Constraint::Compute;
  };
  const Loads most = good(candidate);
  const double taken = std::max(decode_rate / load_at(most.decode),
                                candidate.is_mixed() ? 0 : fleet.rate_per_s / fleet.prefill / load_at(most.prefill));
  if (query_.demand_requests_per_s && taken < 0.9)
    return {Constraint::Load, fmt::format("whole instances: the demand is {:.0f}% of what these would take", 100 * taken)};
  const double more = load_at(most.decode + 1);
  const UnitPoint next = evaluator_->decode(*candidate.decode, more);
  const Bounds& bounds = evaluator_->bounds();
  // Of a disaggregated pair, the pool that is fuller sets the pace.
  const bool decode_is_full =
      candidate.is_mixed() || decode_rate / load_at(most.decode) >= fleet.rate_per_s / fleet.prefill / load_at(most.prefill);
  if (decode_is_full && next.refused != LoadLimit::None)
    return {limit_name(next.refused),
            fmt::format("{:.0f} sequences hold {:.0f}% of the KV memory; twice the usual fluctuation would not fit",
                        next.decode.sequences, 100 * next.decode.kv_share)};
  if (decode_is_full && !evaluator_->is_fast_enough(next))
    return {Constraint::Interactivity,
            fmt::format("{:.1f} tok/s/user at the next load, {:.1f} asked for", next.speed, bounds.speed_min)};
  if (bounds.has_ttft) {
    const double seen = pricer_->point(candidate, fleet, true).ttft.value();
    return {Constraint::Ttft, fmt::format("{:.2f} s of {:.2f} s", seen, bounds.ttft_max_s)};
  }
  return {Constraint::Compute, "prompts come as fast as they can be computed"};
}

std::string Solver::why_none() {
  const Bounds& bounds = evaluator_->bounds();
  if (candidates_.empty()) {
    if (options_.context_too_short > 0)
      return fmt::format("hbm_capacity: no rank of {} plans can hold one sequence of {} tokens", options_.context_too_short,
                         query_.context_tokens);
    return options_.fit_reason.empty() ? "no deployment of the search space fits this network"
                                       : fmt::format("hbm_capacity: {}", options_.fit_reason);
  }
  double speed = 0, ttft_s = kNone, gpus = kNone;
  for (const Candidate& candidate : candidates_) {
    const UnitPoint decode = evaluator_->decode(*candidate.decode, load_at(0));
    if (decode.refused == LoadLimit::None) speed = std::max(speed, decode.speed);
    const double first_s = candidate.is_mixed()
                               ? evaluator_->whole(*candidate.decode, load_at(0)).ttft_s
                               : table(candidate.prefill).at(0).ttft_s + pricer_->hand_over_s(candidate, decode);
    if (evaluator_->is_fast_enough(decode)) ttft_s = std::min(ttft_s, first_s);
    const Loads loads = good(candidate);
    if (loads.any()) {
      const Fleet fleet = pricer_->fleet(candidate, load_at(loads.prefill), load_at(loads.decode));
      gpus = std::min(gpus, fleet.rate_per_s > 0 ? pricer_->gpus(candidate, fleet)
                                                 : pricer_->gpus(candidate, {candidate.is_mixed() ? 0 : 1, 1, 0}));
    }
  }
  if (bounds.has_speed && speed < bounds.speed_min)
    return fmt::format(
        "interactivity: {:.1f} tok/s/user are asked for; the fastest of {} deployments gives {:.1f} when nearly idle",
        bounds.speed_min, candidates_.size(), speed);
  if (bounds.has_ttft && ttft_s > bounds.ttft_max_s)
    return fmt::format("ttft: {:.3g} s are asked for; the soonest of {} deployments gives {:.3g} s when nearly idle",
                       bounds.ttft_max_s, candidates_.size(), ttft_s);
  if (query_.fleet_cap_gpus && gpus > *query_.fleet_cap_gpus)
    return fmt::format("fleet: the cap is {:g} GPUs; the smallest fleet that holds the service has {:g}",
                       *query_.fleet_cap_gpus, gpus);
  return "no deployment holds all bounds together at any load that the simulation confirms";
}

}  // namespace tokenomics
