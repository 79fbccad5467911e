#include "tokenomics/study/infer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "host_search.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {
namespace {

void widen(Span& span, double value, bool is_first) {
  span.min = is_first ? value : std::min(span.min, value);
  span.max = is_first ? value : std::max(span.max, value);
}

/// Over the trials on `hardware`, or all when it is empty.
InferredRange range_of(const std::vector<Trial>& trials, const HostSearch& search, const Query& query,
                       const std::string& hardware) {
  InferredRange range;
  range.hardware = hardware;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!hardware.empty() && query.hardware[search.candidates()[i].hardware()].gpu.name != hardware) continue;
    ++range.tried;
    if (trials[i].fit != Fit::Consistent) continue;
    const InferredDeployment& deployment = trials[i].deployment;
    const bool is_first = range.consistent++ == 0;
    widen(range.batch_per_gpu, deployment.batch_per_gpu, is_first);
    widen(range.utilization, deployment.utilization, is_first);
    widen(range.margin_over_revenue, deployment.margin_over_revenue, is_first);
  }
  return range;
}

bool is_cheaper(const InferredDeployment& a, const InferredDeployment& b) { return a.cost_own_mix < b.cost_own_mix; }
bool is_sooner(const InferredDeployment& a, const InferredDeployment& b) {
  return a.at_load.point.ttft < b.at_load.point.ttft;
}

/// The first by `is_less` among the trials that fit so.
template <class Less>
std::optional<InferredDeployment> first_of(const std::vector<Trial>& trials, Fit fit, const Less& is_less) {
  const Trial* first = nullptr;
  for (const Trial& trial : trials)
    if (trial.fit == fit && (first == nullptr || is_less(trial.deployment, first->deployment))) first = &trial;
  return first == nullptr ? std::nullopt : std::optional(first->deployment);
}

void explain_consistent(HostInference& host) {
  const Span& margin = host.all.margin_over_revenue;
  if (margin.max < 0) {
    host.verdict = InferenceVerdict::BelowCost;
    host.explanation = fmt::format(
        "sells below the cost of rented GPUs on this mix: the cheapest of {} consistent deployments costs {:.3g} USD/Mtok "
        "and earns {:.3g}",
        host.consistent.size(), 1e6 * host.consistent.front().cost_own_mix, 1e6 * host.consistent.front().price_own_mix);
    return;
  }
  host.verdict = InferenceVerdict::Explained;
  const bool every = margin.min >= 0;
  host.explanation = fmt::format(
      "{} of {} deployments give this speed and first token; the cheapest keeps {:.0f}% of revenue{}", host.all.consistent,
      host.all.tried, 100 * margin.max, every ? "" : ", the dearest do not earn their GPUs");
}

void explain_too_fast(HostInference& host, const std::vector<Trial>& trials, double speed) {
  double fastest = 0;
  for (const Trial& trial : trials) fastest = std::max(fastest, trial.idle_speed);
  host.verdict = InferenceVerdict::TooFast;
  host.explanation = fmt::format(
      "no deployment explains it: {:.3g} tok/s are observed, the fastest of {} gives {:.3g} when nearly idle "
      "(other chips, speculation or a smaller network)",
      speed, trials.size(), fastest);
}

void explain_slower(HostInference& host, const std::vector<Trial>& trials, double speed) {
  double slowest = -1;
  for (const Trial& trial : trials)
    if (trial.fit == Fit::TooFast && (slowest < 0 || trial.full_speed < slowest)) slowest = trial.full_speed;
  host.verdict = InferenceVerdict::SlowerThanFull;
  host.nearest = first_of(trials, Fit::TooFast, is_cheaper);
  host.explanation = fmt::format(
      "a large batch alone does not explain it: {:.3g} tok/s are observed, the slowest deployment still gives {:.3g} at its "
      "largest batch; the rest is throttling or another engine",
      speed, slowest);
}

void explain_late(HostInference& host, const std::vector<Trial>& trials, const ObservedService& observed) {
  host.verdict = InferenceVerdict::LateFirstToken;
  host.nearest = first_of(trials, Fit::LateFirstToken, is_sooner);
  host.explanation = fmt::format(
      "no deployment explains it: at {:.3g} tok/s the soonest first token takes {:.3g} s, {:.3g} s are observed; so short a "
      "wait needs a lighter load, and the speed is then throttled or another engine's",
      observed.speed_p50->value(), host.nearest->at_load.point.ttft.value(), observed.ttft_p50->value());
}

HostInference does_not_fit(HostInference host, const std::string& reason) {
  host.verdict = InferenceVerdict::DoesNotFit;
  host.explanation = "no deployment explains it: " + reason;
  return host;
}

void explain(HostInference& host, const std::vector<Trial>& trials, const ObservedService& observed) {
  const auto some = [&](Fit fit) {
    return std::any_of(trials.begin(), trials.end(), [&](auto& t) { return t.fit == fit; });
  };
  if (!host.consistent.empty()) return explain_consistent(host);
  if (some(Fit::LateFirstToken)) return explain_late(host, trials, observed);
  if (std::all_of(trials.begin(), trials.end(), [](auto& t) { return t.fit == Fit::Refuses; })) {
    host = does_not_fit(std::move(host), "none takes even one request at a time");
    return;
  }
  if (some(Fit::TooFast)) return explain_slower(host, trials, observed.speed_p50->value());
  explain_too_fast(host, trials, observed.speed_p50->value());
}

std::string why_empty(const PoolOptions& pools, const Query& query) {
  if (pools.context_too_short > 0)
    return fmt::format("no rank of {} plans can hold one sequence of {} tokens", pools.context_too_short,
                       query.context_tokens);
  return pools.fit_reason.empty() ? "the search space has no deployment of this network" : pools.fit_reason;
}

WorkloadSample sample_of(const Query& query) {
  const LoadedWorkload workload(query.workload);
  return sample_workload(*workload.length_law(), query.context_tokens, query.seed);
}

}  // namespace

const char* to_string(InferenceVerdict verdict) {
  switch (verdict) {
    case InferenceVerdict::Explained: return "explained";
    case InferenceVerdict::BelowCost: return "below_cost";
    case InferenceVerdict::TooFast: return "too_fast";
    case InferenceVerdict::LateFirstToken: return "late_first_token";
    case InferenceVerdict::SlowerThanFull: return "slower_than_full";
    case InferenceVerdict::DoesNotFit: return "does_not_fit";
    case InferenceVerdict::NotEnoughObserved: return "not_enough_observed";
    case InferenceVerdict::NotModelled: return "not_modelled";
  }
  TOKENOMICS_CHECK(false, "unnamed verdict");
}

HostInference infer_host(const Query& query, const ObservedService& observed, const InferOptions& options) {
  HostInference host;
  if (!observed.speed_p50) host.missing.emplace_back("speed");
  if (!observed.ttft_p50) host.missing.emplace_back("ttft");
  if (!observed.speed_p50) {
    host.explanation = fmt::format("not observed: {}; without a speed nothing says how large the batch is",
                                   fmt::join(host.missing, " and "));
    return host;
  }
  try {
    const WorkloadSample workload = sample_of(query);
    const PoolOptions pools = pool_options(query, query.context_tokens, options.jobs);
    const HostSearch search(query, workload, pools, observed, options);
    if (search.candidates().empty()) return does_not_fit(host, why_empty(pools, query));
    std::vector<Trial> trials(search.candidates().size());
    parallel_for(options.jobs, trials.size(), [&](std::size_t i) { trials[i] = search.trial(search.candidates()[i]); });
    for (const Trial& trial : trials)
      if (trial.fit == Fit::Consistent) host.consistent.push_back(trial.deployment);
    std::stable_sort(host.consistent.begin(), host.consistent.end(), is_cheaper);
    host.all = range_of(trials, search, query, "");
    for (const HardwareChoice& hardware : query.hardware)
      host.per_hardware.push_back(range_of(trials, search, query, hardware.gpu.name));
    explain(host, trials, observed);
  } catch (const Infeasible& error) {
    return does_not_fit(host, error.what());
  }
  return host;
}

}  // namespace tokenomics
