// Mixed pools of the rule `hold_service`. What a prompt costs the sequences beside it depends on chunks, ranks and the order
// of work (a step waits for the rank with the most prompt tokens), so that only a simulation tells.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "fleet_trials.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

// In mean answers at the rule's speed. An empty start has 95% of its batch after five when answers are lognormal with
// sigma 1.
constexpr double kWarmUpAnswers = 6;
constexpr double kWindowAnswers = 3;
constexpr double kLeastRequests = 400;  ///< in the window, at the speed of the bound

struct Trial {
  double speed_tok_s = 0;  ///< output tokens over the seconds that sequences decode
  double ttft_p90_s = 0;   ///< infinite when more than a tenth of the window's requests got none
};

Trial try_rate(const Scenario& scenario, const BuiltService& service, double rate_per_instance) {
  ServiceConfig trial = service.config;
  const double rate_per_s = rate_per_instance * kTrialInstances;
  const double answer_s = service.length_statistics.mean_output / scenario.fleet.interactivity_tok_s_user;
  trial.pools[0].instances = kTrialInstances;
  trial.queue_limit_requests.reset();  // the wait itself is what the rule looks at
  trial.admission = {};
  trial.measure = {};
  trial.measure.warm_up_s = kWarmUpAnswers * answer_s;
  trial.measure.duration_s = std::max(kWindowAnswers * answer_s, kLeastRequests / rate_per_s);
  WorkloadSpec workload = scenario.workload;
  workload.arrivals = PoissonArrivals{rate_per_s};
  const auto requests = make_request_source(workload, scenario.seed, 0);
  const ServiceResult result = simulate(trial, *requests);
  const auto& first_tokens = result.ttft.histogram();
  const double p = 0.9 * static_cast<double>(result.requests.arrived) / static_cast<double>(first_tokens.count());
  const double decoding_s = result.pools[0].sequence_s;  // zero: no answer has a second token
  return {decoding_s > 0 ? result.pools[0].output_tokens / decoding_s : std::numeric_limits<double>::infinity(),
          p <= 1 ? first_tokens.quantile(p) * 1e-9 : std::numeric_limits<double>::infinity()};
}

}  // namespace

double mixed_capacity(const Scenario& scenario, const BuiltService& service) {
  const FleetSpec& rule = scenario.fleet;
  const auto is_soon_enough = [&](const Trial& t) { return rule.ttft_p90_s <= 0 || t.ttft_p90_s <= rule.ttft_p90_s; };
  const auto holds = [&](double rate) {
    const Trial trial = try_rate(scenario, service, rate);
    return trial.speed_tok_s >= rule.interactivity_tok_s_user && is_soon_enough(trial);
  };
  double high = 1e-2;
  if (!holds(high)) {
    const Trial trial = try_rate(scenario, service, high);
    throw Infeasible(
        fmt::format("fleet: an instance of pool \"{}\" reaches {:.2f} tok/s/user and a p90 first token of {:.3f} s "
                    "when nearly empty, the fleet rule wants {:.2f} tok/s/user{}",
                    service.decode().spec->name, trial.speed_tok_s, trial.ttft_p90_s, rule.interactivity_tok_s_user,
                    rule.ttft_p90_s > 0 ? fmt::format(" and {:.3f} s", rule.ttft_p90_s) : std::string()));
  }
  while (holds(2 * high)) high *= 2;
  return high + largest_rate(high, [&](double more) { return holds(high + more); });
}

}  // namespace tokenomics
