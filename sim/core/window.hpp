#pragma once

#include <algorithm>

#include "tokenomics/base/sim_time.hpp"

namespace tokenomics {

/// The measured interval; its ends may become known only while the run goes on.
struct Window {
  SimTime from = kNever;
  SimTime to = kNever;

  [[nodiscard]] bool contains(SimTime t) const { return t >= from && t < to; }
  /// Seconds of [start, end] inside the window.
  [[nodiscard]] double overlap_s(SimTime start, SimTime end) const {
    const SimTime low = std::max(start, from), high = std::min(end, to);
    return high > low ? static_cast<double>(high - low) * 1e-9 : 0.0;
  }
};

}  // namespace tokenomics
