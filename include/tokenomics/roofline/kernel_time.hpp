#pragma once

#include <array>
#include <string>
#include <vector>

#include "tokenomics/hw/gpu.hpp"
#include "tokenomics/roofline/calibration.hpp"

namespace tokenomics {

/// (a^p + b^p)^(1/p) of two times without a power: max * h(min/max), h(u) = (1 + u^p)^(1/p), h tabulated on [0, 1].
/// Relative error below 1e-5 for p from 1.5 to 8 (tested); p of kHardMaximum or more is the maximum itself.
class PNorm {
 public:
  static constexpr double kHardMaximum = 64;
  explicit PNorm(double sharpness);
  [[nodiscard]] double operator()(double a, double b) const {
    const double high = a > b ? a : b;
    const double low = a > b ? b : a;
    if (hard_ || high <= 0) return high;
    const double u = low / high * kIntervals;
    auto i = static_cast<unsigned>(u);
    if (i >= kIntervals) i = kIntervals - 1;
    return high * (nodes_[i] + (u - i) * (nodes_[i + 1] - nodes_[i]));
  }

 private:
  static constexpr unsigned kIntervals = 512;
  bool hard_;
  std::vector<double> nodes_;
};

/// What a kernel does on one GPU. `padded_flops` counts the rows that fill up tiles; `flops` only useful ones.
struct KernelWork {
  KernelFamily family = KernelFamily::DenseGemm;
  Precision arithmetic = Precision::Bf16;
  double flops = 0;
  double padded_flops = 0;
  double bytes = 0;
  double kernels = 1;
  double compute_scale = 1;  ///< of the family's efficiencies: Calibration::formats
  double memory_scale = 1;
  double launch_scale = 1;
};

/// The times of one kernel's parts, before they are combined.
struct KernelParts {
  double compute_s = 0;
  double memory_s = 0;
  double launch_s = 0;
};

/// Time of a kernel on a GPU under a calibration:
/// t = ((flops / (peak * e_c * share))^p + (bytes / (bandwidth * e_m))^p)^(1/p) + launch.
class KernelTimer {
 public:
  /// Throws ScenarioError when the calibration lacks a family, or has an efficiency that is not in (0, 1].
  KernelTimer(const Gpu& gpu, const Calibration& calibration);

  /// Seconds; throws ScenarioError when the GPU has no peak for the arithmetic. `compute_share`: of the SMs that the kernel
  /// gets, (0, 1].
  [[nodiscard]] double time(const KernelWork& work, double compute_share = 1.0) const;
  [[nodiscard]] KernelParts parts(const KernelWork& work) const;
  /// Rows that are computed when `rows` are useful: whole tiles.
  [[nodiscard]] double padded_rows(KernelFamily family, double rows) const;
  [[nodiscard]] double tile(KernelFamily family) const { return rates(family).tile; }
  [[nodiscard]] const std::string& source(KernelFamily family) const { return rates(family).source; }

 private:
  static constexpr std::size_t kFamilies = 7;
  static constexpr std::size_t kPrecisions = 6;
  struct Rates {
    std::array<double, kPrecisions> seconds_per_flop{};  ///< 0: the GPU has no figure, asked for when used
    double seconds_per_byte = 0;
    double launch_s = 0;
    double tile = 1;
    PNorm norm{PNorm::kHardMaximum};
    std::string source;
  };
  [[nodiscard]] const Rates& rates(KernelFamily family) const { return rates_[static_cast<std::size_t>(family)]; }
  std::string gpu_name_;
  std::vector<Rates> rates_;
};

}  // namespace tokenomics
