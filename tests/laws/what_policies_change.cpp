// What routers and the batch tier change, on services where the answer is known: fixed seeds, statistical.
#include <map>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// Ten servers of one place each at 90% of what they can do: exponential service of 100 steps of 1 ms in the mean.
double mean_wait_s(RouterPolicy policy) {
  LinearTimer timer;
  ServiceConfig config;
  config.pools = {mixed_pool(timer)};
  config.pools[0].instances = 10;
  config.pools[0].batching.max_sequences = 1;
  config.router = policy;
  config.measure.warm_up_requests = 2'000;
  config.measure.requests = 60'000;
  PoissonSource source(1, 0.9 * 10 / 0.1, [](RandomStream& random, Request& r) {
    r.input_tokens = 10;
    r.output_tokens = 1 + static_cast<std::int64_t>(100 * random.exponential());
  });
  return simulate(config, source).queue_wait.histogram().mean() * 1e-9;
}

/// Of the prompt tokens of all calls, those that the call before it in its session had left in the instance it went to.
struct Reuse final : Observer {
  double reusable = 0, reused = 0;
  std::map<std::int64_t, std::pair<int, std::int64_t>> last;  // session -> instance and tokens
  void request_ended(const RequestRecord& r) override {
    const auto before = last.find(r.request.session);
    if (before != last.end()) {
      reusable += static_cast<double>(before->second.second);
      if (before->second.first == r.instance) reused += static_cast<double>(before->second.second);
    }
    last[r.request.session] = {r.instance, r.request.input_tokens};
  }
};

double reused_share(RouterPolicy policy) {
  LinearTimer timer;
  timer.per_prompt_token_s = 1e-5;
  ServiceConfig config;
  config.pools = {mixed_pool(timer)};
  config.pools[0].instances = 8;
  config.router = policy;
  config.measure.requests = 8'000;
  config.measure.drain = true;
  Reuse reuse;
  config.observer = &reuse;
  SessionsSource source(3, 40, 8'000);
  simulate(config, source);
  REQUIRE(reuse.reusable > 1e6);
  return reuse.reused / reuse.reusable;
}

/// Interactive requests alone, or with a flood of batch work beside them.
ServiceResult with_batch_work(bool flood, bool has_tier) {
  LinearTimer timer;
  timer.fixed_s = 10e-3;
  timer.per_sequence_s = 20e-6;
  timer.per_prompt_token_s = 1e-6;
  ServiceConfig config;
  config.pools = {mixed_pool(timer)};
  config.pools[0].batching.max_sequences = 100;
  config.pools[0].batching.max_tokens_per_step = 2000;
  config.pools[0].batching.queue = QueueOrder::Priority;
  if (has_tier) config.pools[0].batching.batch_tier = BatchTier{1, 0.6, true};
  config.priority_classes = 2;
  config.measure.warm_up_s = 100;
  config.measure.duration_s = 1000;
  struct Mix final : RequestSource {
    PoissonSource interactive{5, 20, [](RandomStream& random, Request& r) {
                                r.input_tokens = 100 + static_cast<std::int64_t>(200 * random.exponential());
                                r.output_tokens = 1 + static_cast<std::int64_t>(150 * random.exponential());
                              }};
    PoissonSource batch{6, 40, [](RandomStream& random, Request& r) {
                          r.input_tokens = 100 + static_cast<std::int64_t>(200 * random.exponential());
                          r.output_tokens = 1 + static_cast<std::int64_t>(150 * random.exponential());
                          r.priority = 1;
                        }};
    bool flooded = false;
    std::uint64_t id = 0;
    SimTime next_arrival() const override {
      return flooded ? std::min(interactive.next_arrival(), batch.next_arrival()) : interactive.next_arrival();
    }
    Request take() override {
      const bool is_batch = flooded && batch.next_arrival() < interactive.next_arrival();
      Request r = is_batch ? batch.take() : interactive.take();
      r.id = id++;
      return r;
    }
    void ended(const Request&, SimTime) override {}
  } mix;
  mix.flooded = flood;
  return simulate(config, mix);
}

}  // namespace

// Mitzenmacher: two choices come close to the least loaded, far from blind choice.
TEST_CASE("Under load power of two waits longer than least loaded and shorter than round robin", "[laws][routing]") {
  const double round_robin = mean_wait_s(RouterPolicy::RoundRobin), two = mean_wait_s(RouterPolicy::PowerOfTwo),
               least = mean_wait_s(RouterPolicy::LeastLoaded);
  CAPTURE(round_robin, two, least);
  CHECK(least < 0.8 * two);
  CHECK(two < 0.8 * round_robin);
  // As sim/README.md says.
  CHECK(round_robin == Approx(0.45).epsilon(0.03));
  CHECK(two == Approx(0.20).epsilon(0.03));
  CHECK(least == Approx(0.09).epsilon(0.03));
}

// Of eight instances a router that does not look finds the session's own about one time in eight (round robin less often:
// the next call of a session comes before its turn is round again).
TEST_CASE("Cache-aware and session-affine routing find a session's tokens again, round robin by chance", "[laws][routing]") {
  const double blind = reused_share(RouterPolicy::RoundRobin), aware = reused_share(RouterPolicy::CacheAware),
               sticky = reused_share(RouterPolicy::SessionAffinity);
  CAPTURE(blind, aware, sticky);
  CHECK(blind < 1.1 / 8);
  CHECK(sticky == 1);
  CHECK(aware > 0.9);
  CHECK(blind == Approx(0.09).epsilon(0.06));  // as sim/README.md says
  CHECK(aware == Approx(0.996).epsilon(0.001));
}

// 20/s of 150 steps of 11 ms hold some 35 of 100 places: a flood fills the instance up to 60.
TEST_CASE("A batch tier raises the use of an instance and leaves first tokens of the others alone", "[laws][batch_tier]") {
  const ServiceResult alone = with_batch_work(false, true), filled = with_batch_work(true, true),
                      mixed = with_batch_work(true, false);
  const auto ttft = [](const ServiceResult& r) { return r.classes[0].ttft.histogram().mean(); };
  const auto batch = [](const ServiceResult& r) { return r.pools[0].sequence_s / r.measured_s; };
  CAPTURE(ttft(alone), ttft(filled), ttft(mixed), batch(alone), batch(filled), batch(mixed));
  CHECK(ttft(filled) < 1.15 * ttft(alone));  // steps are longer by the batch tier's sequences; nothing waits for them
  CHECK(batch(filled) > 1.4 * batch(alone));
  CHECK(ttft(mixed) > ttft(filled));
  // As sim/README.md says.
  CHECK(batch(alone) == Approx(32).epsilon(0.02));
  CHECK(batch(filled) == Approx(61).epsilon(0.02));
  CHECK(ttft(filled) / ttft(alone) == Approx(1.06).epsilon(0.02));
  CHECK(ttft(mixed) / ttft(alone) == Approx(2.5).epsilon(0.03));
  CHECK(filled.pools[0].batch_held_s > 0);
  CHECK(filled.classes[0].requests.completed ==
        Approx(static_cast<double>(alone.classes[0].requests.completed)).epsilon(0.01));
  CHECK(filled.classes[1].answers_tokens > 0);
}
