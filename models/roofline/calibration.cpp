#include "tokenomics/roofline/calibration.hpp"

#include "tokenomics/base/error.hpp"

namespace tokenomics {

std::string_view name_of(KernelFamily family) {
  switch (family) {
    case KernelFamily::DenseGemm: return "dense_gemm";
    case KernelFamily::GroupedGemm: return "grouped_gemm";
    case KernelFamily::BatchedGemm: return "batched_gemm";
    case KernelFamily::AttentionDecode: return "attention_decode";
    case KernelFamily::AttentionPrefill: return "attention_prefill";
    case KernelFamily::Indexer: return "indexer";
    case KernelFamily::Elementwise: return "elementwise";
  }
  TOKENOMICS_CHECK(false, "unknown kernel family");
}

Calibration speed_of_light() {
  const auto exactly = [](double value) { return SourcedNumber{value, "assumed", "definition of the speed of light"}; };
  // p so large that compute and memory overlap perfectly, no launch, no tiles.
  const KernelEfficiency perfect{exactly(1), exactly(1), exactly(1e9), exactly(0), exactly(1)};
  const LinkEfficiency link{exactly(0), exactly(1), exactly(1), exactly(0)};
  Calibration light;
  light.name = "speed_of_light";
  light.engine = "none";
  for (const auto family :
       {KernelFamily::DenseGemm, KernelFamily::GroupedGemm, KernelFamily::BatchedGemm, KernelFamily::AttentionDecode,
        KernelFamily::AttentionPrefill, KernelFamily::Indexer, KernelFamily::Elementwise}) {
    light.kernels[family] = perfect;
  }
  light.all_to_all_low_latency = light.all_to_all_normal = light.all_reduce = link;
  light.sustained_clock = exactly(1);
  light.layer_overhead_us = light.decode_host_gap_ms = light.prefill_host_floor_ms = exactly(0);
  return light;
}

}  // namespace tokenomics
