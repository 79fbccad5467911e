// An instance that fails in the middle of its work, worked by hand. The time of the failure is random: it is read off the
// run itself, and everything after it follows.
#include "support/catch.hpp"
#include "support/fleet_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// Two instances, of which requests go to the first and the second in turn; steps of 10 ms.
ServiceConfig two_instances(const StepTimer& timer, const FailureLaw& law) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].instances = 2;
  config.fleet = {plain_fleet(2, 2)};
  config.fleet[0].failures = law;
  config.fleet[0].start_up = {100, 3, 2};
  return config;
}

LinearTimer ten_ms() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  return timer;
}

/// Time at which the instance stopped in the middle of a step.
struct Broken final : Observer {
  std::map<std::uint64_t, RequestRecord> of;
  std::map<int, SimTime> failed_at;
  void run_ended(const RunRecord& r) override {
    if (r.steps == 0) failed_at[r.instance] = r.end;
  }
  void request_ended(const RequestRecord& r) override { of[r.request.id] = r; }
};

struct Outcome2 {
  Broken seen;
  ServiceResult result;
};

Outcome2 run(ServiceConfig config, std::vector<Request> requests) {
  ListSource source;
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].id = i;
  source.requests = std::move(requests);
  Outcome2 out;
  config.observer = &out.seen;
  config.measure.requests = source.requests.size();
  config.measure.drain = true;
  out.result = simulate(config, source);
  return out;
}

}  // namespace

// One request of 10 prompt tokens and 2,000 output tokens on instance 0: 20 s of steps. Instances fail after 25 s on
// average. Instance 0 fails at time f in its k-th step (k = floor(f / 10 ms) steps are done, and the user has k tokens).
// 0.5 s later instance 1 computes prompt and answer so far in one step, which gives token k + 1, and then 2,000 - k - 1
// more: the end is f + 0.5 s + (2,000 - k) steps, if instance 1 lives so long.
TEST_CASE("A retried request is computed again elsewhere from the tokens that its user has", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = two_instances(timer, {25, 1000, 0.5, true, true});
  int worked = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    config.seed = seed;
    const Outcome2 o = run(config, {request(0, 10, 2000)});
    const RequestRecord& r = o.seen.of.at(0);
    if (r.retries != 1 || o.result.pools[0].failures != 1) continue;
    const SimTime failed = o.seen.failed_at.at(0);
    const auto done = static_cast<std::int64_t>(failed / ms(10));
    if (done == 0) continue;
    INFO("seed " << seed << ", failed at " << failed);
    ++worked;
    CHECK(r.outcome == Outcome::Completed);
    CHECK(r.first_token == ms(10));
    CHECK(r.instance == 1);
    CHECK(r.end == failed + ms(500) + (2000 - done) * ms(10));
    CHECK(o.result.requests.retries == 1);
    CHECK(o.result.output_tokens == Approx(2000));
    CHECK(o.result.input_computed_tokens == 10);
    // The step under way when it failed was in vain; one step computes the answer so far again, and is a token.
    const double vain_s = static_cast<double>(failed % ms(10)) * 1e-9;
    CHECK(o.result.pools[0].busy_s == Approx(20.0 + vain_s).epsilon(1e-9));
    CHECK(o.result.pools[0].prompt_tokens == Approx(10 + 10 + done));
    // One gap holds the outage: from the failure to the end of the step that computes it again.
    CHECK(o.result.itl.histogram().max() == Approx(510e6).epsilon(0.01));
  }
  CHECK(worked >= 5);
}

TEST_CASE("A lost request ends when the failure is detected and misses every objective", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = two_instances(timer, {25, 1000, 0.5, false, true});
  config.measure.slo_ttft_s = 10;
  int worked = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    config.seed = seed;
    const Outcome2 o = run(config, {request(0, 10, 2000)});
    if (o.seen.of.at(0).outcome == Outcome::Completed) continue;
    ++worked;
    CHECK(o.seen.of.at(0).outcome == Outcome::LostToFailure);
    CHECK(o.seen.of.at(0).end == o.seen.failed_at.at(0) + ms(500));
    CHECK(o.result.requests.lost == 1);
    CHECK(o.result.requests.completed == 0);
    CHECK(o.result.met_all == 0);
    CHECK(o.result.judged_all == 1);
  }
  CHECK(worked >= 5);
}

// One instance: a request that comes while it is down waits for it. It fails at f, is repaired for 7 s and needs 3 s for
// its weights and 2 s to warm up: up again at f + 12 s.
TEST_CASE("Where no instance is up requests wait for the first that is", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = two_instances(timer, {25, 7, 0.5, true, true});
  config.pools[0].instances = 1;
  config.fleet[0].scaling.max_instances = 1;
  int worked = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    config.seed = seed;
    const Outcome2 o = run(config, {request(0, 10, 2000)});
    const RequestRecord& r = o.seen.of.at(0);
    if (r.retries != 1) continue;
    const SimTime failed = o.seen.failed_at.at(0);
    const auto done = static_cast<std::int64_t>(failed / ms(10));
    if (done == 0) continue;
    ++worked;
    CHECK(r.end == failed + ms(12'000) + (2000 - done) * ms(10));
    CHECK(o.result.pools[0].failures == 1);
    CHECK(o.result.pools[0].down_s == Approx(12));
    CHECK(o.result.pools[0].provisioned_s == Approx(static_cast<double>(r.end) * 1e-9));
  }
  CHECK(worked >= 5);
}

// Prefill instances lose the KV that is on its way from them; decode instances what they hold. Everything comes to its end
// all the same, and the user is charged for each prompt once.
TEST_CASE("Transfers from a failed prefill instance are lost, and their prompts computed again", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.pools.push_back(config.pools[0]);
  config.pools[0].role = PoolRole::Prefill;
  config.pools[1].role = PoolRole::Decode;
  config.pools[0].instances = config.pools[1].instances = 3;
  config.kv_transfer = {Seconds{0.5}, Seconds{0}};
  config.fleet = {plain_fleet(3, 3), plain_fleet(3, 3)};
  config.fleet[0].failures = FailureLaw{2, 1, 0.25, true, true};
  config.fleet[1].failures = FailureLaw{20, 1, 0.25, true, true};
  std::vector<Request> requests;
  for (int i = 0; i < 400; ++i) requests.push_back(request(50.0 * i, 100, 1 + i % 60));
  const Outcome2 o = run(config, requests);
  CHECK(o.result.requests.completed == 400);
  CHECK(o.result.requests.retries > 40);
  CHECK(o.result.input_computed_tokens == 400 * 100);
  std::int64_t tokens = 0;
  for (const auto& [id, r] : o.seen.of) tokens += r.request.output_tokens;
  CHECK(o.result.output_tokens == Approx(static_cast<double>(tokens)));
  CHECK(o.result.ttft.histogram().count() == 400);
}

// Until the failure is known the router takes the dead instance to hold what it has sent there: 0.5 s after it both the
// request in it and one that came in between go elsewhere. Instance 1 never fails here before the end.
TEST_CASE("Requests sent to a dead instance before anybody knows wait there until it is known", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = two_instances(timer, {25, 1000, 0.5, true, true});
  int worked = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    config.seed = seed;
    const Outcome2 before = run(config, {request(0, 10, 2000)});
    if (before.result.requests.retries != 1 || before.result.pools[0].failures != 1) continue;
    const double failed_ms = static_cast<double>(before.seen.failed_at.at(0)) * 1e-6;
    // Round robin: the second goes to instance 1, the third, 100 ms after the failure, to the dead one.
    const Outcome2 o = run(config, {request(0, 10, 2000), request(failed_ms - 50, 10, 1), request(failed_ms + 100, 10, 1)});
    if (o.result.pools[0].failures != 1) continue;
    ++worked;
    CHECK(o.result.requests.retries == 2);
    CHECK(o.seen.of.at(2).retries == 1);
    CHECK(o.seen.of.at(2).instance == 1);
    CHECK(o.seen.of.at(2).scheduled >= before.seen.failed_at.at(0) + ms(500));
  }
  CHECK(worked >= 5);
}
