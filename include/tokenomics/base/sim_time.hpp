#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// Simulated time in integer nanoseconds since the start of the run: exact order and exact differences, 292 years.
using SimTime = std::int64_t;

inline constexpr SimTime kNever = std::numeric_limits<SimTime>::max();

/// Nearest nanosecond of a finite duration.
inline SimTime to_sim_time(Seconds duration) { return std::llround(duration.value() * 1e9); }
constexpr Seconds to_seconds(SimTime t) { return Seconds{static_cast<double>(t) * 1e-9}; }

}  // namespace tokenomics
