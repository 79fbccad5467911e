// DeepSeek's published profiles (deepseek-ai/profile-data) against the roofline with the February 2025 calibration, which
// was fitted on kernel rows alone. Each case prints value, ours and deviation.
#include <algorithm>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/build_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// EP128, 128 requests a GPU with two query tokens each, 4,096 of context, routing forced even, DeepSeek's overlap.
BuiltPool decode_profile(const Scenario& scenario) {
  BuiltService service = build_service(scenario);
  return std::move(service.pools.back());
}

Scenario profile_scenario() {
  return shipped("deepseek-production-2025-02",
                 {"/deployment/pools/1/parallelism/attention_dp=128", "/deployment/pools/1/parallelism/ep=128",
                  "/deployment/pools/1/routing/redundant_experts=0", "/deployment/pools/1/routing/force_balance=true",
                  "/deployment/pools/1/balance/context_max_over_mean=1", "/deployment/pools/0/routing/force_balance=true"});
}

constexpr std::int64_t kSequences = 128 * 128;

StepExplanation decode_step(const Scenario& scenario) {
  const BuiltPool pool = decode_profile(scenario);
  return pool.timer->explain({kSequences, 4096.0 * kSequences, 4096.0 * kSequences}, {});
}

/// Time of one call of a layer operator (a half batch of one layer), microseconds.
double call_us(const StepExplanation& step, const std::string& name) {
  const auto op = std::find_if(step.operators.begin(), step.operators.end(),
                               [&](const OperatorTime& o) { return o.name == name && o.calls > 1; });
  REQUIRE(op != step.operators.end());
  return op->time.value() * 1e6 / op->calls;
}

void within(const char* what, double published, double ours, double tolerance) {
  WARN(what << ": published " << published << ", ours " << ours << ", deviation " << 100 * (ours / published - 1)
            << "%, tolerance " << 100 * tolerance << "%");
  CHECK(ours == Approx(published).epsilon(tolerance));
}

}  // namespace

TEST_CASE("The H800 calibration is fitted on kernel rows only", "[published]") {
  const Calibration calibration = load_calibration("h800-deepseek-2025-02", shipped_catalogue());
  REQUIRE_FALSE(calibration.fitted_on.empty());
  for (const std::string& data : calibration.fitted_on) {
    INFO(data);
    CHECK(data.find("rows") != std::string::npos);
    for (const char* end_to_end : {"profile", "production", "serving", "end to end", "end-to-end"})
      CHECK(data.find(end_to_end) == std::string::npos);
  }
}

TEST_CASE("DeepSeek's decode profile: 61 layers in 87.3 ms, core 255, dispatch 187, combine 394 us", "[published]") {
  const StepExplanation step = decode_step(profile_scenario());
  within("layers, ms", 87.3, step.layers.value() * 1e3, 0.10);
  within("attention core per half batch, us", 255, call_us(step, "attention_core"), 0.15);
  within("dispatch per half batch, us", 187, call_us(step, "dispatch"), 0.15);
  within("combine per half batch, us", 394, call_us(step, "combine"), 0.15);
}

TEST_CASE("Halving the network's efficiency breaks the decode profile", "[published]") {
  Scenario slow = profile_scenario();
  slow.deployment.pools[1].calibration.all_to_all_low_latency.scale_out.value *= 0.5;
  CHECK(decode_step(slow).layers.value() * 1e3 > 1.1 * 87.3);
}

TEST_CASE("DeepSeek's prefill profile: 62,713 tokens/s of a node", "[published]") {
  const Scenario scenario = profile_scenario();
  const BuiltService service = build_service(scenario);
  // 4 prompts of 4,096 tokens on each of 32 GPUs, nothing cached.
  const double prompts = 4 * 32, tokens = 4096 * prompts, attended = prompts * 4096.0 * 4097 / 2;
  const Seconds pass = service.pools.front().timer->step({}, {tokens, attended, attended, 0, 128, 128});
  within("prefill, tokens/s of a node", 62713, tokens / pass.value() / 4, 0.15);
}
