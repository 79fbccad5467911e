// FP8 KV, dispatch policies and context parallelism as a built service has them.
#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/build_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const char* const kSplit = "deepseek-production-2025-02";

std::vector<std::string> with_kv(const char* format) {
  return {std::string("/deployment/pools/0/precision/kv=").append(format),
          std::string("/deployment/pools/1/precision/kv=").append(format)};
}

}  // namespace

TEST_CASE("KV in 8 bit travels in half the time, fits twice and is read faster", "[study]") {
  const Scenario wide_scenario = shipped(kSplit, with_kv("bf16")), narrow_scenario = shipped(kSplit, with_kv("fp8"));
  const BuiltService wide = build_service(wide_scenario), narrow = build_service(narrow_scenario);
  CHECK(narrow.config.kv_transfer.per_token.value() == Approx(wide.config.kv_transfer.per_token.value() / 2).epsilon(1e-3));
  CHECK(static_cast<double>(narrow.decode().config.kv_tokens) ==
        Approx(2.0 * static_cast<double>(wide.decode().config.kv_tokens)).epsilon(1e-3));
  const DecodeLoad load{144 * 88, 144 * 88 * 4989.0, 144 * 88 * 4989.0};
  CHECK(narrow.decode().timer->step(load, {}) < wide.decode().timer->step(load, {}));
}

// Context parts send their share each: as many links as GPUs that hold the prompt.
TEST_CASE("KV of a prompt that is cut over GPUs leaves through all of them", "[study]") {
  const Scenario whole_scenario = shipped(kSplit);
  const Scenario cut_scenario =
      shipped(kSplit, {"/deployment/pools/0/parallelism/attention_dp=8", "/deployment/pools/0/parallelism/cp=4"});
  const BuiltService whole = build_service(whole_scenario), cut = build_service(cut_scenario);
  CHECK(cut.pools.front().gpus_per_instance() == whole.pools.front().gpus_per_instance());
  CHECK(cut.config.kv_transfer.per_token.value() == Approx(whole.config.kv_transfer.per_token.value() / 4));
}

// Fixed prompts of 1,000 and answers of 1,000: contexts even between 1,000 and 2,000, so cv = (1000 / sqrt(12)) / 1500 =
// 0.19245.
TEST_CASE("A dispatch policy takes how much contexts vary from the workload", "[study]") {
  const auto sets = [](const char* balance) {
    return std::vector<std::string>{R"(/workload/lengths/input={"law":"fixed","value":1000})",
                                    R"(/workload/lengths/output={"law":"fixed","value":1000})",
                                    std::string("/deployment/pools/1/balance=").append(balance)};
  };
  const Scenario a = shipped(kSplit, sets(R"({"dispatch":"least_sequences"})")),
                 b = shipped(kSplit, sets(R"({"dispatch":"least_sequences","context_cv":0.19245})"));
  const BuiltService computed = build_service(a), given = build_service(b);
  const DecodeLoad load{144 * 88, 144 * 88 * 1500.0, 144 * 88 * 1500.0};
  CHECK(computed.decode().timer->plan().balance.context_cv.value() == Approx(0.19245).epsilon(1e-4));
  CHECK(computed.decode().timer->step(load, {}).value() ==
        Approx(given.decode().timer->step(load, {}).value()).epsilon(1e-5));
}
