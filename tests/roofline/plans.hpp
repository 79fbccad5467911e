#pragma once

#include "tokenomics/base/error.hpp"
#include "tokenomics/roofline/step_model.hpp"

// Networks, parts and plans that the roofline's tests share.
namespace plans {

using namespace tokenomics;
using namespace tokenomics::literals;

inline Network deepseek_v3() {
  Network n;
  n.name = "deepseek-v3";
  n.hidden = 7168;
  n.vocab = 129280;
  n.max_context_tokens = 131072;
  n.attention = MlaAttention{128, 1536, 512, 64, 128, 128};
  MoeFfn moe;
  moe.routed_experts = 256;
  moe.experts_per_token = 8;
  moe.shared_experts = 1;
  moe.intermediate = 2048;
  moe.shared_intermediate = 2048;
  moe.groups = 8;
  moe.top_groups = 4;
  n.layers = {{3, 0, DenseFfn{18432}}, {58, 0, moe}};
  n.mtp_layers = 1;
  n.native_weights = n.native_experts = Precision::Fp8;
  return n;
}

/// Eight layers of a small dense GQA network: numbers that can be worked by hand.
inline Network small_dense() {
  Network n;
  n.name = "small";
  n.hidden = 1024;
  n.vocab = 32000;
  n.max_context_tokens = 32768;
  n.attention = GqaAttention{16, 4, 64};
  n.layers = {{8, 0, DenseFfn{4096}}};
  n.mtp_layers = 0;
  return n;
}

inline Gpu h800() {
  Gpu g;
  g.name = "h800-sxm";
  g.architecture = "Hopper";
  g.peak_bf16 = 989.0_TFLOPS;
  g.peak_fp8 = 1979.0_TFLOPS;
  g.hbm_capacity = 80.0_GB;
  g.hbm_bandwidth = 3.35_TBps;
  g.scale_up_domain_gpus = 8;
  g.scale_up_bandwidth = 200.0_GBps;
  g.scale_out_bandwidth = 50.0_GBps;
  return g;
}

inline SourcedNumber assumed(double value) { return {value, "assumed", "test"}; }

inline KernelEfficiency kernel(double compute, double memory, double p, double launch_us, double tile) {
  return {assumed(compute), assumed(memory), assumed(p), assumed(launch_us), assumed(tile)};
}

/// H800 from published kernels: FlashMLA 2025-02-24 (580 TFLOPS, 3000 GB/s), DeepGEMM, DeepEP's table.
inline Calibration h800_calibration() {
  Calibration c;
  c.name = "h800-test";
  c.gpu = "h800-sxm";
  c.kernels[KernelFamily::DenseGemm] = kernel(0.70, 0.82, 3, 3.5, 64);
  c.kernels[KernelFamily::GroupedGemm] = kernel(0.62, 0.80, 3, 3.5, 64);
  c.kernels[KernelFamily::BatchedGemm] = kernel(0.70, 0.82, 3, 3.5, 64);
  c.kernels[KernelFamily::AttentionDecode] = kernel(0.586, 0.896, 2.5, 5, 64);
  c.kernels[KernelFamily::AttentionPrefill] = kernel(0.62, 0.82, 3, 5, 1);
  c.kernels[KernelFamily::Indexer] = kernel(0.5, 0.8, 3, 5, 1);
  c.kernels[KernelFamily::Elementwise] = kernel(1, 0.75, 3, 2, 1);
  c.all_to_all_low_latency = {assumed(6), assumed(0), assumed(0.80), assumed(13)};
  c.all_to_all_normal = {assumed(20), assumed(0.80), assumed(0.90), assumed(0)};
  c.all_reduce = {assumed(10), assumed(0.70), assumed(0.80), assumed(0)};
  c.layer_overhead_us = assumed(0);
  c.decode_host_gap_ms = assumed(5.8);
  c.prefill_host_floor_ms = assumed(20);
  return c;
}

inline OverlapSchedule deepseek_decode_schedule() {
  using enum LayerPart;
  OverlapSchedule s;
  s.name = "deepseek_decode";
  s.micro_batches = 2;
  s.stages = {{2, {{{Dispatch}}, {{SharedExpert, AttentionIn}}}},
              {2, {{{Router, Experts}}}},
              {2, {{{Combine}}, {{AttentionCore, AttentionOut}}}}};
  return s;
}

inline OverlapSchedule deepseek_prefill_schedule() {
  using enum LayerPart;
  OverlapSchedule s;
  s.name = "deepseek_prefill";
  s.micro_batches = 2;
  s.compute_share = 108.0 / 132.0;
  s.stages = {{1, {{{Combine}}, {{AttentionIn, AttentionCore, AttentionOut, Router, SharedExpert}}}},
              {1, {{{Dispatch}}, {{AttentionIn, AttentionCore, AttentionOut, Router}}}},
              {1, {{{Dispatch}}, {{Experts}}}},
              {1, {{{Combine}}, {{Experts, SharedExpert}}}}};
  return s;
}

inline Precisions fp8_precisions() {
  Precisions p;
  p.weights = p.experts = p.activations = Precision::Fp8;
  return p;
}

/// DeepSeek's decode unit: data-parallel attention over all GPUs, experts over all GPUs.
inline InstancePlan v3_decode(int gpus, int redundant) {
  InstancePlan plan;
  plan.network = deepseek_v3();
  plan.gpu = h800();
  plan.parallelism = {1, gpus, gpus, 1, 1};
  plan.precisions = fp8_precisions();
  plan.decode_schedule = deepseek_decode_schedule();
  plan.prefill_schedule = deepseek_prefill_schedule();
  plan.routing.redundant_experts = redundant;
  return plan;
}

inline InstancePlan v3_prefill() {
  InstancePlan plan = v3_decode(32, 32);
  plan.all_to_all = AllToAll::Normal;
  return plan;
}

inline InstancePlan small_plan() {
  InstancePlan plan;
  plan.network = small_dense();
  plan.gpu = h800();
  return plan;
}

inline DecodeLoad decode_load(std::int64_t sequences, double context_each, double cap = 0) {
  const double capped = cap > 0 && context_each > cap ? cap : context_each;
  return {sequences, static_cast<double>(sequences) * context_each, static_cast<double>(sequences) * capped};
}

/// Whole prompts of `each` tokens from nothing: sum of 1..n attended tokens a prompt.
inline PrefillLoad prompts(std::int64_t count, double each) {
  PrefillLoad load;
  load.tokens = static_cast<double>(count) * each;
  load.attended_tokens = load.capped_attended_tokens = static_cast<double>(count) * each * (each + 1) / 2;
  load.sequences = load.finishing = count;
  return load;
}

}  // namespace plans
