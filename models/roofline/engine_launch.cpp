#include "tokenomics/roofline/engine_launch.hpp"

#include <algorithm>
#include <cmath>

namespace tokenomics {

double filled_batch(const EngineLaunch& launch, double sequences) {
  const auto& sizes = launch.graph_batch_sizes;
  const auto next = std::lower_bound(sizes.begin(), sizes.end(), static_cast<std::int64_t>(std::ceil(sequences)));
  return next == sizes.end() ? sequences : static_cast<double>(*next);
}

/// While the host is slower, steps take its time; the line ends where the growing GPU time passes it.
StepLine with_host(const EngineLaunch& launch, StepLine gpu, double gap_s) {
  if (!launch.overlaps_host) {
    gpu.value += gap_s;
    return gpu;
  }
  if (gpu.value >= gap_s) return gpu;
  const double until_passed = gpu.slope > 0 ? (gap_s - gpu.value) / gpu.slope : gpu.span;
  return {gap_s, 0, std::min(gpu.span, until_passed)};
}

}  // namespace tokenomics
