// How the engine drives the GPU: batches filled up to captured graphs, the host's work beside the GPU's.
#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "roofline/plans.hpp"
#include "tokenomics/roofline/engine_launch.hpp"

using namespace plans;

namespace {

StepModel with_sizes(InstancePlan plan, std::vector<std::int64_t> sizes) {
  plan.launch.graph_batch_sizes = std::move(sizes);
  return StepModel(std::move(plan), h800_calibration());
}

double seconds(const StepModel& model, std::int64_t sequences, double context_tokens, double prompt_tokens = 0) {
  PrefillLoad prompts;
  if (prompt_tokens > 0) prompts = {prompt_tokens, prompt_tokens * 100, prompt_tokens * 100, 0, 1, 1, 0, 0};
  return model.step({sequences, context_tokens, context_tokens}, prompts).value();
}

}  // namespace

TEST_CASE("A batch is filled up to the next captured size, a larger one runs as it is", "[roofline]") {
  const EngineLaunch launch{{1, 2, 4, 8}, false};
  CHECK(filled_batch(launch, 1) == 1);
  CHECK(filled_batch(launch, 3) == 4);
  CHECK(filled_batch(launch, 4) == 4);
  CHECK(filled_batch(launch, 4.2) == 8);
  CHECK(filled_batch(launch, 9) == 9);
  CHECK(filled_batch({}, 3) == 3);
}

TEST_CASE("A filled step takes the time of the batch that it is filled up to, with the contexts that are there",
          "[roofline]") {
  const StepModel plain = with_sizes(small_plan(), {}), filled = with_sizes(small_plan(), {16, 32});
  CHECK(seconds(filled, 17, 40000) == seconds(plain, 32, 40000));
  CHECK(seconds(filled, 32, 40000) == seconds(plain, 32, 40000));
  CHECK(seconds(filled, 33, 40000) == seconds(plain, 33, 40000));
  CHECK(seconds(filled, 17, 40000, 300) == seconds(plain, 17, 40000, 300));  // with prompts, nothing is filled up
}

// 144 ranks of 3 or fewer sequences: each is filled up to 4, and the experts see 4 * 144.
TEST_CASE("All ranks are filled up alike", "[roofline]") {
  const StepModel plain = with_sizes(v3_decode(144, 32), {}), filled = with_sizes(v3_decode(144, 32), {4});
  CHECK(seconds(filled, 3 * 144, 1e6) == Approx(seconds(plain, 4 * 144, 1e6)).epsilon(1e-12));
}

TEST_CASE("Filling up never makes a step faster, and the explanation adds up to it", "[roofline]") {
  const auto plans = std::vector<InstancePlan>{small_plan(), v3_decode(144, 32), v3_decode(8, 0)};
  rc::prop("filled >= plain", [&] {
    InstancePlan plan = plans[*rc::gen::inRange<std::size_t>(0, plans.size())];
    plan.draft_tokens = plan.network.mtp_layers.value_or(0) > 0 ? *rc::gen::inRange(0, 3) : 0;
    if (*rc::gen::arbitrary<bool>()) plan.balance.dispatch = RankDispatch::LeastSequences;
    if (plan.parallelism.token_ranks() == 1) plan.balance.dispatch.reset();
    const std::int64_t step = *rc::gen::inRange(1, 40), sequences = *rc::gen::inRange(1, 3000);
    std::vector<std::int64_t> sizes;
    for (std::int64_t i = 1; i <= 10; ++i) sizes.push_back(i * step);
    const double context = static_cast<double>(sequences) * *rc::gen::inRange(1, 5000);
    const StepModel plain = with_sizes(plan, {}), filled = with_sizes(plan, sizes);
    RC_ASSERT(seconds(filled, sequences, context) >= seconds(plain, sequences, context) * (1 - 1e-9));
    const DecodeLoad load{sequences, context, context};
    RC_ASSERT(std::abs(filled.explain(load, {}).total.value() / filled.step(load, {}).value() - 1) < 0.01);
  });
}

TEST_CASE("Beside the GPU, the host's work shows only where it is longer", "[roofline]") {
  const EngineLaunch after{}, beside{{}, true};
  CHECK(with_host(after, {0.010, 1e-6, 50}, 0.002).value == Approx(0.012));
  const StepLine hidden = with_host(beside, {0.010, 1e-6, 50}, 0.002);
  CHECK(hidden.value == 0.010);
  CHECK(hidden.slope == 1e-6);
  // 1 ms of the GPU, growing by 0.1 ms a step, passes 2.05 ms of the host after 10.5 steps: eleven steps are equal.
  const StepLine shown = with_host(beside, {0.001, 1e-4, 50}, 0.00205);
  CHECK(shown.value == 0.00205);
  CHECK(shown.slope == 0);
  CHECK(shown.span == Approx(10.5));
}

TEST_CASE("Runs under overlap end where the GPU passes the host, and sum up to the steps", "[roofline]") {
  InstancePlan plan = small_plan();
  plan.launch.overlaps_host = true;
  Calibration calibration = h800_calibration();
  const DecodeLoad start{64, 64.0 * 200, 64.0 * 200};
  const double gpu_s = StepModel(small_plan(),
                                 [&] {
                                   Calibration bare = calibration;
                                   bare.decode_host_gap_ms.value = 0;
                                   return bare;
                                 }())
                           .step(start, {})
                           .value();
  calibration.decode_host_gap_ms.value = gpu_s * 1e3 * 1.05;  // a little longer than the first steps
  const StepModel model(plan, calibration);
  double single = 0, in_runs = 0;
  bool waited = false, passed = false;
  const auto at = [&](double k) { return DecodeLoad{64, 64.0 * (200 + k), 64.0 * (200 + k)}; };
  for (int k = 0; k < 3000; ++k) single += model.step(at(k), {}).value();
  for (double k = 0; k < 3000;) {
    const LinearRun run = model.run(at(k), {64, 64});
    (run.slope_s == 0 ? waited : passed) = true;
    const double n = std::min(run.steps, 3000 - k);
    in_runs += n * run.first_s + run.slope_s * n * (n - 1) / 2;
    k += n;
  }
  CHECK(waited);
  CHECK(passed);
  CHECK(in_runs == Approx(single).epsilon(1e-9));
  CHECK(model.explain(start, {}).total.value() == Approx(model.step(start, {}).value()).epsilon(0.01));
}
