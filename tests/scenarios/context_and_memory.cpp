// What a context limit refuses and what it costs in memory; networks that do not fit.
#include "shortened.hpp"
#include "support/catch.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const char* const kCode = "claude-code-164k";

double refused_share(const RunResult& run) {
  const RequestCounts& requests = run.service.requests;
  return static_cast<double>(requests.rejected_context_limit) / static_cast<double>(requests.arrived);
}

RunResult code_with_limit(const std::string& tokens) {
  return run_shortened(kCode, {"/measure/duration_s=1200", "/limits/context_tokens=" + tokens});
}

std::string why_not(const std::string& service, const std::vector<std::string>& sets) {
  try {
    run_shortened(service, sets);
    return "it runs";
  } catch (const Infeasible& reason) {
    return reason.what();
  }
}

}  // namespace

TEST_CASE("a 64K window refuses more coding requests than a 164K one", "[scenarios]") {
  const RunResult small = code_with_limit("65536"), large = code_with_limit("163840");
  CHECK(refused_share(small) > 0.25);
  CHECK(refused_share(small) > 2 * refused_share(large));
  // What stays is longer where longer prompts are allowed.
  const auto mean_prompt = [](const RunResult& run) {
    return (run.volume.input_computed + run.volume.input_cached) / static_cast<double>(run.service.answers);
  };
  CHECK(mean_prompt(large) > 1.5 * mean_prompt(small));
}

TEST_CASE("prompts and answers within 65,536 tokens are never refused by a 64K window", "[scenarios]") {
  // The workload's longest prompt is 57,344 tokens, its longest answer 32,768: some are cut at the limit, none refused.
  const RunResult run = run_shortened("deepseek-api-spring-2025");
  CHECK(run.service.requests.rejected_context_limit == 0);
  CHECK(run.max_context_tokens == 65536);
}

TEST_CASE("a full window of KV cache is 4.61 GB at 64K and 11.5 GB at 160K", "[scenarios]") {
  // One latent of 512 + 64 elements for each of 61 layers: 61 x 576 x 2 B = 70,272 B in BF16, half of it in FP8.
  const RunResult bf16 = run_shortened("r1-8xh200-azure", {"/measure/duration_s=60"});
  const RunResult fp8 = run_shortened("r1-8xh200-azure", {"/measure/duration_s=60", "/deployment/precision/kv=fp8"});
  CHECK(bf16.pools[0].kv_bytes_per_token == 70272);
  CHECK(fp8.pools[0].kv_bytes_per_token == Approx(35136).epsilon(0.001));  // and its scales
  CHECK(bf16.pools[0].kv_bytes_per_token * 65536 / 1e9 == Approx(4.61).margin(0.005));
  CHECK(bf16.pools[0].kv_bytes_per_token * 163840 / 1e9 == Approx(11.51).margin(0.005));
}

TEST_CASE("a window 2.5 times as long holds 2.5 times fewer full sequences and costs nothing to those who do not fill it",
          "[scenarios]") {
  const RunResult small = run_shortened("r1-8xh200-azure", {"/measure/duration_s=600", "/limits/context_tokens=65536"});
  const RunResult large = run_shortened("r1-8xh200-azure", {"/measure/duration_s=600", "/limits/context_tokens=163840"});
  // 719,802 tokens of KV: 10.98 windows of 65,536 and 4.39 of 163,840; whole ones: 10 and 4.
  CHECK(small.sequences_at_context_limit == 10);
  // Half the context, at least twice as many; the limit that is sold changes nothing.
  REQUIRE(small.fits.size() == large.fits.size());
  for (std::size_t i = 0; i < small.fits.size(); ++i) {
    CHECK(small.fits[i].sequences_per_instance == large.fits[i].sequences_per_instance);
    if (i > 0 && small.fits[i].context_tokens == 2 * small.fits[i - 1].context_tokens)
      CHECK(small.fits[i - 1].sequences_per_instance >= 2 * small.fits[i].sequences_per_instance);
  }
  CHECK(large.sequences_at_context_limit == 4);
  CHECK(small.service.ttft.histogram().mean() == large.service.ttft.histogram().mean());
  CHECK(small.cost.per_token.output->value() == large.cost.per_token.output->value());
}

// SemiAnalysis, "AMD vs NVIDIA Inference Benchmark" (2025-05-23): 8 x H100, 640 GB, cannot hold the 671 GB of DeepSeek's FP8
// weights; 8 x H200 and 8 x MI300X can.
TEST_CASE("R1 in FP8 does not fit eight H100, and the message says what is needed and what is there", "[scenarios]") {
  const std::string message = why_not("r1-8xmi300x-1k1k", {"/deployment/hardware=h100-sxm"});
  CAPTURE(message);
  // 671e9 B over 8 GPUs are 83.9 GB each; with the scales of FP8 blocks and BF16 embeddings 85.1.
  for (const char* part : {"deepseek-r1-0528 on h100-sxm", "needs 85.1 GB per GPU", "has 77.0 GB", "experts 81.8"})
    CHECK(message.find(part) != std::string::npos);
}

TEST_CASE("R1 in FP8 fits eight H200 and eight MI300X", "[scenarios]") {
  const std::string gpu = GENERATE("h200-sxm", "mi300x");
  INFO(gpu);
  CHECK(why_not("r1-8xmi300x-1k1k", {"/deployment/hardware=" + gpu, "/measure/requests=64"}) == "it runs");
}
