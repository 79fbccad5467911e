#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/hw/precision.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// A number with its origin: "measured", "fitted" or "assumed", and where it comes from.
struct SourcedNumber {
  double value = 0;
  std::string kind;
  std::string source;
  double standard_error = 0;  ///< of a fitted value; 0: not known
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

/// What GEMMs do in one number format, over what the family's numbers say: other kernels serve each.
struct FormatEfficiency {
  SourcedNumber compute{1, "assumed", "as every format"};
  SourcedNumber memory{1, "assumed", "as every format"};
  SourcedNumber launch{1, "assumed", "as every format"};  ///< times the fixed time of a kernel
};

struct Calibration {
  std::string name;
  std::string gpu;  ///< hardware name, or an architecture for a family default
  std::string engine;
  std::vector<std::string> fitted_on;  ///< what data: "kernel rows: gemm_h800 ..." ; never end-to-end points for H800
  std::map<KernelFamily, KernelEfficiency> kernels;
  std::map<Precision, FormatEfficiency> formats;  ///< of weights as stored; absent ones: 1
  LinkEfficiency all_to_all_low_latency;
  LinkEfficiency all_to_all_normal;
  LinkEfficiency all_reduce;
  /// Of the kernels' fixed times (launch_us), what is left of them in a real step: tables time each kernel alone, a captured
  /// graph starts the next one while the last ends. (0, 1].
  SourcedNumber launch_share{1, "assumed", "kernels one by one, as their tables have them"};
  SourcedNumber layer_overhead_us;      ///< fixed cost per layer and step where no kernel table resolves it
  SourcedNumber decode_host_gap_ms;     ///< host and scheduler, per decode step
  SourcedNumber prefill_host_floor_ms;  ///< a step with prompt tokens takes at least this long
  /// The host's time for each kernel that it launches one by one: a step with prompt tokens takes at least its kernels times
  /// this (prompts of any length run outside captured graphs).
  SourcedNumber prefill_host_us_per_kernel{0, "assumed", "not known"};
  /// Front end: a request reaches the engine that long after the client sent it.
  SourcedNumber request_latency_ms{0, "assumed", "not known"};
  /// Clock under sustained load over the clock of the short benchmarks that GEMMs are timed in. Times the compute
  /// efficiency of dense, grouped and batched GEMMs; attention tables hold long kernels and are throttled already.
  SourcedNumber sustained_clock{1, "assumed", "not known: the clock of short benchmarks"};
  std::string version;     ///< of the engine, as people call it; empty: of any
  std::string valid_from;  ///< dates (YYYY-MM-DD) of the runs that the version was seen in; empty: open
  std::string valid_to;
  bool is_family_default = false;  ///< no calibration of this GPU and engine: results must say so
};

/// Perfect hardware: all efficiencies 1, no overheads. The speed of light beside every explanation.
Calibration speed_of_light();

}  // namespace tokenomics
