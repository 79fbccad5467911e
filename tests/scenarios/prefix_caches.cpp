// Recorded prompts against simulated caches, and what a cached token costs.
#include "shortened.hpp"
#include "support/catch.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const CacheSummary& cache_of(const RunResult& run) { return *run.pools.at(0).cache; }

}  // namespace

// Mooncake's traces README and WORKLOADS: with an unlimited cache that starts empty 35.8% of input tokens are reusable. The
// engine shares whole blocks of 512 only and computes at least one token of each prompt: 35.75% by the hashes.
TEST_CASE("Kimi's chat finds 35.8% of its prompt tokens in an unlimited store", "[scenarios]") {
  const RunResult run = run_shortened("kimi-chat-cache");
  CHECK(run.service.requests.completed == 7851);
  CHECK(cache_of(run).hit_share == Approx(0.358).margin(0.003));
  const RunResult busy = run_shortened("kimi-chat-cache", {"/deployment/instances=2"});
  CHECK(cache_of(busy).hit_share == Approx(0.358).margin(0.003));  // also where requests wait for each other
}

TEST_CASE("A smaller store finds less, and HBM alone less than a store below it", "[scenarios]") {
  double last = 1;
  for (const char* capacity : {"10", "1", "0.3", "0.1"}) {
    const RunResult run =
        run_shortened("kimi-chat-cache", {std::string("/deployment/prefix_cache/tiers/0/capacity_TB=") + capacity});
    CHECK(cache_of(run).hit_share <= last + 0.002);
    last = cache_of(run).hit_share;
  }
  const RunResult hbm = run_shortened("kimi-chat-cache", {"/deployment/prefix_cache/tiers=[]"});
  CHECK(cache_of(hbm).hit_share < 0.355);
}

// 471 recorded sessions, 96.3% of prompt tokens reusable inside them (96.0 to 96.6% over the 200 users' draws).
TEST_CASE("Recorded Claude Code sessions find 96% of their prompt tokens again", "[scenarios]") {
  const RunResult run = run_shortened("agentic-code-r1", {"/workload=\"agentic-code\"", "/limits/context_tokens=163840",
                                                          "/measure={\"requests\": 8000, \"warm_up_requests\": 4000}"});
  CHECK(cache_of(run).hit_share == Approx(0.962).margin(0.012));
}

TEST_CASE("Prefixes that live five minutes are found less often than those that live an hour", "[scenarios]") {
  const auto with_life = [](const std::string& seconds) {
    return run_shortened("agentic-code-r1",
                         {"/deployment/prefix_cache/ttl_s=" + seconds, "/deployment/prefix_cache/tiers/0/ttl_s=" + seconds,
                          "/deployment/prefix_cache/tiers/1/ttl_s=" + seconds});
  };
  const RunResult minute = with_life("60"), five = with_life("300"), hour = with_life("3600");
  CHECK(cache_of(minute).hit_share < cache_of(five).hit_share);
  CHECK(cache_of(five).hit_share < cache_of(hour).hit_share);
  CHECK(minute.service.ttft.histogram().mean() > hour.service.ttft.histogram().mean());
}

// Storage: 20 TB at 0.08 USD per GB and month of 730 h, for the time of the run; loads are free here. All of it is borne
// by cached input.
TEST_CASE("Cached input costs its storage and its loads", "[scenarios]") {
  const RunResult run = run_shortened("agentic-code-r1", {"/deployment/prefix_cache/hbm=true"});
  const double hours = run.represents_s / 3600;
  CHECK(run.cost.parts.input_cached.value() == Approx(20e3 * 0.08 / 730 * hours).epsilon(1e-6));
  const RunResult loads = run_shortened("agentic-code-r1", {"/deployment/prefix_cache/tiers/0/usd_per_TB_loaded=2"});
  const double bytes = cache_of(loads).places[1].loaded_tokens * loads.pools[0].kv_bytes_per_token;
  CHECK((loads.cost.parts.input_cached - run.cost.parts.input_cached).value() == Approx(bytes / 1e12 * 2).epsilon(1e-6));
  CHECK(loads.cost.having.value() == Approx(loads.cost.parts.total().value()));
}
