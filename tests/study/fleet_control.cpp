// A scenario's fleet inside a run: start-up times, failures of instances, schedules by the clock, and what lent GPUs are
// worth.
#include "tokenomics/study/fleet_control.hpp"

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/study/run.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr const char* kDay = "llama-70b-autoscaled-day";

const std::vector<std::string> kQuarterHour{"measure.duration_s=900", "workload.arrivals.mean_rate_per_s=5",
                                            "deployment.instances=3"};

std::vector<std::string> with(std::vector<std::string> sets, const std::vector<std::string>& more) {
  sets.insert(sets.end(), more.begin(), more.end());
  return sets;
}

double usd(Usd amount) { return amount.value(); }

}  // namespace

// 70.55e9 parameters of 2 bytes over four GPUs: 35.28 GB each; at 2 GB/s 17.6 s, and a minute each for the container and
// the warm-up.
TEST_CASE("Start-up is provisioning, the weights of a GPU over its bandwidth, and warm-up", "[study]") {
  const Scenario scenario = shipped(kDay);
  const BuiltService service = build_service(scenario);
  const auto control = fleet_control(scenario, service);
  REQUIRE(control);
  CHECK(control->pools[0].start_up.load_s == Approx(17.64).epsilon(0.002));
  CHECK(control->pools[0].start_up.total_s() == Approx(137.64).epsilon(0.001));
  // 50,677 GPU-hours over four GPUs: an instance fails every 12,669 hours.
  CHECK(control->pools[0].failures->mtbf_s == Approx(50'677.0 * 3600 / 4));
  CHECK(control->on_at_start == std::vector<int>{6});
}

TEST_CASE("Fixed fleets without failures and windows of a day need no control", "[study]") {
  for (const char* name : {"llama-70b-h100", "deepseek-schedule-2025-02"}) {
    const Scenario scenario = shipped(name);
    CHECK_FALSE(fleet_control(scenario, build_service(scenario)));
  }
}

// Nodes of eight GPUs hold two instances of four. One node from 0 h, two from 6 h on; the run starts at 5.9 h, 360 s before.
// Two instances are ordered a start-up time (137.6 s) and up to a tick (15 s) ahead: they serve the 3,240 s from 6 h on, and
// at most 15 s before.
TEST_CASE("A schedule in a run without windows follows the clock of the arrivals", "[study]") {
  const RunResult run =
      run_scenario(shipped(kDay, {"fleet={\"kind\": \"schedule\", \"schedule_nodes\": [[0, 1], [6, 2]], \"start_up\": {}}",
                                  "workload.arrivals.start_hour=5.9", "workload.arrivals.mean_rate_per_s=5",
                                  "measure.duration_s=3600", "deployment.instances=2"}));
  const PoolResult& pool = run.service.pools[0];
  CHECK(pool.starts == 2);
  CHECK(pool.starting_s == Approx(2 * 137.64).epsilon(0.001));
  CHECK(pool.serving_s >= 2 * 3600 + 2 * 3240);
  CHECK(pool.serving_s <= 2 * 3600 + 2 * (3240 + 15));
  CHECK(run.fleet.gpus_peak == 16);
  CHECK(run.fleet.nodes_trough == 1);
  CHECK(run.fleet.gpu_hours == Approx(pool.provisioned_s * 4 / 3600));
}

// GPUs that research values at what they cost are neither gain nor loss: what serving has to earn is what it holds.
TEST_CASE("Lent GPU-hours at their own cost leave the cost of serving as it is", "[study]") {
  const Scenario scenario = shipped(kDay, kQuarterHour);
  const double usd_per_hour = in_usd_per_hour(scenario.cost.total());
  const RunResult run =
      run_scenario(shipped(kDay, with(kQuarterHour, {"fleet.research_usd_per_gpu_hour=" + std::to_string(usd_per_hour)})));
  REQUIRE(run.fleet.research);
  CHECK(run.fleet.gpu_hours + run.fleet.gpu_hours_released == Approx(64 * 0.25));
  CHECK(usd(run.fleet.research->owned) == Approx(64 * 0.25 * usd_per_hour));
  CHECK(usd(run.fleet.research->net) == Approx(usd(run.cost.having)).epsilon(1e-6));
  CHECK(run.fleet.research->net_own_mix->value() == Approx(run.cost.per_token.own_mix->value()).epsilon(1e-6));
  // Prices and the parts of the cost do not know of it.
  const RunResult without = run_scenario(shipped(kDay, with(kQuarterHour, {"fleet.research_usd_per_gpu_hour=null"})));
  CHECK_FALSE(without.fleet.research);
  CHECK(usd(without.cost.having) == usd(run.cost.having));
  CHECK(without.price.prices->output == run.price.prices->output);
  CHECK(usd(run.cost.parts.total()) == Approx(usd(run.cost.having)));
}

TEST_CASE("A fleet that holds more GPUs than are owned is no answer", "[study]") {
  const Scenario scenario = shipped("deepseek-schedule-2025-02", {"fleet.owned_gpus=2223", "measure.windows_per_day=2"});
  CHECK_THROWS_AS(run_scenario(scenario), Infeasible);
}

TEST_CASE("Failures are counted, and availability is of the time up", "[study]") {
  const RunResult run =
      run_scenario(shipped(kDay, with(kQuarterHour, {"fleet.failures.mtbf_gpu_hours=0.25", "fleet.failures.repair_s=60",
                                                     "fleet.failures.detect_s=5"})));
  const RequestCounts& n = run.service.requests;
  CHECK(n.arrived == n.completed + n.rejected() + n.lost + n.unfinished);
  CHECK(n.lost == 0);
  CHECK(run.fleet.control[0].failures > 3);
  CHECK(n.retries > 10);
  REQUIRE(run.fleet.control[0].availability);
  CHECK(*run.fleet.control[0].availability < 0.95);
  const RunResult lost =
      run_scenario(shipped(kDay, with(kQuarterHour, {"fleet.failures.mtbf_gpu_hours=0.25", "fleet.failures.repair_s=60",
                                                     "fleet.failures.detect_s=5", "fleet.failures.requests=lost"})));
  CHECK(lost.service.requests.lost > 10);
  CHECK(lost.service.requests.retries == 0);
}
