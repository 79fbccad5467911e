// SGLang's ablations of large-scale EP on H100 (LMSYS, 2025-05-05): two-batch overlap and EPLB. The published rows name
// tokens a GPU and gains; layouts are those of the same page (prefill EP32, decode EP72), context 2K. Which texts were
// served, and so how popular experts were, is not published.
#include <cmath>

#include <fmt/format.h>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/build_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

using Sets = std::vector<std::string>;

Sets sglang(Sets more) {
  const Sets base{"/calibration=h100-sxm-sglang",
                  "/deployment/pools/0/hardware=h100-sxm",
                  "/deployment/pools/1/hardware=h100-sxm",
                  "/deployment/pools/1/parallelism/attention_dp=72",
                  "/deployment/pools/1/parallelism/ep=72",
                  "/deployment/pools/1/mtp/draft_tokens=0",
                  "/deployment/pools/1/balance/context_max_over_mean=1"};
  more.insert(more.begin(), base.begin(), base.end());
  return more;
}

/// Seconds of a decode step with `per_gpu` tokens on each GPU, `drafts` + 1 of a sequence.
double decode_s(double per_gpu, Sets sets, int drafts = 0) {
  sets.push_back(fmt::format("/deployment/pools/1/mtp/draft_tokens={}", drafts));
  const Scenario scenario = shipped("deepseek-production-2025-02", sglang(std::move(sets)));
  const BuiltService service = build_service(scenario);
  const BuiltPool& pool = service.decode();
  const auto n = static_cast<std::int64_t>(per_gpu / (1 + drafts) * pool.gpus_per_instance());
  return pool.timer->step({n, static_cast<double>(n) * 2000, static_cast<double>(n) * 2000}, {}).value();
}

/// Seconds of a prefill pass over `per_gpu` tokens of prompts of 4,096 on each GPU.
double prefill_s(double per_gpu, Sets sets) {
  const Scenario scenario = shipped("deepseek-production-2025-02", sglang(std::move(sets)));
  const BuiltService service = build_service(scenario);
  const BuiltPool& pool = service.pools.front();
  const double prompts = per_gpu / 4096 * pool.gpus_per_instance();
  PrefillLoad load;
  load.tokens = prompts * 4096;
  load.attended_tokens = load.capped_attended_tokens = prompts * 4096 * 4097.0 / 2;
  load.sequences = load.finishing = static_cast<std::int64_t>(prompts);
  return pool.timer->step({}, load).value();
}

constexpr const char* kNoOverlap = "/deployment/pools/1/overlap/decode=none";

}  // namespace

TEST_CASE("SGLang on H100: two-batch overlap in decode loses with few tokens and wins with many", "[published]") {
  const double at_32 = decode_s(32, {kNoOverlap}) / decode_s(32, {}) - 1;
  const double at_256 = decode_s(256, {kNoOverlap}) / decode_s(256, {}) - 1;
  const double drafts = decode_s(256, {kNoOverlap}, 1) / decode_s(256, {}, 1) - 1;
  WARN("two-batch overlap, decode: 32 tokens published -27%, ours " << 100 * at_32 << "%; 256 published +25.5%, ours "
                                                                    << 100 * at_256 << "%; with MTP published +35%, ours "
                                                                    << 100 * drafts << "%");
  CHECK(std::abs(at_32 + 0.27) < 0.10);
  CHECK(std::abs(at_256 - 0.255) < 0.10);
  // The row with simulated MTP does not say how many tokens or what context: sign only.
  CHECK(drafts > 0.05);
}

TEST_CASE("SGLang on H100: two-batch overlap in prefill", "[published]") {
  const double gain = prefill_s(16384, {"/deployment/pools/0/overlap/prefill=none"}) / prefill_s(16384, {}) - 1;
  WARN("two-batch overlap, prefill of 16,384 tokens a GPU: published +27% to +35%, ours " << 100 * gain << "%");
  CHECK(gain > 0.27 - 0.10);
  CHECK(gain < 0.35 + 0.10);
}

TEST_CASE("SGLang on H100: EPLB, with the power law of AIConfigurator's tables", "[published]") {
  // 256 experts do not divide over 72 GPUs: without copies they lie on 64, four each as the 288 slots do on 72.
  const std::string law = R"({"law":"power_law"})";
  const Sets decode_off{"/deployment/pools/1/routing={\"popularity\":" + law + "}",
                        "/deployment/pools/1/parallelism/attention_dp=64", "/deployment/pools/1/parallelism/ep=64"};
  const Sets decode_on{"/deployment/pools/1/routing={\"popularity\":" + law + ",\"eplb\":{\"redundant_experts\":32}}"};
  const Sets prefill_off{"/deployment/pools/0/routing={\"popularity\":" + law + "}"};
  const Sets prefill_on{"/deployment/pools/0/routing={\"popularity\":" + law + ",\"eplb\":{\"redundant_experts\":32}}"};
  const double decode = decode_s(256, decode_off) / decode_s(256, decode_on);
  const double prefill = prefill_s(16384, prefill_off) / prefill_s(16384, prefill_on);
  WARN("EPLB: decode published 2.54 times, ours " << decode << "; prefill published 1.49 times, ours " << prefill);
  CHECK(decode == Approx(2.54).epsilon(0.10));
  // Known miss, not fitted away: the power law is as skewed for a prefill pass over 128 prompts a node as for a decode step,
  // and eight experts a GPU average less of it out than the published gain says.
  CHECK(prefill > 1.49 * 0.9);
  CHECK(prefill < 2.1);
}
