// Laws that hold whatever policies are combined: nothing is lost, no policy sees the length of an answer, idle time beside
// waiting work has the name of a rule, the same seed gives the same service.
#include <algorithm>
#include <map>
#include <set>

#include "support/catch.hpp"
#include "support/policies.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr std::uint64_t kRequests = 200;

/// Everything that was decided, in the order of its end.
struct Journal final : Observer {
  std::vector<RequestRecord> records;
  std::vector<RunRecord> runs;
  void request_ended(const RequestRecord& r) override { records.push_back(r); }
  void run_ended(const RunRecord& r) override { runs.push_back(r); }
};

ServiceResult run(AnyService& service, Journal& journal) {
  service.bind();
  service.config.measure.requests = kRequests;
  service.config.measure.drain = true;
  service.config.observer = &journal;
  SessionsSource source(service.config.seed, service.rate, kRequests);
  return simulate(service.config, source);
}

SimTime covered(std::vector<std::pair<SimTime, SimTime>> spans) {
  std::sort(spans.begin(), spans.end());
  SimTime total = 0, until = 0;
  for (const auto& [from, to] : spans) {
    total += std::max<SimTime>(0, to - std::max(from, until));
    until = std::max(until, to);
  }
  return total;
}

}  // namespace

TEST_CASE("Whatever the policies, every request ends exactly once, in causal order, and classes add up",
          "[laws][policies]") {
  rc::prop("conservation", [] {
    AnyService service = any_service();
    Journal journal;
    const ServiceResult r = run(service, journal);
    RC_ASSERT(r.requests.arrived == kRequests);
    RC_ASSERT(r.requests.completed + r.requests.rejected() == kRequests);
    std::set<std::uint64_t> ids;
    for (const RequestRecord& one : journal.records) {
      RC_ASSERT(ids.insert(one.request.id).second);
      if (one.outcome != Outcome::Completed) continue;
      RC_ASSERT(one.request.arrival <= one.scheduled);
      RC_ASSERT(one.scheduled <= one.first_token);
      RC_ASSERT(one.first_token <= one.end);
    }
    RC_ASSERT(ids.size() == kRequests);
    RC_CLASSIFY(r.requests.rejected_admission > 0, "admission");
    RC_CLASSIFY(r.requests.preemptions > 0, "preemptions");
    RC_CLASSIFY(r.pools.back().batch_held_s > 0, "held by the batch tier");
    if (r.classes.empty()) return;
    RequestCounts sum;
    std::uint64_t firsts = 0;
    for (const ClassResult& one : r.classes) {
      sum.merge(one.requests);
      firsts += one.ttft.histogram().count();
    }
    RC_ASSERT(sum.arrived == r.requests.arrived);
    RC_ASSERT(sum.completed == r.requests.completed);
    RC_ASSERT(sum.rejected() == r.requests.rejected());
    RC_ASSERT(sum.preemptions == r.requests.preemptions);
    RC_ASSERT(firsts == r.ttft.histogram().count());
  });
}

TEST_CASE("Whatever the policies, the same seed gives the same service", "[laws][policies]") {
  rc::prop("determinism", [] {
    AnyService service = any_service();
    Journal one, two;
    const ServiceResult a = run(service, one), b = run(service, two);
    RC_ASSERT(a.events == b.events);
    RC_ASSERT(a.output_tokens == b.output_tokens);
    RC_ASSERT(one.records.size() == two.records.size());
    for (std::size_t i = 0; i < one.records.size(); ++i) {
      RC_ASSERT(one.records[i].request.id == two.records[i].request.id);
      RC_ASSERT(one.records[i].instance == two.records[i].instance);
      RC_ASSERT(one.records[i].end == two.records[i].end);
    }
  });
}

// Idle instance-seconds with somebody in the system are those that the waiting rule is held for: the batch tier, queue
// orders and admission leave no instance idle.
TEST_CASE("An instance idles beside waiting work only where a named rule holds it", "[laws][policies]") {
  rc::prop("work conservation", [] {
    AnyService service = any_service();
    service.config.pools.resize(1);
    PoolConfig& pool = service.config.pools[0];
    pool.role = PoolRole::Mixed;
    pool.instances = 1;
    if (pick(0, 1) == 1) pool.batching.wait = {};
    Journal journal;
    const ServiceResult r = run(service, journal);
    std::vector<std::pair<SimTime, SimTime>> busy, stays;
    for (const RunRecord& one : journal.runs) busy.emplace_back(one.start, one.end);
    for (const RequestRecord& one : journal.records)
      if (one.outcome == Outcome::Completed) stays.emplace_back(one.request.arrival, one.end);
    const double idle_s = to_seconds(covered(stays) - covered(busy)).value();
    RC_ASSERT(std::abs(idle_s - r.pools[0].held_s) <= 1e-9 * (1 + idle_s));
    RC_CLASSIFY(idle_s > 0, "held");
    if (!pool.batching.batch_tier) RC_ASSERT(r.pools[0].batch_held_s == 0);
  });
}

namespace {

/// A prepared list that differs from another in the answers' lengths only.
std::vector<Request> requests_of(std::uint64_t seed, double rate) {
  PoissonSource source(seed, rate, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(300 * random.exponential());
    r.cached_tokens = static_cast<std::int64_t>(0.5 * static_cast<double>(r.input_tokens) * random.uniform());
    r.output_tokens = 2 + static_cast<std::int64_t>(100 * random.exponential());
    r.tenant = static_cast<std::int32_t>(random.below(3));
    r.priority = static_cast<std::int32_t>(random.below(4));
    r.session = static_cast<std::int64_t>(random.below(40));
  });
  std::vector<Request> requests;
  for (std::uint64_t i = 0; i < kRequests; ++i) requests.push_back(source.take());
  return requests;
}

}  // namespace

// Two services get the same requests, but all answers that the first had not ended by some time are longer in the second.
// Up to that time everything is decided alike: who is admitted, where, and when his prompt starts.
TEST_CASE("No policy sees the length of an answer before it has ended", "[laws][policies]") {
  rc::prop("blindness", [] {
    AnyService service = any_service();
    for (PoolConfig& pool : service.config.pools) pool.mtp.draft_tokens = 0;  // the number of steps is drawn from the length
    service.config.context_limit_tokens = 0;  // the limit cuts long answers: what the engine does, not a policy
    service.bind();
    service.config.measure.requests = kRequests;
    service.config.measure.drain = true;
    const auto serve = [&](const std::vector<Request>& requests, Journal& journal) {
      service.config.observer = &journal;
      ListSource source;
      source.requests = requests;
      simulate(service.config, source);
      std::map<std::uint64_t, RequestRecord> by_id;
      for (const RequestRecord& one : journal.records) by_id[one.request.id] = one;
      return by_id;
    };
    std::vector<Request> requests = requests_of(service.config.seed, 4 * service.rate);  // queues make the orders matter
    for (Request& r : requests) r.output_tokens = std::min<std::int64_t>(r.output_tokens, 300);
    Journal short_journal, long_journal;
    const auto as_is = serve(requests, short_journal);
    const SimTime until = requests[static_cast<std::size_t>(pick(1, kRequests - 1))].arrival;
    for (Request& r : requests) {
      if (as_is.at(r.id).end > until) r.output_tokens += pick(1, 300);
    }
    const auto longer = serve(requests, long_journal);
    int started = 0;
    for (const auto& [id, before] : as_is) {
      const RequestRecord& after = longer.at(id);
      if (before.request.arrival < until && before.outcome != Outcome::Completed) RC_ASSERT(after.outcome == before.outcome);
      if (before.scheduled < until) {
        ++started;
        RC_ASSERT(after.scheduled == before.scheduled);
      } else {
        RC_ASSERT(after.scheduled >= until);
      }
      if (before.first_token < until) {
        RC_ASSERT(after.first_token == before.first_token);
        RC_ASSERT(after.instance == before.instance);
      }
      if (before.end < until) RC_ASSERT(after.end == before.end);
    }
    RC_CLASSIFY(started > 20, "many decisions");
  });
}
