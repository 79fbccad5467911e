// Laws of fleets whose instances come, go and fail.
#include <cmath>

#include "support/any_service.hpp"
#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct FleetCase {
  LinearTimer timer;
  ServiceConfig config;
  double rate = 1;
};

FleetCase generate() {
  FleetCase c;
  c.timer.fixed_s = 1e-3 * pick(1, 20);
  c.timer.per_sequence_s = 1e-4 * pick(0, 10);
  c.timer.per_prompt_token_s = 1e-6 * pick(0, 50);
  const bool split = pick(0, 1) == 1;
  for (const PoolRole role : split ? std::vector{PoolRole::Prefill, PoolRole::Decode} : std::vector{PoolRole::Mixed}) {
    PoolConfig pool = mixed_pool(c.timer);
    pool.role = role;
    pool.instances = pick(1, 4);
    pool.batching.policy = pick(0, 1) == 1 ? BatchPolicy::PrefillFirst : BatchPolicy::ChunkedMixed;
    pool.batching.max_sequences = pick(2, 20);
    pool.batching.max_tokens_per_step = pick(20, 2000);
    pool.batching.wait = {pick(1, 4), 0.01 * pick(0, 10)};
    pool.kv_tokens = 3000 + pick(0, 6000);
    pool.block_tokens = pick(1, 32);
    pool.mtp = {pick(0, 1), {0.01 * pick(0, 100)}};
    PoolFleet fleet = any_fleet(pool);
    c.config.pools.push_back(pool);
    c.config.fleet.push_back(fleet);
  }
  c.config.kv_transfer = {Seconds{1e-3 * pick(0, 200)}, Seconds{1e-6 * pick(0, 10)}};
  c.config.router = pick(0, 1) == 1 ? RouterPolicy::LeastLoaded : RouterPolicy::RoundRobin;
  if (pick(0, 3) == 0) c.config.queue_limit_requests = pick(1, 20);
  c.config.measure.requests = 300;
  c.config.measure.drain = true;
  c.config.seed = static_cast<std::uint64_t>(pick(1, 1000));
  c.rate = 0.5 * pick(1, 60);
  return c;
}

PoissonSource source_of(const FleetCase& c) {
  return PoissonSource(c.config.seed, c.rate, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(200 * random.exponential());
    r.cached_tokens = static_cast<std::int64_t>(0.5 * static_cast<double>(r.input_tokens) * random.uniform());
    r.output_tokens = 1 + static_cast<std::int64_t>(60 * random.exponential());
  });
}

struct Counter final : Observer {
  std::uint64_t completed = 0, rejected = 0, lost = 0, retries = 0;
  std::int64_t tokens = 0;
  std::map<std::pair<int, int>, SimTime> last_end;
  void request_ended(const RequestRecord& r) override {
    retries += static_cast<std::uint64_t>(r.retries);
    lost += r.outcome == Outcome::LostToFailure ? 1 : 0;
    if (r.outcome == Outcome::Completed) {
      ++completed;
      tokens += r.request.output_tokens;
      RC_ASSERT(r.request.arrival <= r.scheduled);
      RC_ASSERT(r.scheduled <= r.first_token);
      RC_ASSERT(r.first_token <= r.end);
    } else if (r.outcome != Outcome::LostToFailure) {
      ++rejected;
    }
  }
  void run_ended(const RunRecord& r) override {
    RC_ASSERT(r.start < r.end);
    RC_ASSERT(r.start >= last_end[std::make_pair(r.pool, r.instance)]);
    last_end[std::make_pair(r.pool, r.instance)] = r.end;
  }
};

void keep_timer(FleetCase& c) {
  for (PoolConfig& pool : c.config.pools) pool.timer = &c.timer;
}

}  // namespace

TEST_CASE("With instances that come, go and fail every request is completed, rejected or lost", "[laws]") {
  rc::prop("conservation", [] {
    FleetCase c = generate();
    keep_timer(c);
    Counter seen;
    c.config.observer = &seen;
    PoissonSource source = source_of(c);
    const ServiceResult r = simulate(c.config, source);
    RC_ASSERT(r.requests.arrived == 300u);
    RC_ASSERT(r.requests.unfinished == 0u);
    RC_ASSERT(r.requests.completed + r.requests.rejected() + r.requests.lost == 300u);
    RC_ASSERT(seen.completed == r.requests.completed);
    RC_ASSERT(seen.rejected == r.requests.rejected());
    RC_ASSERT(seen.lost == r.requests.lost);
    RC_ASSERT(seen.retries == r.requests.retries);
    // Every token of a completed answer is counted once; lost ones had some, and drafts leave fractions open.
    RC_ASSERT(r.output_tokens >= static_cast<double>(seen.tokens) - 2.0 * 300);
    if (r.requests.lost == 0 && c.config.pools.back().mtp.draft_tokens == 0 && r.requests.preemptions == 0 &&
        r.requests.rejected() == 0)
      RC_ASSERT(std::abs(r.output_tokens - static_cast<double>(seen.tokens)) <= 1e-6 * r.output_tokens);
    // A user is charged for each prompt once.
    if (r.requests.lost == 0 && r.requests.rejected() == 0) RC_ASSERT(r.ttft.histogram().count() == 300u);
  });
}

TEST_CASE("A fleet is never above its bound, and its time adds up", "[laws]") {
  rc::prop("bounds", [] {
    FleetCase c = generate();
    keep_timer(c);
    PoissonSource source = source_of(c);
    const ServiceResult r = simulate(c.config, source);
    RC_ASSERT(r.fleet.has_value());
    for (std::size_t i = 0; i < r.pools.size(); ++i) {
      const PoolResult& pool = r.pools[i];
      const PoolFleet& fleet = c.config.fleet[i];
      const bool down_is_paid = !fleet.failures || fleet.failures->paid_while_down;
      const double held_s = pool.serving_s + pool.starting_s + (down_is_paid ? pool.down_s : 0.0);
      RC_ASSERT(std::abs(pool.provisioned_s - held_s) <= 1e-9 * (1 + held_s));
      RC_ASSERT(pool.draining_s <= pool.serving_s * (1 + 1e-9));
      RC_ASSERT(pool.busy_s <= pool.serving_s * (1 + 1e-9));
      RC_ASSERT(pool.kv_token_s <= pool.kv_capacity_token_s * (1 + 1e-9));
      RC_ASSERT(std::abs(pool.prefill_s + pool.decode_s - pool.busy_s) <= 1e-9 * (1 + pool.busy_s));
      RC_ASSERT(pool.provisioned_s <= r.measured_s * fleet.scaling.max_instances * (1 + 1e-9));
      RC_ASSERT(r.fleet->at_peak[i] <= fleet.scaling.max_instances);
      if (!fleet.failures) RC_ASSERT(r.fleet->at_trough[i] >= fleet.scaling.min_instances);
      if (fleet.scaling.rule.index() == 0) RC_ASSERT(pool.starts + pool.stops == 0u);
    }
    RC_ASSERT(r.fleet->gpus_trough <= r.fleet->gpus_peak);
  });
}

TEST_CASE("The same seed gives the same fleet", "[laws]") {
  rc::prop("determinism", [] {
    FleetCase c = generate();
    keep_timer(c);
    PoissonSource one = source_of(c), two = source_of(c);
    const ServiceResult a = simulate(c.config, one), b = simulate(c.config, two);
    RC_ASSERT(a.e2e.histogram().mean() == b.e2e.histogram().mean());
    RC_ASSERT(a.output_tokens == b.output_tokens);
    RC_ASSERT(a.events == b.events);
    for (std::size_t i = 0; i < a.pools.size(); ++i) {
      RC_ASSERT(a.pools[i].provisioned_s == b.pools[i].provisioned_s);
      RC_ASSERT(a.pools[i].failures == b.pools[i].failures);
    }
  });
}

// Up for exponential times of mean m, down for r = repair + weights + warm-up: availability m / (m + r) = 1 / (1 + r / m),
// here 1 / (1 + 60 / 300) = 0.8333. 40 instances over 10^6 s are some 111,000 cycles; relative standard error of the share
// of time up by the delta method: (1 - A) / sqrt(cycles) = 0.05%. Three of them.
TEST_CASE("Availability is that of an alternating renewal process", "[laws]") {
  const LinearTimer timer = microsecond_server();
  PoolFleet fleet = plain_fleet(40, 40);
  fleet.start_up = {1000, 12, 8};
  fleet.failures = FailureLaw{300, 40, 0, true, true};
  ServiceConfig config = servers(timer, 40, fleet);
  config.measure.duration_s = 1e6;
  PoissonSource source(3, 0.2, [](RandomStream&, Request& r) {
    r.input_tokens = 1'000'000;
    r.output_tokens = 1;
  });
  const ServiceResult r = simulate(config, source);
  const PoolResult& pool = r.pools[0];
  CHECK(pool.serving_s / (pool.serving_s + pool.down_s) == Approx(1 / (1 + 60.0 / 300)).epsilon(0.0015));
  CHECK(static_cast<double>(pool.failures) == Approx(pool.serving_s / 300).epsilon(0.01));
  CHECK(pool.provisioned_s == Approx(40e6));
  CHECK(r.requests.lost == 0);
  // Failures meet busy instances as often as idle ones: busy time / 300 s requests are retried, some 667 +- 26.
  CHECK(static_cast<double>(r.requests.retries) == Approx(pool.busy_s / 300).epsilon(0.12));
}

// Perfect knowledge and no delay: 250 erlangs at a target of 0.8 need 312.5 servers. Ticks see the mean of the last second,
// and a rounded-up decision adds half an instance.
TEST_CASE("Without start-up time and hysteresis instance-hours follow the load", "[laws]") {
  const LinearTimer timer = microsecond_server();
  PoolFleet fleet = plain_fleet(200, 600);
  fleet.scaling.rule = TargetUtilization{UtilizationSignal::Busy, 0.8, 0.0};
  fleet.scaling.interval_s = 1;
  fleet.scaling.stabilization_s = 0;
  for (const double erlangs : {125.0, 250.0}) {
    ServiceConfig config = servers(timer, 200, fleet);
    config.measure.warm_up_s = 100;
    config.measure.duration_s = 2000;
    PoissonSource source(7, erlangs / 2, [](RandomStream& random, Request& r) {
      r.input_tokens = 1 + static_cast<std::int64_t>(2e6 * random.exponential());
      r.output_tokens = 1;
    });
    const ServiceResult r = simulate(config, source);
    INFO(erlangs);
    CHECK(r.pools[0].busy_s / r.measured_s == Approx(erlangs).epsilon(0.02));
    CHECK(r.pools[0].busy_s / r.pools[0].serving_s == Approx(0.8).epsilon(0.02));
    CHECK(r.pools[0].starting_s == 0);
  }
}
