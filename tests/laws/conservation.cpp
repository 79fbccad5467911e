// Laws of the engine over generated services: nothing is lost, nothing happens before its cause, nobody idles beside
// admissible work, and the same seed gives the same bytes.
#include <map>

#include "support/catch.hpp"
#include "support/trivial_service.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct Case {
  LinearTimer prompt_timer, decode_timer;
  ServiceConfig config;
  double rate;
};

struct Checker final : Observer {
  std::uint64_t completed = 0, rejected = 0;
  std::int64_t tokens = 0;
  std::map<std::pair<int, int>, SimTime> last_end;
  void request_ended(const RequestRecord& r) override {
    if (r.outcome != Outcome::Completed) {
      ++rejected;
      return;
    }
    ++completed;
    tokens += r.request.output_tokens;
    RC_ASSERT(r.request.arrival <= r.scheduled);
    RC_ASSERT(r.scheduled <= r.first_token);
    RC_ASSERT(r.first_token <= r.end);
  }
  void run_ended(const RunRecord& r) override {
    RC_ASSERT(r.start < r.end);
    RC_ASSERT(r.start >= last_end[std::make_pair(r.pool, r.instance)]);
    last_end[std::make_pair(r.pool, r.instance)] = r.end;
  }
};

Case generate() {
  Case c;
  const auto pick = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
  for (LinearTimer* timer : {&c.prompt_timer, &c.decode_timer}) {
    timer->fixed_s = 1e-4 * pick(1, 50);
    timer->per_sequence_s = 1e-6 * pick(0, 50);
    timer->per_context_s = 1e-9 * pick(0, 50);
    timer->per_prompt_token_s = 1e-7 * pick(0, 100);
    timer->cap = pick(0, 1) * pick(1, 500);
    timer->longest_run = pick(1, 1000);
  }
  const bool disaggregated = pick(0, 1) == 1;
  const auto pool = [&](const LinearTimer& timer) {
    PoolConfig p = mixed_pool(timer);
    p.instances = pick(1, 4);
    p.ranks = pick(1, 3);
    p.batching.policy = pick(0, 1) == 1 ? BatchPolicy::PrefillFirst : BatchPolicy::ChunkedMixed;
    p.batching.max_sequences = pick(1, 60);
    p.batching.max_tokens_per_step = pick(3, 2000);
    p.batching.chunked_prefill = pick(0, 1) == 1;
    p.batching.wait = {pick(1, 6), 0.01 * pick(0, 20)};
    p.batching.schedules_ahead = pick(0, 1) == 1;
    p.block_tokens = pick(1, 64);
    p.kv_tokens = static_cast<std::int64_t>(p.ranks) * (3000 + pick(0, 6000));
    p.mtp.draft_tokens = pick(0, 2);
    p.mtp.acceptance = {0.01 * pick(0, 100), 0.01 * pick(0, 100)};
    return p;
  };
  c.config.pools = {pool(c.prompt_timer)};
  if (disaggregated) {
    c.config.pools[0].role = PoolRole::Prefill;
    c.config.pools.push_back(pool(c.decode_timer));
    c.config.pools[1].role = PoolRole::Decode;
    c.config.kv_transfer = {Seconds{1e-3 * pick(0, 50)}, Seconds{1e-6 * pick(0, 10)}};
  }
  c.config.router = pick(0, 1) == 1 ? RouterPolicy::LeastLoaded : RouterPolicy::RoundRobin;
  if (pick(0, 3) == 0) c.config.queue_limit_requests = pick(1, 20);
  if (pick(0, 1) == 0) c.config.context_limit_tokens = pick(100, 2000);
  c.config.measure.requests = 300;
  c.config.measure.drain = true;
  c.config.seed = static_cast<std::uint64_t>(pick(1, 1000));
  c.rate = 0.5 * pick(1, 100);
  return c;
}

PoissonSource source_of(const Case& c) {
  return PoissonSource(c.config.seed, c.rate, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(300 * random.exponential());
    r.cached_tokens = static_cast<std::int64_t>(0.5 * static_cast<double>(r.input_tokens) * random.uniform());
    r.output_tokens = 1 + static_cast<std::int64_t>(100 * random.exponential());
  });
}

}  // namespace

TEST_CASE("Every arrived request is completed or rejected, in causal order, and every token is emitted", "[laws]") {
  rc::prop("conservation", [] {
    Case c = generate();
    for (PoolConfig& pool : c.config.pools) pool.timer = pool.role == PoolRole::Decode ? &c.decode_timer : &c.prompt_timer;
    Checker checker;
    c.config.observer = &checker;
    PoissonSource source = source_of(c);
    const ServiceResult r = simulate(c.config, source);
    RC_ASSERT(r.requests.arrived == 300u);
    RC_ASSERT(r.requests.unfinished == 0u);
    RC_ASSERT(r.requests.completed + r.requests.rejected() == 300u);
    RC_ASSERT(checker.completed == r.requests.completed);
    RC_ASSERT(checker.rejected == r.requests.rejected());
    // Fractions of a token that expectation leaves open stay below one a request.
    const bool drafts = c.config.pools.back().mtp.draft_tokens > 0 || r.requests.preemptions > 0;
    RC_ASSERT(std::abs(r.output_tokens - static_cast<double>(checker.tokens)) <= (drafts ? 300.0 : 1e-6 * r.output_tokens));
    for (const PoolResult& pool : r.pools) {
      RC_ASSERT(pool.busy_s <= pool.provisioned_s * (1 + 1e-9));
      RC_ASSERT(std::abs(pool.prefill_s + pool.decode_s - pool.busy_s) <= 1e-9 * (1 + pool.busy_s));
      RC_ASSERT(pool.kv_token_s <= pool.kv_capacity_token_s * (1 + 1e-9));
    }
  });
}

TEST_CASE("The same seed gives the same service and another seed another", "[laws]") {
  rc::prop("determinism", [] {
    Case c = generate();
    for (PoolConfig& pool : c.config.pools) pool.timer = pool.role == PoolRole::Decode ? &c.decode_timer : &c.prompt_timer;
    PoissonSource one = source_of(c), two = source_of(c);
    const ServiceResult a = simulate(c.config, one), b = simulate(c.config, two);
    RC_ASSERT(a.e2e.histogram().mean() == b.e2e.histogram().mean());
    RC_ASSERT(a.output_tokens == b.output_tokens);
    RC_ASSERT(a.events == b.events);
    RC_ASSERT(a.pools[0].busy_s == b.pools[0].busy_s);
  });
}

// With one instance, no waiting rule and room for everybody, the server is busy whenever someone is in the system.
TEST_CASE("An instance never idles while somebody is in the system", "[laws]") {
  rc::prop("work conservation", [] {
    Case c = generate();
    c.config.pools.resize(1);
    PoolConfig& pool = c.config.pools[0];
    pool.role = PoolRole::Mixed;
    pool.instances = 1;
    pool.timer = &c.prompt_timer;
    pool.batching.wait = {};
    struct Busy final : Observer {
      std::vector<std::pair<SimTime, SimTime>> runs, stays;
      void run_ended(const RunRecord& r) override { runs.emplace_back(r.start, r.end); }
      void request_ended(const RequestRecord& r) override {
        if (r.outcome == Outcome::Completed) stays.emplace_back(r.request.arrival, r.end);
      }
    } busy;
    c.config.observer = &busy;
    PoissonSource source = source_of(c);
    simulate(c.config, source);
    const auto covered = [](std::vector<std::pair<SimTime, SimTime>> spans) {
      std::sort(spans.begin(), spans.end());
      SimTime total = 0, until = 0;
      for (const auto& [from, to] : spans) {
        total += std::max<SimTime>(0, to - std::max(from, until));
        until = std::max(until, to);
      }
      return total;
    };
    RC_ASSERT(covered(busy.runs) == covered(busy.stays));
  });
}
