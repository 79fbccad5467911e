// 1,200 requests of four vLLM 0.19 runs, recorded one by one, against the same arrivals and lengths simulated. GPU speed was
// fitted on the first run, the link between GPUs on the second (scripts/fit_vllm.py); the other two, and the second with
// the link of the third, are predictions. Source of the runs: scenarios/traces/README.md.
#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/replay_errors.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct Tolerance {
  double e2e = 0.10, ttft = 0.20;  ///< of the median absolute error per request
};

void within_tolerance(const std::string& what, const ErrorSummary& e2e, const ErrorSummary& ttft, Tolerance tolerance) {
  const auto tell = [&](const char* time, const ErrorSummary& e, double limit) {
    WARN(what << ", " << time << ": recorded requests, median absolute error " << 100 * e.median << "%, p90 " << 100 * e.p90
              << "%, bias " << 100 * e.bias << "%, tolerance " << 100 * limit << "%");
  };
  tell("E2E", e2e, tolerance.e2e);
  tell("TTFT", ttft, tolerance.ttft);
  CHECK(e2e.median <= tolerance.e2e);
  CHECK(ttft.median <= tolerance.ttft);
}

/// The published values are the 300 recorded times themselves: perfect agreement is 0.
ReplayErrors within(const std::string& service, Tolerance tolerance = {}, const std::vector<std::string>& sets = {}) {
  ReplayErrors errors = replay_errors(shipped(service, sets));
  within_tolerance(service, errors.e2e, errors.ttft, tolerance);
  return errors;
}

/// All requests of several runs together.
void pooled_within(const std::string& what, const std::vector<std::string>& services) {
  std::vector<TimePair> ttft, e2e;
  for (const std::string& service : services) {
    for (const ReplayedRequest& request : replay_errors(shipped(service)).requests) {
      ttft.push_back(request.ttft);
      e2e.push_back(request.e2e);
    }
  }
  within_tolerance(what, summary_of(e2e), summary_of(ttft), {});
}

std::vector<std::string> link(double share, double latency_us) {
  std::vector<std::string> sets{"deployment.calibration=rtx-pro-6000-vllm"};
  sets.push_back("deployment.calibration.all_reduce.scale_up.value=" + std::to_string(share));
  sets.push_back("deployment.calibration.all_reduce.latency_us.value=" + std::to_string(latency_us));
  return sets;
}

}  // namespace

TEST_CASE("Llama-3.1-8B on RTX PRO 6000, on which GPU speed is fitted", "[published]") {
  within("vllm-llama-8b-rtx-pro-6000", {0.03, 0.05});
}

TEST_CASE("Qwen3-32B on two RTX PRO 6000, on which the link is fitted", "[published]") {
  within("vllm-qwen3-32b-rtx-pro-6000", {0.03, 0.05});
}

TEST_CASE("Qwen3-32B with the link that the run with experts gives: nothing is fitted on it", "[published]") {
  within("vllm-qwen3-32b-rtx-pro-6000", {}, link(0.241, 36.7));
}

TEST_CASE("Qwen3-30B-A3B with experts over two RTX PRO 6000: nothing is fitted on it", "[published]") {
  within("vllm-qwen3-30b-a3b-rtx-pro-6000");
}

TEST_CASE("Of 1,200 recorded requests E2E is met within 10% and TTFT within 20%", "[published]") {
  pooled_within("600 requests that nothing is fitted on", {"vllm-qwen3-30b-a3b-rtx-pro-6000", "vllm-llama-8b-rtx-4090"});
  pooled_within("1,200 requests", {"vllm-llama-8b-rtx-pro-6000", "vllm-qwen3-32b-rtx-pro-6000",
                                   "vllm-qwen3-30b-a3b-rtx-pro-6000", "vllm-llama-8b-rtx-4090"});
}

// Missed by this run alone: 10% and 20% are the targets. The RTX 4090 comes closer to its data sheet than the RTX PRO 6000
// does to its own, so shares fitted there are too low here (scenarios/calibrations/README.md). What is too slow is all of
// it, by the same share.
TEST_CASE("Llama-3.1-8B on RTX 4090, another chip: nothing is fitted on it", "[published]") {
  const ReplayErrors errors = within("vllm-llama-8b-rtx-4090", {0.25, 0.27});
  CHECK(errors.e2e.bias > 0);
  CHECK(errors.e2e.p90 - errors.e2e.median < 0.08);
}

// Without it arrivals join a step too early, and first tokens of requests that need not wait come too early.
TEST_CASE("Asynchronous scheduling is in the recorded first tokens", "[published]") {
  const char* const experts = "vllm-qwen3-30b-a3b-rtx-pro-6000";
  const ReplayErrors with = replay_errors(shipped(experts));
  const ReplayErrors without = replay_errors(shipped(experts, {"deployment.batching.schedules_ahead=false"}));
  CHECK(without.ttft.median > with.ttft.median + 0.05);
}
