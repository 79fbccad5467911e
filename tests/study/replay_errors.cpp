// A recorded run beside its simulation.
#include "tokenomics/study/replay_errors.hpp"
#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

std::string refusal(const std::vector<std::string>& sets) {
  try {
    replay_errors(shipped("vllm-llama-8b-rtx-pro-6000", sets));
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

bool tells(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

}  // namespace

// Errors -20%, +10%, +50%: absolute 10, 20 and 50. Median 20%; p90 at place 1.8: 20 + 0.8 * 30 = 44%; bias +10%.
TEST_CASE("Median, p90 and bias of relative errors", "[study]") {
  const ErrorSummary errors = summary_of({{10, 8}, {1, 1.1}, {2, 3}});
  CHECK(errors.median == Approx(0.2));
  CHECK(errors.p90 == Approx(0.44));
  CHECK(errors.bias == Approx(0.1));
}

TEST_CASE("Every request of a run is compared with its own simulation", "[study]") {
  const ReplayErrors errors = replay_errors(shipped("vllm-llama-8b-rtx-pro-6000"));
  REQUIRE(errors.requests.size() == 300);
  for (const ReplayedRequest& r : errors.requests) {
    CHECK(r.ttft.measured_s > 0);
    CHECK(r.ttft.predicted_s > 0);
    CHECK(r.e2e.predicted_s > r.ttft.predicted_s);
    CHECK(r.preemptions == 0);  // KV memory is ample there
  }
  CHECK(errors.requests[0].arrival_s == 0);
  CHECK(errors.requests[0].input_tokens == 2358);
  CHECK(errors.requests[0].ttft.measured_s == Approx(0.16953));
  CHECK(errors.requests[0].e2e.measured_s == Approx(15.7134));
}

TEST_CASE("A GPU of half the speed is seen in the errors", "[study]") {
  const ReplayErrors slow =
      replay_errors(shipped("vllm-llama-8b-rtx-pro-6000", {"deployment.hardware.hbm_bandwidth_TBps=0.896",
                                                           "deployment.hardware.dense_peak_TFLOPS.bf16=251.9"}));
  CHECK(slow.e2e.bias > 0.5);
  CHECK(slow.ttft.bias > 0.5);
}

TEST_CASE("Only the plain replay of a whole run can be compared", "[study]") {
  const char* const expected = "expected arrivals and lengths of a whole vllm trace at its own speed, once";
  CHECK(tells(refusal({"workload.trace.speed=2"}), expected));
  CHECK(tells(refusal({"workload.trace.from_s=1"}), expected));
  CHECK(tells(refusal({"workload.trace.loop=true"}), expected));
  CHECK(tells(refusal({"workload=chat-2023"}), expected));
}

TEST_CASE("A request that ends otherwise than in the run is refused by its number", "[study]") {
  CHECK(tells(refusal({"limits.context_tokens=2500"}), "request 0 does not end"));
}
