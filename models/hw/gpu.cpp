#include "tokenomics/hw/gpu.hpp"

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

/// The figure, or ScenarioError naming the part and the key that its hardware file lacks.
template <class T>
T require(const std::optional<T>& figure, const Gpu& gpu, const char* pointer) {
  if (figure) return *figure;
  throw ScenarioError(Problem{.file = gpu.name,
                              .pointer = pointer,
                              .value = "",
                              .expected = "a figure: none is known for this accelerator and this plan needs it",
                              .nearest = ""});
}

}  // namespace

Precision Gpu::arithmetic_for(Precision arithmetic) const {
  switch (arithmetic) {
    case Precision::Fp4:
      if (peak_fp4) return Precision::Fp4;
      return peak_fp8 ? Precision::Fp8 : Precision::Bf16;
    case Precision::Fp8: return peak_fp8 ? Precision::Fp8 : Precision::Bf16;
    case Precision::Int8: return peak_int8 ? Precision::Int8 : Precision::Bf16;
    case Precision::Int4:  // a storage format: unpacked and computed in BF16 (AWQ, GPTQ, Marlin kernels)
    case Precision::Bf16: return Precision::Bf16;
    case Precision::Fp32: return Precision::Fp32;
  }
  return Precision::Bf16;  // not reached: all enumerators are handled
}

FlopsPerSecond Gpu::require_peak(Precision arithmetic) const {
  switch (arithmetic_for(arithmetic)) {
    case Precision::Fp4: return *peak_fp4;
    case Precision::Fp8: return *peak_fp8;
    case Precision::Int8: return *peak_int8;
    case Precision::Fp32:
      // Tensor units run TF32 at half their BF16 rate (NVIDIA A100 to B200 data sheets); catalogue files carry no FP32
      // figure of their own. Nothing large is computed in FP32: router logits and indexer scores at most.
      return 0.5 * require(peak_bf16, *this, "/dense_peak_TFLOPS/bf16");
    case Precision::Bf16:
    case Precision::Int4: break;
  }
  return require(peak_bf16, *this, "/dense_peak_TFLOPS/bf16");
}

Bytes Gpu::require_hbm_capacity() const { return require(hbm_capacity, *this, "/hbm_capacity_GB"); }

BytesPerSecond Gpu::require_hbm_bandwidth() const { return require(hbm_bandwidth, *this, "/hbm_bandwidth_TBps"); }

int Gpu::require_scale_up_domain() const { return require(scale_up_domain_gpus, *this, "/scale_up/domain_gpus"); }

BytesPerSecond Gpu::require_scale_up_bandwidth() const {
  return require(scale_up_bandwidth, *this, "/scale_up/bandwidth_GBps_per_gpu");
}

BytesPerSecond Gpu::require_scale_out_bandwidth() const {
  return require(scale_out_bandwidth, *this, "/scale_out_Gbps_per_gpu");
}

}  // namespace tokenomics
