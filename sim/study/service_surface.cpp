#include "tokenomics/study/service_surface.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"
#include "tokenomics/study/build_service.hpp"
#include "tokenomics/study/fleet_rule.hpp"
#include "tokenomics/study/solve.hpp"
#include "tokenomics/study/steady_state.hpp"

namespace tokenomics {
namespace {

constexpr double kSeconds = 600;  ///< warm-up, and as long again measured
constexpr int kLoads = 12;
constexpr double kFullest = 0.99;   ///< of what prefill computes: a queue that ten minutes hold
constexpr int kSliceInstances = 6;  ///< of the pool that has more

/// Most requests per second of one instance of each pool by the strategy.
struct UnitRates {
  double prefill = 0, decode = 0;
};

/// Highest load for which `holds` is true, to 0.1%.
template <class Holds>
double highest(double high, const Holds& holds) {
  double low = 0;
  for (int i = 0; i < 40 && high - low > 1e-3 * high; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

double decode_rate(const SimulatedServiceSpec& spec, const BuiltService& service, const WorkloadSample& workload) {
  const PoolConfig& pool = service.decode().config;
  const auto holds = [&](double rate) {
    const DecodeState state = decode_state(pool, workload, rate);
    return state.refused == LoadLimit::None && (spec.least_tok_s <= 0 || state.tpot_s * spec.least_tok_s <= 1);
  };
  double high = 1e-3;
  while (holds(high)) high *= 2;
  return highest(high, holds);
}

UnitRates unit_rates(const SimulatedServiceSpec& spec, const BuiltService& service) {
  const WorkloadSample workload = sample_workload(*service.lengths, sequence_limit(service.config), spec.scenario->seed);
  UnitRates rates;
  rates.decode = decode_rate(spec, service, workload);
  if (service.pools.size() < 2) return rates;
  if (spec.ttft_p90_s) {
    Scenario scenario = *spec.scenario;
    scenario.fleet.kind = FleetSpec::Kind::HoldService;
    scenario.fleet.ttft_p90_s = *spec.ttft_p90_s;
    scenario.fleet.interactivity_tok_s_user = std::max(spec.least_tok_s, 1e-3);
    rates.prefill = instance_capacity(scenario, service).prefill_rate_per_s;
  } else {
    const double computed = workload.mean.mean_input - workload.mean.mean_cached;
    rates.prefill = kFullest * saturated_prefill_tok_s(*spec.scenario, service, service.pools.front()) / computed;
  }
  return rates;
}

double gpus_of(const BuiltService& service, const std::vector<int>& instances) {
  double gpus = 0;
  for (std::size_t i = 0; i < instances.size(); ++i) gpus += instances[i] * service.pools[i].gpus_per_instance();
  return gpus;
}

/// Requests per second that so many instances serve.
double served_by(const BuiltService& service, const UnitRates& rates, const std::vector<int>& instances) {
  const double decode = instances.back() * rates.decode;
  return service.pools.size() < 2 ? decode : std::min(decode, instances.front() * rates.prefill);
}

std::vector<int> fewest_units(const BuiltService& service, const UnitRates& rates, double rate) {
  const auto units = [&](double per_unit) { return std::max(1, static_cast<int>(std::ceil(rate / per_unit - 1e-9))); };
  if (service.pools.size() < 2) return {units(rates.decode)};
  return {units(rates.prefill), units(rates.decode)};
}

/// The fleet of most output within the cap.
std::vector<int> largest_fleet(const BuiltService& service, const UnitRates& rates, double cap) {
  std::vector<int> best;
  for (int decode = 1; decode * service.decode().gpus_per_instance() <= cap; ++decode) {
    std::vector<int> fleet{decode};
    if (service.pools.size() > 1) {
      const double left = cap - decode * service.decode().gpus_per_instance();
      const int prefill = static_cast<int>(std::floor(left / service.pools.front().gpus_per_instance()));
      if (prefill < 1) continue;
      fleet = {prefill, decode};
    }
    if (best.empty() || served_by(service, rates, fleet) > served_by(service, rates, best)) best = fleet;
  }
  return best;
}

/// A smaller fleet in the same proportion; the load of each instance is the same.
std::vector<int> slice_of(const std::vector<int>& fleet) {
  const int most = *std::max_element(fleet.begin(), fleet.end());
  std::vector<int> slice = fleet;
  if (most > kSliceInstances)
    for (int& count : slice)
      count = std::max(1, static_cast<int>(std::lround(count * static_cast<double>(kSliceInstances) / most)));
  return slice;
}

/// Numbers of decode units from 1 to all, about evenly spaced in logarithm. Points lie where these are full: between two
/// numbers a fleet is one unit larger than it need be and a little faster, which a curve through such points would take
/// for the service itself.
std::vector<int> unit_counts(int most) {
  std::vector<int> counts;
  for (int i = 0; i < kLoads; ++i) {
    const int count = static_cast<int>(std::lround(std::pow(most, static_cast<double>(i) / (kLoads - 1))));
    if (counts.empty() || count > counts.back()) counts.push_back(count);
  }
  return counts;
}

struct LoadedFleet {
  std::vector<int> instances;
  double requests_per_s = 0;
};

/// Requests per second into the slice so that its fuller pool is loaded as in the fleet.
double slice_rate(const LoadedFleet& fleet, const std::vector<int>& slice) {
  double rate = 1e300;
  for (std::size_t i = 0; i < slice.size(); ++i) rate = std::min(rate, fleet.requests_per_s * slice[i] / fleet.instances[i]);
  return rate;
}

ServicePoint simulate_point(const Scenario& scenario, const BuiltService& service, const LoadedFleet& fleet,
                            std::uint64_t seed) {
  const std::vector<int> slice = slice_of(fleet.instances);
  ServiceConfig config = service.config;
  for (std::size_t i = 0; i < slice.size(); ++i) config.pools[i].instances = slice[i];
  config.seed = seed;
  config.measure = {};
  config.measure.warm_up_s = kSeconds;
  config.measure.duration_s = kSeconds;
  WorkloadSpec workload = scenario.workload;
  workload.arrivals = PoissonArrivals{slice_rate(fleet, slice)};
  config.stationary = StationaryStart{service.lengths.get(), slice_rate(fleet, slice)};
  const auto source = make_request_source(workload, seed, 0);
  const ServiceResult result = simulate(config, *source);
  ServicePoint point;
  point.load = TokensPerSecond{fleet.requests_per_s * service.length_statistics.mean_output};
  point.ttft = Seconds{result.ttft.histogram().mean() * 1e-9};
  point.interactivity = TokensPerSecond{1e9 / result.tpot.histogram().mean()};
  double busy = 0, provisioned = 0;
  for (const PoolResult& pool : result.pools) busy += pool.busy_s, provisioned += pool.provisioned_s;
  point.utilization = busy / provisioned;
  point.gpus = gpus_of(service, fleet.instances);
  point.cost = scenario.cost.total() * point.gpus;
  return point;
}

}  // namespace

ResponseSurface simulated_surface(const SimulatedServiceSpec& spec, unsigned jobs, std::uint64_t seed) {
  const Scenario& scenario = *spec.scenario;
  const BuiltService service = build_service(scenario);
  const UnitRates rates = unit_rates(spec, service);
  const std::vector<int> largest = largest_fleet(service, rates, spec.fleet_gpus);
  if (largest.empty() || served_by(service, rates, largest) <= 0)
    throw Infeasible(fmt::format("fleet: {:g} GPUs do not hold one unit of each pool of {} at {:g} tok/s/user",
                                 spec.fleet_gpus, scenario.name, spec.least_tok_s));
  std::vector<LoadedFleet> fleets;
  // One unit that is not full yet: the smallest fleet there is, and the less load the better its service.
  const double one = std::min(rates.decode, served_by(service, rates, largest));
  for (const double share : {0.1, 0.25, 0.5}) fleets.push_back({fewest_units(service, rates, share * one), share * one});
  for (const int decode : unit_counts(largest.back())) {
    const double rate = std::min(decode * rates.decode, served_by(service, rates, largest));
    const bool is_largest = decode == largest.back();
    fleets.push_back({is_largest ? largest : fewest_units(service, rates, rate), rate});
  }
  std::vector<ServicePoint> points(fleets.size());
  parallel_for(jobs, points.size(), [&](std::size_t i) { points[i] = simulate_point(scenario, service, fleets[i], seed); });
  return ResponseSurface(points);
}

ResponseSurface held_surface(const HeldServiceSpec& spec, unsigned jobs) {
  Query query = *spec.query;
  query.slo.ttft_s = SloSpec::Bound{50, spec.ttft_s};
  query.slo.interactivity_tok_s_user = SloSpec::Bound{50, spec.tok_s};
  SolveOptions how;
  how.jobs = jobs;
  how.confirm = how.shadow = false;
  const Solution solution = solve(query, how);
  if (!solution.best)
    throw Infeasible(fmt::format("{:g} tok/s/user with a first token in {:g} s: {}", spec.tok_s, spec.ttft_s,
                                 solution.infeasible_reason));
  const OperatingPoint& at = solution.best->point;
  const double output = at.requests_per_s * at.per_request.output;
  const auto point = [&](double load) {
    const double scale = load / output;
    return ServicePoint{TokensPerSecond{load}, Seconds{spec.ttft_s}, TokensPerSecond{spec.tok_s}, at.busy, 1,
                        at.gpus * scale,       at.cost_rate * scale};
  };
  return ResponseSurface({point(1e-3), point(1e12)});
}

ResponseSurface observed_surface(const ObservedServiceSpec& spec) {
  const auto point = [&](double load) {
    return ServicePoint{TokensPerSecond{load}, Seconds{spec.ttft_s}, TokensPerSecond{spec.tok_s}, 0, 1, 0, UsdPerSecond{0}};
  };
  return ResponseSurface({point(1e-3), point(1e12)});
}

bool has_known_cost(const MarketServiceSpec& spec) { return !std::holds_alternative<ObservedServiceSpec>(spec); }

}  // namespace tokenomics
