// Laws that any service must obey, whatever its network, GPUs, load and policies.
#include <cmath>

#include "shortened.hpp"
#include "support/catch.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

double usd(Usd amount) { return amount.value(); }

/// Every one of them may be empty: end-to-end times are not measured from a stationary start.
void check_order(const LatencyMetric& metric, const char* name) {
  const Histogram& h = metric.histogram();
  if (h.count() == 0) return;
  INFO(name);
  double before = 0;
  for (const double q : {0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
    CHECK(h.quantile(q) >= before);
    before = h.quantile(q);
  }
  CHECK(h.quantile(1.0) <= static_cast<double>(h.max()));
  CHECK(h.mean() >= 0);
  CHECK(h.mean() <= static_cast<double>(h.max()));
}

/// Observations of a metric, added up, in seconds.
double total_s(const LatencyMetric& metric) {
  return metric.histogram().mean() * 1e-9 * static_cast<double>(metric.histogram().count());
}

double busy_share(const PoolResult& pool) { return pool.busy_s / pool.provisioned_s; }

void check_requests(const RunResult& run) {
  const RequestCounts& requests = run.service.requests;
  CHECK(requests.arrived > 0);
  CHECK(requests.arrived ==
        requests.completed + requests.rejected() + requests.cancelled + requests.lost + requests.unfinished);
  CHECK(requests.truncated <= requests.arrived);
  CHECK(run.service.answers > 0);
}

void check_latencies(const RunResult& run) {
  const ServiceResult& r = run.service;
  check_order(r.ttft, "ttft");
  check_order(r.ttft_answer, "ttft_answer");
  check_order(r.tpot, "tpot");
  check_order(r.itl, "itl");
  check_order(r.e2e, "e2e");
  check_order(r.queue_wait, "queue_wait");
  check_order(r.service, "service");
  REQUIRE(r.ttft.histogram().count() > 0);
  CHECK(r.queue_wait.histogram().mean() <= r.ttft.histogram().mean());
  // A prompt is read before the first token comes: nobody waits for nothing.
  CHECK(r.ttft.histogram().quantile(1e-9) > 0);
}

void check_money(const RunResult& run) {
  const CostBreakdown& cost = run.cost;
  const double cent = 0.01;
  CHECK(std::abs(usd(cost.parts.total()) + usd(cost.unallocated) - usd(cost.having)) < cent);
  CHECK(usd(cost.in_use) <= usd(cost.having) + cent);
  const double of_tokens = cost.per_token.input->value() * (run.volume.input_computed + run.volume.input_cached) +
                           cost.per_token.output->value() * run.volume.output;
  CHECK(std::abs(of_tokens - usd(cost.having)) < cent);
  double gpu_hours = 0;
  for (const PoolSummary& pool : run.pools) gpu_hours += pool.gpu_hours;
  CHECK(gpu_hours == Approx(run.fleet.gpu_hours).epsilon(1e-9));
  CHECK(cost.per_gpu->value() * 3600 * gpu_hours == Approx(usd(cost.having)).epsilon(1e-9));
  REQUIRE(run.price.revenue);
  CHECK(usd(*run.price.revenue) > 0);
  // margin over revenue m and over cost c are one fact: c = m / (1 - m)
  const double m = *run.price.margin_over_revenue;
  CHECK(*run.price.margin_over_cost == Approx(m / (1 - m)).margin(1e-9));
}

void check_pools(const RunResult& run) {
  for (std::size_t i = 0; i < run.pools.size(); ++i) {
    const PoolResult& pool = run.service.pools[i];
    INFO("pool " << run.pools[i].name);
    CHECK(busy_share(pool) > 0);
    CHECK(busy_share(pool) <= 1 + 1e-9);
    CHECK(pool.kv_token_s <= pool.kv_capacity_token_s);
    CHECK(pool.prefill_s + pool.decode_s == Approx(pool.busy_s).epsilon(1e-6));
    for (const auto& share :
         {run.pools[i].mfu, run.pools[i].mbu, run.pools[i].balancedness, run.pools[i].kv_occupancy_mean}) {
      if (share) CHECK((*share >= 0 && *share <= 1));
    }
  }
}

/// Little's law in the batch: sequences in it = tokens per second x seconds per token. The left side is an integral over
/// the batch, the right side a sum over gaps that users saw. Tolerance 0.2%: a gap in which the batch stands still for
/// prompts counts when it ends, so the window's ends cut one an instance. A preempted sequence waits outside of the batch,
/// in a gap that its user sees: then the right side is the larger one.
void check_batch(const RunResult& run) {
  const double batch_s = run.service.pools.back().sequence_s;
  if (run.service.requests.preemptions > 0) CHECK(total_s(run.service.itl) > 0.998 * batch_s);
  else CHECK(total_s(run.service.itl) == Approx(batch_s).epsilon(0.002));
}

}  // namespace

TEST_CASE("every shipped service runs, counts every request and adds its cost up", "[scenarios]") {
  const std::string name = GENERATE(from_range(shipped_services()));
  INFO(name);
  const RunResult run = run_shortened(name);
  check_requests(run);
  check_latencies(run);
  check_money(run);
  check_pools(run);
  check_batch(run);
}

// Little's law, L = lambda W, over whole answers. Sequences in the batch (an integral) against answers per second times the
// seconds from first to last token (a mean over requests). Tolerance 4%: answers that the window's ends cut, 1% of them at
// most, hold up to four times the mean; a joining sequence is in the batch a step after its first token.
TEST_CASE("sequences in the batch are answers per second times the time of an answer", "[scenarios]") {
  const std::string name = GENERATE(as<std::string>{}, "bench-70b-8gpu", "claude-code-164k", "gpt-oss-120b-h100",
                                    "llama-70b-h100", "r1-8xh200-azure");
  INFO(name);
  const ServiceResult service = run_shortened(name).service;
  const double decoding_s = service.e2e.histogram().mean() * 1e-9 - service.ttft.histogram().mean() * 1e-9;
  CHECK(static_cast<double>(service.answers) * decoding_s == Approx(service.pools.back().sequence_s).epsilon(0.04));
}
