// What holds of engines that hold prompts for company, whatever else they do.
#include "support/any_service.hpp"

#include "support/catch.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct Ends final : Observer {
  std::map<std::uint64_t, RequestRecord> of;
  void request_ended(const RequestRecord& r) override { of[r.request.id] = r; }
};

/// One mixed pool that holds prompts for company.
AnyService any_waiting() {
  AnyService service = any_service();
  service.config.pools.resize(1);
  PoolConfig& pool = service.config.pools[0];
  pool.role = PoolRole::Mixed;
  add_start_wait(pool);
  pool.batching.schedules_ahead = pick(0, 1) == 1;
  pool.mtp = {};                 // with drafts, leaps are right in the mean only
  pool.kv_tokens = 100'000'000;  // ample: single steps notice sooner that a growing batch took the room of who is held
  service.rate = 0.5 * pick(1, 100);
  return service;
}

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

TEST_CASE("An engine that holds prompts for company leaps to where single steps lead", "[laws][start_waits]") {
  rc::prop("leaps and steps", [] {
    AnyService service = any_waiting();
    Ends leaps, steps;
    const ServiceResult a = run(service, false, leaps), b = run(service, true, steps);
    RC_ASSERT(leaps.of.size() == steps.of.size());
    for (const auto& [id, r] : leaps.of) {
      const RequestRecord& s = steps.of.at(id);
      RC_ASSERT(std::abs(r.end - s.end) <= 2000);
      if (r.first_token != kNever) RC_ASSERT(std::abs(r.first_token - s.first_token) <= 2000);
    }
    RC_ASSERT(std::abs(a.pools[0].start_held_s - b.pools[0].start_held_s) <= 1e-5);
    RC_CLASSIFY(a.pools[0].start_held_s > 0, "held");
  });
}

// One step's time, and whatever is dense enough: such a rule can hold nobody.
TEST_CASE("A rule that asks for no company holds nobody", "[laws][start_waits]") {
  rc::prop("no company", [] {
    AnyService service = any_waiting();
    BatchingSpec& b = service.config.pools[0].batching;
    if (b.batch_wait) b.batch_wait->tokens_ratio = 1e-9;
    else b.max_sequences = pick(1, static_cast<int>(service.config.pools[0].ranks));  // with all of them decoding: no place
    Ends with, without;
    const ServiceResult a = run(service, false, with);
    b.batch_wait.reset();
    b.rank_balance_wait.reset();
    run(service, false, without);
    RC_ASSERT(a.pools[0].start_held_s == 0);
    for (const auto& [id, r] : with.of) RC_ASSERT(r.end == without.of.at(id).end);
  });
}
