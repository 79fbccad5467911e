#include "host_search.hpp"

#include <cmath>
#include <limits>

#include "load_search.hpp"

namespace tokenomics {
namespace {

constexpr double kMedian = 0.5;
constexpr int kHalvings = 24;     ///< of the logarithm of the load: far below the evaluator's own error
constexpr int kMostDecoding = 8;  ///< decode instances of a disaggregated unit
constexpr int kQuarter = 70;      ///< steps of the grid down to a quarter of a load

}  // namespace

HostSearch::HostSearch(const Query& query, const WorkloadSample& workload, const PoolOptions& pools,
                       const ObservedService& observed, const InferOptions& options)
    : query_(query),
      observed_(observed),
      options_(options),
      evaluator_(workload, Bounds{.ttft_p = kMedian, .speed_p = kMedian}),
      pricer_(query, evaluator_) {
  for (const PoolOption& option : pools.mixed) candidates_.push_back({nullptr, &option});
  for (const PoolOption& prefill : pools.prefill) {
    tables_.emplace(&prefill, std::make_unique<PrefillTable>(evaluator_, prefill));
    for (const PoolOption& decode : pools.decode)
      if (prefill.hardware == decode.hardware) candidates_.push_back({&prefill, &decode});
  }
}

/// Median tok/s; 0 where the load is refused, as even one below a load that is taken may be.
double HostSearch::speed_at(const PoolOption& option, double rate_per_s) const {
  const UnitPoint point = evaluator_.decode(option, rate_per_s);
  return point.refused == LoadLimit::None ? point.speed : 0;
}

/// The highest load that an instance takes at all, requests/s; 0: none.
double HostSearch::highest(const PoolOption& option) const {
  const auto takes = [&](int k) { return evaluator_.whole(option, load_at(k)).refused == LoadLimit::None; };
  int k = evaluator_.highest_fast(option);  // by the batch alone, which is cheap
  if (k >= 0 && option.config.role == PoolRole::Mixed && !takes(k)) k = highest_load(takes);
  return k < 0 ? 0 : load_at(k);
}

/// The load at which the observed speed is given: the last that is as fast, by bisection in the logarithm.
double HostSearch::matching_load(const PoolOption& option, double most) const {
  double low = load_at(0), high = most;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = std::sqrt(low * high);
    (speed_at(option, middle) >= observed_.speed_p50->value() ? low : high) = middle;
  }
  return low;
}

double HostSearch::latest_first_token_s() const {
  if (!observed_.ttft_p50) return std::numeric_limits<double>::infinity();
  return (1 + options_.ttft_tolerance) * observed_.ttft_p50->value();
}

/// Of a pair: as few prefill instances as give the first token when it was seen, in whole numbers; where none do, within
/// the tolerance; and where none do either, prefill at a quarter of the load it takes.
Fleet HostSearch::fleet_at(const Candidate& candidate, double decode_load) const {
  if (candidate.is_mixed()) return {0, 1, decode_load};
  PrefillTable& table = *tables_.at(candidate.prefill);
  const double after_s = pricer_.hand_over_s(candidate, evaluator_.decode(*candidate.decode, decode_load));
  const auto highest_within = [&](double first_token_s) {
    return highest_load([&](int i) {
      const UnitPoint& point = table.at(i);
      return point.refused == LoadLimit::None && point.ttft_s + after_s <= first_token_s;
    });
  };
  int k = highest_within(latest_first_token_s() / (1 + options_.ttft_tolerance));
  if (k < 0) k = highest_within(latest_first_token_s());
  if (k < 0) k = std::max(0, highest_load([&](int i) { return table.at(i).refused == LoadLimit::None; }) - kQuarter);
  Fleet best;
  double least_gpus = std::numeric_limits<double>::infinity();
  for (int d = 1; d <= kMostDecoding; ++d) {
    const Fleet unit{static_cast<int>(std::ceil(d * decode_load / load_at(k))), d, d * decode_load};
    const double per_instance = pricer_.gpus(candidate, unit) / d;
    if (per_instance >= least_gpus * (1 - 1e-9)) continue;
    least_gpus = per_instance;
    best = unit;
  }
  return best;
}

InferredDeployment HostSearch::at(const Candidate& candidate, double decode_load, double most) const {
  InferredDeployment inferred;
  inferred.at_load = pricer_.priced(candidate, fleet_at(candidate, decode_load));
  const OperatingPoint& point = inferred.at_load.point;
  const TokenVolume& request = point.per_request;
  inferred.batch_per_gpu = point.batch_per_instance / candidate.decode->gpus();
  inferred.utilization = decode_load / most;
  const double tokens = request.input_computed + request.input_cached + request.output;
  const Usd cost = point.cost_rate * Seconds{1 / point.requests_per_s}, paid = revenue(observed_.prices, request);
  inferred.cost_own_mix = cost.value() / tokens;
  inferred.price_own_mix = paid.value() / tokens;
  inferred.margin_over_revenue = margin_over_revenue(paid, cost).value_or(0);
  if (observed_.ttft_p50) inferred.unexplained_ttft_s = (*observed_.ttft_p50 - point.ttft).value();
  return inferred;
}

Trial HostSearch::trial(const Candidate& candidate) const {
  Trial trial;
  const double speed = observed_.speed_p50->value(), most = highest(*candidate.decode);
  if (most <= 0) return trial;
  trial.idle_speed = speed_at(*candidate.decode, load_at(0));
  trial.full_speed = speed_at(*candidate.decode, most);
  if (trial.idle_speed < speed) {
    trial.fit = Fit::TooSlow;
  } else if (trial.full_speed > speed) {
    trial.fit = Fit::TooFast;
    trial.deployment = at(candidate, most, most);
  } else {
    trial.deployment = at(candidate, matching_load(*candidate.decode, most), most);
    const bool is_late = trial.deployment.at_load.point.ttft.value() > latest_first_token_s();
    trial.fit = is_late ? Fit::LateFirstToken : Fit::Consistent;
  }
  return trial;
}

}  // namespace tokenomics
