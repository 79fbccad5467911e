#pragma once

#include <string>
#include <vector>

#include "tokenomics/hw/gpu.hpp"
#include "tokenomics/roofline/calibration.hpp"
#include "tokenomics/study/kernel_tables.hpp"

namespace tokenomics {

/// How far a GPU under an engine may lie from the base calibration: standard deviations of the logarithm. About what the
/// shipped calibrations of one architecture differ by.
struct KernelPriors {
  double compute = 0.3;
  double memory = 0.15;
  double sharpness = 0.4;
  double launch = 0.7;
  double latency = 0.5;
  double bandwidth = 0.3;  ///< scale_up and scale_out
};

struct KernelFitOptions {
  KernelPriors priors;
  double soft = 0.2;  ///< log errors beyond this count by size and no longer by square; 0: least squares
  /// Log error expected of a row, and of how many rows that knowledge is worth: what keeps two rows from claiming to be
  /// exact.
  double noise = 0.2;
  double noise_rows = 4;
  std::size_t least_rows = 3;  ///< that a number must decide before it is fitted
  /// Bounds of efficiencies: more than the best that tables of large kernels reach is not believed but taken for rows that
  /// stay in a cache (HBM: MLA decode of 16 heads on H200; attention: FlashAttention-3 on H100).
  double most_memory = 0.92;
  double most_attention = 0.75;
  /// Number formats whose dense and grouped GEMMs count; empty: all. Efficiencies are not separate by format, and kernels
  /// of a format that is not served would pull them away.
  std::vector<std::string> formats = {};
};

/// One number of the calibration: fitted, or kept with the reason.
struct FittedNumber {
  std::string family;  ///< "dense_gemm", "all_reduce" ...
  std::string name;    ///< "compute", "latency_us" ...
  double value = 0;
  double standard_error = 0;  ///< in the number's own unit; 0 when it is kept
  double prior = 0;
  double prior_distance = 0;  ///< of the fitted value from the prior, in the prior's standard deviations
  bool at_bound = false;
  std::string kept;    ///< why it stays at its prior; empty: fitted
  double dropped = 0;  ///< fitted in its place and left out of the calibration; the residuals have it
};

/// Errors of a group of rows under the fitted calibration: ln(predicted / measured).
struct KernelResiduals {
  std::string family;
  std::string dtype;
  std::size_t rows = 0;
  std::string left_out;  ///< why they are not fitted on; empty: they are
  double median = 0;     ///< of the absolute value
  double p90 = 0;        ///< of the absolute value
  double bias = 0;       ///< median of the signed one
};

struct KernelRowsLeftOut {
  std::string file;
  std::string reason;
  std::size_t rows = 0;
};

struct KernelFit {
  Calibration calibration;
  std::vector<FittedNumber> numbers;       ///< of the families that have rows
  std::vector<KernelResiduals> residuals;  ///< fitted rows first, then those that were only predicted
  std::vector<KernelRowsLeftOut> left_out;
};

struct GpuAndEngine {
  std::string gpu;
  std::string framework;
};

/// Pairs that tables have rows of, in the tables' order; a GPU whose only rows are collectives of every engine has the
/// engine "generic".
std::vector<GpuAndEngine> timed_pairs(const KernelTables& tables);

/// Fits the efficiencies of one GPU under one engine with the timer that the simulator uses, family by family, on log
/// error and with the base calibration as prior; tiles stay the base's. What no row decides keeps the base's number and
/// says so in its source. Of several rows of the same work the fastest counts: an engine picks its kernel by size.
/// Rows that are faster than the data sheet allows for what is counted are left out: they did something else.
/// Where the base has no launch time (it is held by layer_overhead_us) one is fitted and dropped, so that it is not
/// counted twice.
/// `pair` as the tables write it; `gpu` and `base` are what it stands for. Throws ScenarioError when the tables have no row
/// of the pair that can be used.
KernelFit fit_kernels(const KernelTables& tables, const GpuAndEngine& pair, const Gpu& gpu, const Calibration& base,
                      const KernelFitOptions& options = {});

}  // namespace tokenomics
