#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// A number with its origin: "measured", "fitted" or "assumed", and where it comes from.
struct SourcedNumber {
  double value = 0;
  std::string kind;
  std::string source;
};

/// Kernels that share efficiencies.
enum class KernelFamily {
  DenseGemm,    ///< projections, dense FFN, shared expert, LM head
  GroupedGemm,  ///< routed experts
  BatchedGemm,  ///< absorbed MLA products: one small matrix per head
  AttentionDecode,
  AttentionPrefill,
  Indexer,      ///< DSA
  Elementwise,  ///< norms, activations, quantization, routing: bytes only
};
std::string_view name_of(KernelFamily family);

/// t = ((flops / (peak * compute))^p + (bytes / (bandwidth * memory))^p)^(1/p) + launch.
struct KernelEfficiency {
  SourcedNumber compute;    ///< of dense peak, (0, 1]
  SourcedNumber memory;     ///< of peak HBM bandwidth, (0, 1]
  SourcedNumber sharpness;  ///< p of the p-norm; large: a hard maximum
  SourcedNumber launch_us;  ///< per kernel
  SourcedNumber tile_m;     ///< token dimension is filled in tiles of so many rows
};

/// t = latency + bytes / bandwidth, with the SMs held by the kernel's two ends.
struct LinkEfficiency {
  SourcedNumber latency_us;
  SourcedNumber scale_up;    ///< share of scale-up bandwidth reached
  SourcedNumber scale_out;   ///< share of NIC bandwidth reached
  SourcedNumber sm_hold_us;  ///< at each end of the kernel, compute waits
};

struct Calibration {
  std::string name;
  std::string gpu;  ///< hardware name, or an architecture for a family default
  std::string engine;
  std::vector<std::string> fitted_on;  ///< what data: "kernel rows: gemm_h800 ..." ; never end-to-end points for H800
  std::map<KernelFamily, KernelEfficiency> kernels;
  LinkEfficiency all_to_all_low_latency;
  LinkEfficiency all_to_all_normal;
  LinkEfficiency all_reduce;
  SourcedNumber layer_overhead_us;      ///< fixed cost per layer and step where no kernel table resolves it
  SourcedNumber decode_host_gap_ms;     ///< host and scheduler, per decode step
  SourcedNumber prefill_host_floor_ms;  ///< a step with prompt tokens takes at least this long
  /// Clock under sustained load over the clock of the short benchmarks that GEMMs are timed in. Times the compute
  /// efficiency of dense, grouped and batched GEMMs; attention tables hold long kernels and are throttled already.
  SourcedNumber sustained_clock{1, "assumed", "not known: the clock of short benchmarks"};
  bool is_family_default = false;  ///< no calibration of this GPU and engine: results must say so
};

/// Perfect hardware: all efficiencies 1, no overheads. The speed of light beside every explanation.
Calibration speed_of_light();

}  // namespace tokenomics
