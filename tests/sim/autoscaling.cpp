// Instances that are ordered, come up, drain and go, worked by hand; and what their time costs.
#include "support/catch.hpp"
#include "support/fleet_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// A request that takes so many seconds.
Request job(double arrival_s, double seconds) {
  return request(arrival_s * 1e3, static_cast<std::int64_t>(seconds * 1e6), 1);
}

ServiceConfig by_queue(const StepTimer& timer, double start_up_s) {
  PoolFleet fleet = plain_fleet(1, 4);
  fleet.scaling.rule = QueueTarget{1};
  fleet.scaling.interval_s = 10;
  fleet.scaling.stabilization_s = 20;
  fleet.start_up.provisioning_s = start_up_s;
  ServiceConfig config = servers(timer, 1, fleet);
  config.measure.duration_s = 200;
  return config;
}

}  // namespace

// One server, three jobs of 30 s at 1 s: at the tick at 10 s two wait, twice the bound: one more is ordered (ceil(1 * 2) =
// 2), which is up at 15 s, empty: nobody who waits elsewhere comes over. A fourth job at 16 s goes to it. At 20 s still two
// wait over two instances: the bound, borne. From 31 s on one waits: half the bound, borne too. Job 2 runs 31-61 s, job 3
// 61-91 s, the fourth 16-46 s. Nobody waits from 61 s on, so no tick from 70 s on wants more than one; 20 s later, at 90 s,
// the tick of 70 s is the oldest that counts: the least loaded, the second, goes at once: held 10-90 s.
TEST_CASE("An instance is ordered, comes up after its start-up, takes requests and is let go", "[sim]") {
  const LinearTimer timer = microsecond_server();
  ServiceConfig config = by_queue(timer, 5);
  config.measure.duration_s = 200;
  const Outcomes o = serve(config, {job(1, 30), job(1, 30), job(1, 30), job(16, 30)});
  CHECK(o.of.at(3).instance == 1);
  CHECK(o.of.at(3).end == ms(46'000));
  CHECK(o.of.at(2).end == ms(91'000));
  const PoolResult& pool = o.result.pools[0];
  CHECK(pool.starts == 1);
  CHECK(pool.stops == 1);
  CHECK(pool.starting_s == Approx(5));
  CHECK(pool.provisioned_s == Approx(200 + 80));
  CHECK(pool.serving_s == Approx(200 + 75));
  CHECK(pool.draining_s == Approx(0));
  REQUIRE(o.result.fleet);
  CHECK(o.result.fleet->gpus_peak == 2);
  CHECK(o.result.fleet->gpus_trough == 1);
  double timeline = 0;
  for (const double seconds : pool.timeline) timeline += seconds;
  CHECK(timeline == Approx(280));
  CHECK(pool.timeline[0] == Approx(200.0 / 48));
  CHECK(pool.timeline[12] == Approx(2 * 200.0 / 48));
}

// Two at the start by schedule, one from 0.01 h (36 s) on, seen at the tick at 40 s. Both are at work, the second until
// 100 s: it drains for 60 s, and the job of 50 s goes to the first although that one is longer busy.
TEST_CASE("A draining instance finishes what it has and takes nothing new", "[sim]") {
  const LinearTimer timer = microsecond_server();
  PoolFleet fleet = plain_fleet(2, 2);
  fleet.scaling.rule = InstanceSchedule{{{0.0, 2}, {0.01, 1}}, 0};
  fleet.scaling.interval_s = 10;
  fleet.scaling.stabilization_s = 0;
  ServiceConfig config = servers(timer, 2, fleet);
  config.measure.duration_s = 300;
  const Outcomes o = serve(config, {job(0, 150), job(0, 100), job(50, 20)});
  CHECK(o.of.at(1).end == ms(100'000));
  CHECK(o.of.at(2).instance == 0);
  CHECK(o.of.at(2).end == ms(170'000));
  CHECK(o.result.pools[0].draining_s == Approx(60));
  CHECK(o.result.pools[0].provisioned_s == Approx(300 + 100));
  CHECK(o.result.pools[0].stops == 1);
}

TEST_CASE("A fleet that nothing changes serves as instances do that are always on", "[sim]") {
  const LinearTimer timer = microsecond_server();
  ServiceConfig config = servers(timer, 3, plain_fleet(3, 3));
  config.measure.requests = 2000;
  const auto run = [&] {
    PoissonSource source(5, 2.5, [](RandomStream& random, Request& r) {
      r.input_tokens = 1 + static_cast<std::int64_t>(1e6 * random.exponential());
      r.output_tokens = 1;
    });
    return simulate(config, source);
  };
  const ServiceResult with = run();
  config.fleet.clear();
  const ServiceResult without = run();
  CHECK(with.e2e.histogram().mean() == without.e2e.histogram().mean());
  CHECK(with.pools[0].busy_s == without.pools[0].busy_s);
  CHECK(with.pools[0].provisioned_s == Approx(without.pools[0].provisioned_s).epsilon(1e-12));
  CHECK(with.pools[0].kv_capacity_token_s == Approx(without.pools[0].kv_capacity_token_s).epsilon(1e-12));
}
