// What holds of an engine that looks for arrivals every few steps, whatever else it does.
#include "support/policies.hpp"

#include "support/catch.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// One mixed or two split pools; queues are first come, first served, as polling asks for.
AnyService any_polling() {
  AnyService service = any_service();
  for (PoolConfig& pool : service.config.pools) {
    pool.batching.queue = QueueOrder::Fcfs;
    pool.batching.batch_tier.reset();
    pool.batching.poll_steps = pick(1, 12);
    pool.mtp = {};  // with drafts, leaps are right in the mean only
    // Ample: whether there is room is asked at events, and single steps notice sooner that a growing batch took it, with
    // polling or without. (tests/sim/step_by_step.cpp has a case in which memory runs out.)
    pool.kv_tokens = 100'000'000;
  }
  service.rate = 0.5 * pick(1, 100);
  return service;
}

struct Ends final : Observer {
  std::vector<RequestRecord> records;
  void request_ended(const RequestRecord& r) override { records.push_back(r); }
};

ServiceResult run(AnyService& service, bool step_by_step, Ends& ends) {
  service.bind();
  PoissonSource source(service.config.seed, service.rate, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(300 * random.exponential());
    r.output_tokens = 1 + static_cast<std::int64_t>(50 * random.exponential());
  });
  service.config.measure.requests = 120;
  service.config.measure.drain = true;
  service.config.step_by_step = step_by_step;
  service.config.observer = &ends;
  return simulate(service.config, source);
}

}  // namespace

TEST_CASE("An engine that polls leaps to where single steps lead", "[laws][polling]") {
  rc::prop("leaps and steps", [] {
    AnyService service = any_polling();
    Ends leaps, steps;
    const ServiceResult a = run(service, false, leaps), b = run(service, true, steps);
    RC_ASSERT(leaps.records.size() == steps.records.size());
    std::map<std::uint64_t, RequestRecord> by_id;
    for (const RequestRecord& r : steps.records) by_id.emplace(r.request.id, r);
    for (const RequestRecord& r : leaps.records) {
      const RequestRecord& s = by_id.at(r.request.id);
      RC_ASSERT(std::abs(r.end - s.end) <= 2000);
      if (r.first_token != kNever) RC_ASSERT(std::abs(r.first_token - s.first_token) <= 2000);
    }
    for (std::size_t i = 0; i < a.pools.size(); ++i)
      RC_ASSERT(std::abs(a.pools[i].poll_held_s - b.pools[i].poll_held_s) <= 1e-5);
    RC_CLASSIFY(a.pools.back().poll_held_s > 0, "held");
  });
}

TEST_CASE("A poll after every step is none", "[laws][polling]") {
  rc::prop("poll_steps 1", [] {
    AnyService service = any_polling();
    for (PoolConfig& pool : service.config.pools) pool.batching.poll_steps = 1;
    Ends ends;
    const ServiceResult r = run(service, false, ends);
    for (const PoolResult& pool : r.pools) RC_ASSERT(pool.poll_held_s == 0);
  });
}
