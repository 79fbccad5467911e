#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include <rapidcheck/catch.h>

#include "roofline/plans.hpp"

using namespace plans;

namespace {

Gpu faster(Gpu gpu, double factor) {
  gpu.peak_bf16 = *gpu.peak_bf16 * factor;
  gpu.peak_fp8 = *gpu.peak_fp8 * factor;
  gpu.hbm_bandwidth = *gpu.hbm_bandwidth * factor;
  gpu.scale_up_bandwidth = *gpu.scale_up_bandwidth * factor;
  gpu.scale_out_bandwidth = *gpu.scale_out_bandwidth * factor;
  return gpu;
}

Calibration without_overheads() {
  Calibration c = h800_calibration();
  for (auto& [family, efficiency] : c.kernels) efficiency.launch_us.value = 0;
  for (LinkEfficiency* link : {&c.all_to_all_low_latency, &c.all_to_all_normal, &c.all_reduce}) {
    link->latency_us.value = link->sm_hold_us.value = 0;
  }
  c.layer_overhead_us.value = c.decode_host_gap_ms.value = c.prefill_host_floor_ms.value = 0;
  return c;
}

InstancePlan windowed_plan() {
  InstancePlan plan = small_plan();
  plan.network.layers = {{4, 0, DenseFfn{4096}}, {4, 512, DenseFfn{4096}}};
  return plan;
}

InstancePlan sparse_plan() {
  InstancePlan plan = v3_decode(16, 0);
  plan.network.sparse = SparseIndexer{2048, 64, 128};
  return plan;
}

/// Steps one by one and in runs from the same load; returns both sums and how many runs it took.
struct Sums {
  double single = 0;
  double in_runs = 0;
  int runs = 0;
};
Sums compare(const StepModel& model, DecodeLoad load, DecodeGrowth growth, int steps) {
  Sums s;
  const DecodeLoad start = load;
  const auto at = [&](double k) {
    return DecodeLoad{start.sequences, start.context_tokens + k * growth.context_tokens,
                      start.capped_tokens + k * growth.capped_tokens};
  };
  for (int k = 0; k < steps; ++k) s.single += model.step(at(k), {}).value();
  for (double k = 0; k < steps;) {
    const LinearRun run = model.run(at(k), growth);
    const double n = std::min(run.steps, steps - k);
    s.in_runs += n * run.first_s + run.slope_s * n * (n - 1) / 2;
    k += n;
    ++s.runs;
  }
  return s;
}

}  // namespace

TEST_CASE("A run's first step is the step", "[roofline]") {
  for (const InstancePlan& plan : {small_plan(), windowed_plan(), sparse_plan(), v3_decode(144, 32)}) {
    const StepModel model(plan, h800_calibration());
    for (const double context : {1.0, 100.0, 5000.0, 1e5}) {
      const DecodeLoad load = decode_load(200, context, static_cast<double>(model.context_cap()));
      CHECK(model.run(load, {200, 50}).first_s == model.step(load, {}).value());
    }
  }
}

TEST_CASE("Runs of steps add up to the steps one by one", "[roofline]") {
  InstancePlan drafts = v3_decode(128, 0);
  drafts.draft_tokens = 3;
  for (const InstancePlan& plan : {small_plan(), windowed_plan(), sparse_plan(), v3_decode(144, 32), drafts}) {
    const StepModel model(plan, h800_calibration());
    const double cap = static_cast<double>(model.context_cap());
    for (const double context : {20.0, 400.0, 6000.0}) {
      const DecodeLoad load = decode_load(1000, context, cap);
      const double capped_growth = cap == 0 || context < cap ? 1000 : 0;
      const Sums sums = compare(model, load, {1000, capped_growth}, 3000);
      CHECK(sums.in_runs == Approx(sums.single).epsilon(1e-9));
      CHECK(sums.runs < 150);
    }
  }
}

TEST_CASE("A batch that does not grow runs at one speed for ever", "[roofline]") {
  const StepModel model(small_plan(), h800_calibration());
  const LinearRun run = model.run(decode_load(8, 1000), {});
  CHECK(run.slope_s == 0);
  CHECK(run.steps > 1e12);
}

TEST_CASE("In the plain roofline a larger batch never lowers throughput nor raises speed", "[roofline]") {
  InstancePlan moe = v3_decode(1, 0);
  moe.decode_schedule = {};
  for (const InstancePlan& plan : {small_plan(), moe}) {
    const StepModel model(plan, speed_of_light());
    rc::prop("step time rises, tokens per second do not fall", [&] {
      const auto n = *rc::gen::inRange<std::int64_t>(1, 2000);
      const auto more = *rc::gen::inRange<std::int64_t>(1, 500);
      const double context = *rc::gen::inRange(1, 20000);
      const double a = model.step(decode_load(n, context), {}).value();
      const double b = model.step(decode_load(n + more, context), {}).value();
      RC_ASSERT(b >= a * (1 - 1e-12));
      RC_ASSERT(static_cast<double>(n + more) / b >= static_cast<double>(n) / a * (1 - 1e-9));
    });
  }
}

TEST_CASE("Twice the rates halve a step that has no fixed overheads", "[roofline]") {
  InstancePlan tp = v3_decode(16, 0);
  tp.parallelism = {4, 4, 16, 1, 1};
  for (InstancePlan plan : {small_plan(), v3_decode(144, 32), v3_prefill(), tp}) {
    const StepModel once(plan, without_overheads());
    plan.gpu = faster(plan.gpu, 2);
    const StepModel twice(plan, without_overheads());
    rc::prop("decode, prefill and mixed", [&] {
      const DecodeLoad decode = decode_load(*rc::gen::inRange<std::int64_t>(0, 5000), *rc::gen::inRange(1, 50000));
      const PrefillLoad prefill = prompts(*rc::gen::inRange<std::int64_t>(decode.sequences > 0 ? 0 : 1, 40), 700);
      RC_ASSERT(std::abs(2 * twice.step(decode, prefill).value() / once.step(decode, prefill).value() - 1) < 1e-9);
    });
  }
}

TEST_CASE("Longer contexts and more prompt tokens never make a step faster", "[roofline]") {
  const StepModel model(v3_decode(32, 0), h800_calibration());
  rc::prop("monotone", [&] {
    const auto n = *rc::gen::inRange<std::int64_t>(1, 4000);
    const double context = *rc::gen::inRange(1, 30000);
    const double t = model.step(decode_load(n, context), {}).value();
    RC_ASSERT(model.step(decode_load(n, context + 100), {}).value() >= t);
    const auto p = *rc::gen::inRange<std::int64_t>(1, 64);
    const double mixed = model.step(decode_load(n, context), prompts(p, 1000)).value();
    RC_ASSERT(model.step(decode_load(n, context), prompts(p, 1200)).value() >= mixed);
  });
}

TEST_CASE("Two micro-batches lose at 32 tokens a GPU and win at 256", "[roofline]") {
  // SGLang's ablation on H100 (two-batch overlap, decode): -27% at 32, +25.5% at 256.
  InstancePlan plan = v3_decode(32, 32);
  const StepModel overlapped(plan, h800_calibration());
  plan.decode_schedule = {};
  const StepModel plain(plan, h800_calibration());
  const auto gain = [&](std::int64_t per_gpu) {
    const DecodeLoad load = decode_load(32 * per_gpu, 2000);
    return plain.step(load, {}).value() / overlapped.step(load, {}).value() - 1;
  };
  CHECK(gain(32) < -0.1);
  CHECK(gain(256) > 0.1);
}

TEST_CASE("Draft tokens cost a step less than the tokens they may give", "[roofline]") {
  InstancePlan plan = v3_decode(144, 32);
  const DecodeLoad load = decode_load(88 * 144, 4989);
  double last = StepModel(plan, h800_calibration()).step(load, {}).value();
  for (const int drafts : {1, 2, 3}) {
    plan.draft_tokens = drafts;
    const double t = StepModel(plan, h800_calibration()).step(load, {}).value();
    CHECK(t > last);
    CHECK(t < last * (1.0 + drafts) / drafts);
    last = t;
  }
}

TEST_CASE("The slowest data-parallel rank sets the step, and a rank with work has a whole sequence", "[roofline]") {
  InstancePlan plan = v3_decode(16, 0);
  const StepModel even(plan, h800_calibration());
  const DecodeLoad load = decode_load(16 * 64, 4000);
  plan.balance.context_max_over_mean = 1.2;
  const StepModel context(plan, h800_calibration());
  plan.balance.sequences_max_over_mean = 1.2;
  const StepModel both(plan, h800_calibration());
  CHECK(context.step(load, {}) > even.step(load, {}));
  CHECK(both.step(load, {}) > context.step(load, {}));
  // The same context on every rank 1.2 times over is a batch whose contexts are 1.2 times as long.
  CHECK(context.step(load, {}).value() == Approx(even.step(decode_load(16 * 64, 4800), {}).value()).epsilon(1e-12));
  // One sequence on one of 16 ranks: the attention side of 16 sequences, fewer experts.
  CHECK(even.step(decode_load(1, 4000), {}) < even.step(decode_load(16, 4000), {}));
  CHECK(even.step(decode_load(1, 4000), {}) > 0.5 * even.step(decode_load(16, 4000), {}));
}

TEST_CASE("A caller that knows how prompts lie on ranks is believed", "[roofline]") {
  const StepModel model(v3_decode(16, 0), without_overheads());
  const PrefillLoad even = prompts(16, 1000);
  PrefillLoad known = even;
  known.fullest_rank_tokens = 1000;
  known.fullest_rank_attention = even.attended_tokens / 16;
  CHECK(model.step({}, known).value() == Approx(model.step({}, even).value()).epsilon(1e-12));
  known.fullest_rank_tokens = 3000;  // three prompts on one rank, none on two others
  known.fullest_rank_attention *= 3;
  CHECK(model.step({}, known).value() > 1.5 * model.step({}, even).value());
}

TEST_CASE("Host gap and prefill floor are paid once a step", "[roofline]") {
  Calibration c = h800_calibration();
  const StepModel with(small_plan(), c);
  c.decode_host_gap_ms.value = 0;
  const StepModel without(small_plan(), c);
  CHECK(with.step(decode_load(4, 100), {}).value() - without.step(decode_load(4, 100), {}).value() ==
        Approx(5.8e-3).epsilon(1e-9));
  // A tiny prompt takes the floor of 20 ms; a large one its own time.
  CHECK(with.step({}, prompts(1, 10)).value() == 20e-3);
  CHECK(with.step(decode_load(4, 100), prompts(1, 10)).value() == 20e-3);
  CHECK(with.step({}, prompts(1000, 1000)).value() > 20e-3);
}

TEST_CASE("A step shared by prompts and decodes takes longer than either and less than both", "[roofline]") {
  Calibration c = h800_calibration();
  c.prefill_host_floor_ms.value = 0;
  InstancePlan plan = v3_decode(8, 0);
  plan.decode_schedule = plan.prefill_schedule = {};
  const StepModel model(plan, c);
  const DecodeLoad decode = decode_load(512, 3000);
  const PrefillLoad prefill = prompts(8, 1024);
  const double mixed = model.step(decode, prefill).value();
  const double apart = model.step(decode, {}).value() + model.step({}, prefill).value();
  CHECK(mixed > model.step(decode, {}).value());
  CHECK(mixed > model.step({}, prefill).value());
  CHECK(mixed < apart);
}

TEST_CASE("Windowed layers read no further than their window", "[roofline]") {
  const StepModel model(windowed_plan(), without_overheads());
  CHECK(model.context_cap() == 512);
  const double inside = model.step(decode_load(64, 400, 512), {}).value();
  const double at = model.step(decode_load(64, 512, 512), {}).value();
  const double beyond = model.step(decode_load(64, 5120, 512), {}).value();
  CHECK(inside < at);
  const StepModel full(small_plan(), without_overheads());
  const double growth = beyond - at;
  const double full_growth = full.step(decode_load(64, 5120), {}).value() - full.step(decode_load(64, 512), {}).value();
  CHECK(growth == Approx(full_growth / 2).epsilon(0.01));  // half of the layers
}

TEST_CASE("Sparse attention grows with the context only by its indexer", "[roofline]") {
  const InstancePlan plan = sparse_plan();
  const StepModel sparse(plan, h800_calibration());
  CHECK(sparse.context_cap() == 2048);
  const StepModel dense(v3_decode(16, 0), h800_calibration());
  const auto slope = [](const StepModel& m, double cap) {
    return m.step(decode_load(16 * 64, 60000, cap), {}).value() - m.step(decode_load(16 * 64, 30000, cap), {}).value();
  };
  CHECK(slope(sparse, 2048) > 0);
  CHECK(slope(sparse, 2048) < 0.3 * slope(dense, 0));
}

TEST_CASE("A full pipeline passes a part of the batch through all stages", "[roofline]") {
  InstancePlan plan = small_plan();
  const StepModel one(plan, without_overheads());
  plan.parallelism.pp = 2;
  const StepModel two(plan, without_overheads());
  // 64 sequences over 2 stages: as 32 on one, plus one hop of 32 x 1024 x 2 B over NVLink (0.47 us).
  const double hop = 32 * 1024 * 2.0 / (200e9 * 0.7);
  CHECK(two.step(decode_load(64, 1000), {}).value() ==
        Approx(one.step(decode_load(32, 1000), {}).value() + hop).epsilon(1e-9));
}

TEST_CASE("One model can be asked from several threads", "[roofline]") {
  const StepModel model(v3_decode(16, 0), h800_calibration());
  const StepModel other(v3_decode(16, 0), h800_calibration());
  std::vector<double> found(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] { found[i] = model.step(decode_load(64, 1000), prompts(3, 100)).value(); });
  }
  for (auto& thread : threads) thread.join();
  for (const double t : found) CHECK(t == other.step(decode_load(64, 1000), prompts(3, 100)).value());
}

TEST_CASE("Plans that contradict themselves are refused with every contradiction", "[roofline]") {
  const auto pointers = [](const InstancePlan& plan) {
    std::vector<std::string> found;
    try {
      const StepModel model(plan, h800_calibration());
    } catch (const ScenarioError& error) {
      for (const Problem& p : error.problems()) found.push_back(p.pointer);
    }
    return found;
  };
  InstancePlan plan = v3_decode(144, 32);
  CHECK(pointers(plan).empty());
  plan.routing.redundant_experts = 0;  // 256 experts over 144 GPUs
  CHECK(pointers(plan) == std::vector<std::string>{"/routing/redundant_experts"});
  plan = v3_decode(16, 0);
  plan.parallelism.ep = 8;
  plan.network.mtp_layers.reset();
  plan.draft_tokens = 1;
  plan.balance.context_max_over_mean = 0.9;
  CHECK(pointers(plan) == std::vector<std::string>{"/parallelism/ep", "/draft_tokens", "/balance/context_max_over_mean"});
  plan = small_plan();
  plan.network.not_modelled = "linear attention in 4 of 8 layers";
  CHECK(pointers(plan) == std::vector<std::string>{"/attention"});
  plan = small_plan();
  plan.parallelism.ep = 2;
  CHECK(pointers(plan) == std::vector<std::string>{"/parallelism/ep"});
}
