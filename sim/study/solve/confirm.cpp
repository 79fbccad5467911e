#include "confirm.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tokenomics/study/build_service.hpp"

namespace tokenomics {
namespace {

constexpr double kMeasured = 3000, kMeasuredS = 30;  ///< requests at least, and seconds: steps of large units are long
constexpr double kWarmUp = 600, kWarmUpS = 20;
constexpr double kMost = 60'000;
constexpr int kMostInstances = 8;  ///< simulated; a larger fleet is simulated in a smaller one of the same proportion

/// The fleet, cut down in proportion.
Fleet slice_of(const Fleet& fleet) {
  const int largest = std::max(fleet.prefill, fleet.decode);
  if (fleet.prefill == 0) return {0, 1, fleet.rate_per_s / fleet.decode};
  if (largest <= kMostInstances) {
    const int common = std::gcd(fleet.prefill, fleet.decode);
    return {fleet.prefill / common, fleet.decode / common, fleet.rate_per_s / common};
  }
  const double shrink = static_cast<double>(kMostInstances) / largest;
  Fleet slice;
  slice.prefill = std::max(1, static_cast<int>(std::lround(fleet.prefill * shrink)));
  slice.decode = std::max(1, static_cast<int>(std::lround(fleet.decode * shrink)));
  slice.rate_per_s =
      std::min(slice.prefill * fleet.rate_per_s / fleet.prefill, slice.decode * fleet.rate_per_s / fleet.decode);
  return slice;
}

MeasureSpec measure_at(double rate_per_s) {
  const auto requests = [&](double least, double seconds) {
    return std::llround(std::clamp(seconds * rate_per_s, least, kMost));
  };
  MeasureSpec measure;
  measure.start = MeasureSpec::Start::Stationary;
  measure.warm_up_requests = requests(kWarmUp, kWarmUpS);
  measure.requests = requests(kMeasured, kMeasuredS);
  return measure;
}

double seconds(const LatencyMetric& metric, double p) {
  return metric.histogram().count() > 0 ? metric.histogram().quantile(p) * 1e-9 : 0;
}

/// What the simulated second costs, divided by what it served.
double simulated_objective(const Query& query, const OperatingPoint& analytic, const ServiceResult& result,
                           const BuiltService& service, UsdPerSecond price) {
  std::vector<PoolUse> uses;
  for (std::size_t i = 0; i < service.pools.size(); ++i) {
    const PoolResult& r = result.pools[i];
    const double gpus = service.pools[i].gpus_per_instance();
    uses.push_back({price, UsdPerSecond{0}, Seconds{r.provisioned_s * gpus}, Seconds{r.busy_s * gpus},
                    Seconds{r.prefill_s * gpus}, Seconds{r.decode_s * gpus}});
  }
  OperatingPoint seen = analytic;
  const auto answers = static_cast<double>(result.answers);
  const TokenVolume served{result.input_computed_tokens, result.input_cached_tokens, result.output_tokens};
  seen.cost = cost_breakdown(uses, served, answers);
  seen.requests_per_s = 1;
  seen.per_request = served;
  const auto prices = prices_of(seen, query.margin_over_revenue, query.price_ratios);
  if (!prices) return 0;
  const double objective = objective_of(seen, *prices, query.objective);
  return query.objective == Objective::PerAnswer ? objective / std::max(1.0, answers) : objective;
}

}  // namespace

Scenario scenario_of(const Query& query, const Candidate& candidate, const Fleet& fleet) {
  Scenario scenario;
  scenario.name = query.name;
  scenario.file = query.file;
  scenario.workload = query.workload;
  scenario.workload.arrivals = PoissonArrivals{fleet.rate_per_s};
  if (!candidate.is_mixed()) {
    scenario.deployment.pools.push_back(candidate.prefill->spec);
    scenario.deployment.pools.back().instances = fleet.prefill;
  }
  scenario.deployment.pools.push_back(candidate.decode->spec);
  scenario.deployment.pools.back().instances = fleet.decode;
  scenario.deployment.router = RouterPolicy::LeastLoaded;
  scenario.limits.context_tokens = query.context_tokens;
  scenario.slo = query.slo;
  scenario.cost.rent = query.hardware[candidate.hardware()].price;
  scenario.pricing.margin_over_revenue = query.margin_over_revenue;
  scenario.measure = measure_at(fleet.rate_per_s);
  scenario.seed = query.seed;
  scenario.assumptions = query.assumptions;
  scenario.catalogue_directories = query.catalogue_directories;
  return scenario;
}

SimulatedPoint simulate_fleet(const Query& query, const Candidate& candidate, const Fleet& fleet, const Bounds& bounds,
                              const Pricer& pricer) {
  const Fleet slice = slice_of(fleet);
  const Scenario scenario = scenario_of(query, candidate, slice);
  BuiltService service = build_service(scenario);
  service.config.stationary = StationaryStart{service.lengths.get(), slice.rate_per_s};
  const auto requests = service.workload->source(scenario.seed, 0);
  const ServiceResult result = simulate(service.config, *requests);
  SimulatedPoint seen;
  seen.requests = result.requests.arrived;
  seen.ttft_s = seconds(result.ttft, bounds.ttft_p);
  seen.ttft_mean_s = result.ttft.histogram().count() > 0 ? result.ttft.histogram().mean() * 1e-9 : 0;
  const double tpot_s = seconds(result.tpot, bounds.speed_p);
  seen.interactivity = tpot_s > 0 ? 1 / tpot_s : 0;
  if (result.tpot.histogram().count() > 0) seen.interactivity_mean = 1e9 / result.tpot.histogram().mean();
  seen.requests_per_s = result.measured_s > 0 ? static_cast<double>(result.answers) / result.measured_s : 0;
  seen.rejected_share =
      static_cast<double>(result.requests.rejected()) / std::max(1.0, static_cast<double>(result.requests.arrived));
  const bool is_fast = !bounds.has_speed || tpot_s <= 0 || seen.interactivity >= bounds.speed_min;
  const bool is_soon = !bounds.has_ttft || seen.ttft_s <= bounds.ttft_max_s;
  seen.holds = is_fast && is_soon;  // what the context limit rejects was judged on the workload itself
  const UsdPerSecond price = query.hardware[candidate.hardware()].price;
  seen.objective = simulated_objective(query, pricer.point(candidate, slice, false), result, service, price);
  return seen;
}

}  // namespace tokenomics
