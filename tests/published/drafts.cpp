// Published effects of multi-token prediction: speed against the number of drafts (TensorRT-LLM on B200), and what one
// draft gains (DeepSeek's ISCA'25 paper, Huawei's CloudMatrix384). Acceptances are input, step times are predicted.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/build_service.hpp"
#include "tokenomics/study/run.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const char* const kMinLatency = "r1-8xb200-min-latency";
/// NVIDIA/TensorRT-LLM tech blog 1: tok/s of one user and tokens a step, without drafts and with one to five.
constexpr std::array<double, 6> kTokS{111, 198, 250, 253, 245, 239};
constexpr std::array<double, 6> kTokensAStep{1, 1.92, 2.58, 2.82, 2.99, 3.01};

double tokens_a_step(const MtpSpec& mtp) { return 1e6 / mean_steps(mtp, 1e6); }

/// tok/s of one user half-way through an answer of 2,048 tokens to a prompt of 1,024.
double tok_s(const Scenario& scenario) {
  const BuiltService service = build_service(scenario);
  const double step_s = service.decode().timer->step({1, 2048, 2048}, {}).value();
  return tokens_a_step(service.decode().config.mtp) / step_s;
}

std::vector<std::string> with_drafts(std::size_t drafts, std::vector<std::string> more = {}) {
  more.push_back(fmt::format("/deployment/mtp/draft_tokens={}", drafts));
  return more;
}

/// Decode unit of the shipped production day, its step with `per_gpu` sequences on each GPU.
StepExplanation unit_step(const Scenario& scenario, double per_gpu, double context) {
  const BuiltService service = build_service(scenario);
  const BuiltPool& pool = service.decode();
  const auto n = static_cast<std::int64_t>(per_gpu * pool.gpus_per_instance());
  return pool.timer->explain({n, static_cast<double>(n) * context, static_cast<double>(n) * context}, {});
}

double unit_step_s(const Scenario& scenario, double per_gpu, double context) {
  return unit_step(scenario, per_gpu, context).total.value();
}

std::vector<std::string> production(int drafts, const std::string& acceptance, std::vector<std::string> more = {}) {
  more.push_back(fmt::format("/deployment/pools/1/mtp/draft_tokens={}", drafts));
  more.push_back(fmt::format("/deployment/pools/1/mtp/acceptance=[{}]", acceptance));
  return more;
}

/// CloudMatrix384's decode: EP320 of Ascend 910C in INT8, one expert a GPU, no published kernel tables.
std::vector<std::string> cloud_matrix(int drafts) {
  return production(drafts, "0.7",
                    {"/calibration=generic", "/deployment/pools/1/hardware=ascend-910c",
                     "/deployment/pools/1/parallelism/attention_dp=320", "/deployment/pools/1/parallelism/ep=320",
                     "/deployment/pools/1/routing/redundant_experts=64", "/deployment/pools/1/precision/weights=int8",
                     "/deployment/pools/1/precision/experts=int8", "/deployment/pools/1/precision/activations=int8",
                     "/deployment/pools/1/precision/dispatch=int8", "/deployment/pools/0/hardware=ascend-910c",
                     "/deployment/pools/0/precision/weights=int8", "/deployment/pools/0/precision/experts=int8",
                     "/deployment/pools/0/precision/activations=int8", "/deployment/pools/0/precision/dispatch=int8"});
}

}  // namespace

TEST_CASE("B200, one user: the published tokens a step follow from the scenario's acceptances", "[published]") {
  for (std::size_t drafts = 0; drafts < kTokS.size(); ++drafts) {
    const Scenario scenario = shipped(kMinLatency, with_drafts(drafts));
    CHECK(tokens_a_step(scenario.deployment.pools.front().mtp) == Approx(kTokensAStep[drafts]).epsilon(0.002));
  }
}

TEST_CASE("B200, one user: speed-up within 5% at each number of drafts, best at 3", "[published]") {
  std::array<double, 6> ours{}, kernels_only{};
  for (std::size_t drafts = 0; drafts < kTokS.size(); ++drafts) {
    ours[drafts] = tok_s(shipped(kMinLatency, with_drafts(drafts)));
    kernels_only[drafts] = tok_s(shipped(kMinLatency, with_drafts(drafts, {"/deployment/mtp/draft_overhead_us=0"})));
  }
  CHECK(ours[0] == Approx(kTokS[0]).epsilon(0.02));  // the one number that is fitted
  for (std::size_t drafts = 1; drafts < kTokS.size(); ++drafts) {
    const double published = kTokS[drafts] / kTokS[0], predicted = ours[drafts] / ours[0];
    const double plain = kernels_only[drafts] / kernels_only[0];
    WARN(drafts << " drafts: speed-up published " << published << ", ours " << predicted << " ("
                << 100 * (predicted / published - 1) << "%), counted kernels only " << plain << " ("
                << 100 * (plain / published - 1) << "%)");
    CHECK(predicted == Approx(published).epsilon(0.05));
    CHECK(plain == Approx(published).epsilon(0.10));
    CHECK(ours[3] >= ours[drafts]);
  }
}

TEST_CASE("B200, one user: the simulated service answers as fast as published with 3 drafts", "[published]") {
  const RunResult run = run_scenario(shipped(kMinLatency), {});
  const double ours = run.service.interactivity_sum / static_cast<double>(run.service.interactivity_count);
  WARN("tok/s of one user with 3 drafts: published 253, ours " << ours << " (" << 100 * (ours / 253 - 1) << "%)");
  CHECK(ours == Approx(253).epsilon(0.05));
}

// ISCA'25: 80-90% of second tokens accepted, generation 1.8 times as fast, throughput slightly hurt.
TEST_CASE("One draft accepted at 0.8 to 0.9 makes generation about 1.8 times as fast while there is room", "[published]") {
  const char* const job = "deepseek-production-2025-02";
  const auto gain = [&](const std::string& acceptance, double a, double per_gpu) {
    return (1 + a) * unit_step_s(shipped(job, production(0, "")), per_gpu, 4989) /
           unit_step_s(shipped(job, production(1, acceptance)), per_gpu, 4989);
  };
  const double low = gain("0.8", 0.8, 4), high = gain("0.9", 0.9, 4), full = gain("0.85", 0.85, 128);
  WARN("one draft on EP144, 4 sequences a GPU: " << low << " to " << high << " times, published 1.8; 128 a GPU: " << full);
  CHECK(low < 1.8 * 1.1);
  CHECK(high > 1.8 * 0.9);
  CHECK(full < low);
}

// CloudMatrix384 (FACTS of its paper): a layer 874 -> 1,260 us (+44%) with one draft, 1.7 tokens a step, +6 to +49% by
// batch.
TEST_CASE("CloudMatrix384: what one draft costs a layer and gains, by batch", "[published]") {
  const char* const job = "deepseek-production-2025-02";
  double before = 10;
  for (const double per_gpu : {16.0, 32.0, 64.0, 96.0, 128.0}) {
    const StepExplanation without = unit_step(shipped(job, cloud_matrix(0)), per_gpu, 4096);
    const StepExplanation with = unit_step(shipped(job, cloud_matrix(1)), per_gpu, 4096);
    const double layers = with.layers.value() / without.layers.value();
    const double gain = 1.7 * without.total.value() / with.total.value() - 1;
    WARN(per_gpu << " a GPU: layer " << 1e6 / 61 * without.layers.value() << " -> " << 1e6 / 61 * with.layers.value()
                 << " us (" << 100 * (layers - 1) << "%, published +44%), gain " << 100 * gain
                 << "% (published +6 to +49%)");
    CHECK(gain < before);
    before = gain;
    CHECK(gain > 0.05);
    CHECK(gain < 0.50);
    // The published layer is of one batch between these.
    if (per_gpu == 32) CHECK(layers < 1.44);
    if (per_gpu == 96) CHECK(layers > 1.44);
  }
}
