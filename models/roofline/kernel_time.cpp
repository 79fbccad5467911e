#include "tokenomics/roofline/kernel_time.hpp"

#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

constexpr std::array kAllFamilies{KernelFamily::DenseGemm,       KernelFamily::GroupedGemm,      KernelFamily::BatchedGemm,
                                  KernelFamily::AttentionDecode, KernelFamily::AttentionPrefill, KernelFamily::Indexer,
                                  KernelFamily::Elementwise};
constexpr std::array kAllPrecisions{Precision::Bf16, Precision::Fp8,  Precision::Fp4,
                                    Precision::Int8, Precision::Int4, Precision::Fp32};

/// 0 where the GPU's file has no figure: refused when a kernel needs it, not before.
double seconds_per_flop(const Gpu& gpu, Precision precision) {
  try {
    return 1.0 / gpu.require_peak(precision).value();
  } catch (const ScenarioError&) {
    return 0;
  }
}

void check_efficiency(const Calibration& calibration, KernelFamily family, const char* what, double value,
                      std::vector<Problem>& problems) {
  if (value > 0 && value <= 1) return;
  problems.push_back({"calibration " + calibration.name, "/kernels/" + std::string(name_of(family)) + "/" + what,
                      std::to_string(value), "an efficiency in (0, 1]", ""});
}

/// The family whose efficiencies stand in where a calibration has none of its own.
KernelFamily stand_in(KernelFamily family) {
  return family == KernelFamily::AttentionPrefill ? KernelFamily::AttentionDecode : KernelFamily::DenseGemm;
}

/// Short benchmarks run at a clock that power does not let a chip hold.
double held_clock(const Calibration& calibration, KernelFamily family) {
  const bool timed_shortly =
      family == KernelFamily::DenseGemm || family == KernelFamily::GroupedGemm || family == KernelFamily::BatchedGemm;
  return timed_shortly ? calibration.sustained_clock.value : 1.0;
}

const KernelEfficiency* efficiency_of(const Calibration& calibration, KernelFamily family) {
  if (const auto own = calibration.kernels.find(family); own != calibration.kernels.end()) return &own->second;
  const auto other = calibration.kernels.find(stand_in(family));
  return other == calibration.kernels.end() ? nullptr : &other->second;
}

}  // namespace

PNorm::PNorm(double sharpness) : hard_(sharpness >= kHardMaximum) {
  if (hard_) return;
  nodes_.reserve(kIntervals + 1);
  for (unsigned i = 0; i <= kIntervals; ++i) {
    nodes_.push_back(std::pow(1.0 + std::pow(i / double{kIntervals}, sharpness), 1.0 / sharpness));
  }
}

KernelTimer::KernelTimer(const Gpu& gpu, const Calibration& calibration) : gpu_name_(gpu.name), rates_(kFamilies) {
  std::vector<Problem> problems;
  const double clock = calibration.sustained_clock.value;
  if (!(clock > 0 && clock <= 1)) {
    problems.push_back(
        {"calibration " + calibration.name, "/sustained_clock", std::to_string(clock), "a share in (0, 1]", ""});
  }
  const double bandwidth = gpu.require_hbm_bandwidth().value();
  std::array<double, kPrecisions> peak_s{};
  for (const Precision precision : kAllPrecisions)
    peak_s[static_cast<std::size_t>(precision)] = seconds_per_flop(gpu, precision);
  for (const KernelFamily family : kAllFamilies) {
    const KernelEfficiency* efficiency = efficiency_of(calibration, family);
    if (efficiency == nullptr) {
      problems.push_back({"calibration " + calibration.name, "/kernels/" + std::string(name_of(family)), "",
                          "efficiencies of this family, or of dense_gemm to stand in", ""});
      continue;
    }
    if (family != KernelFamily::Elementwise)
      check_efficiency(calibration, family, "compute", efficiency->compute.value, problems);
    check_efficiency(calibration, family, "memory", efficiency->memory.value, problems);
    Rates& rates = rates_[static_cast<std::size_t>(family)];
    const double compute = efficiency->compute.value * held_clock(calibration, family);
    for (std::size_t i = 0; i < kPrecisions; ++i) rates.seconds_per_flop[i] = compute > 0 ? peak_s[i] / compute : 0;
    rates.seconds_per_byte = 1.0 / (bandwidth * efficiency->memory.value);
    rates.launch_s = efficiency->launch_us.value * calibration.launch_share.value * 1e-6;
    rates.tile = std::max(1.0, efficiency->tile_m.value);
    // An absent sharpness is a hard maximum.
    rates.norm = PNorm(efficiency->sharpness.value > 0 ? efficiency->sharpness.value : PNorm::kHardMaximum);
    rates.source = efficiency->compute.source;
  }
  if (!problems.empty()) throw ScenarioError(std::move(problems));
}

KernelParts KernelTimer::parts(const KernelWork& work) const {
  const Rates& rates = this->rates(work.family);
  const double per_flop = rates.seconds_per_flop[static_cast<std::size_t>(work.arithmetic)];
  if (work.padded_flops > 0 && per_flop <= 0) {
    throw ScenarioError(Problem{gpu_name_, "/dense_peak_TFLOPS/" + std::string(name_of(work.arithmetic)), "",
                                "a figure: this plan needs it", ""});
  }
  return {work.padded_flops * per_flop / work.compute_scale, work.bytes * rates.seconds_per_byte / work.memory_scale,
          work.kernels * rates.launch_s * work.launch_scale};
}

double KernelTimer::time(const KernelWork& work, double compute_share) const {
  const KernelParts t = parts(work);
  return rates(work.family).norm(t.compute_s / compute_share, t.memory_s) + t.launch_s;
}

double KernelTimer::padded_rows(KernelFamily family, double rows) const {
  const double tile = rates(family).tile;
  return tile <= 1 ? rows : std::ceil(rows / tile) * tile;
}

}  // namespace tokenomics
