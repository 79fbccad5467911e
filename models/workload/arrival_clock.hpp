#pragma once

#include <memory>

#include "tokenomics/base/random.hpp"
#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/workload/gamma_quantile.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// Times of open arrivals, one after the other, never decreasing; kNever after the last.
class ArrivalClock {
 public:
  virtual ~ArrivalClock() = default;
  virtual SimTime next() = 0;
};

/// Clock of Poisson, gamma, day/night and all-at-once arrivals. `gamma` is read by gamma arrivals only and must outlive
/// the clock.
std::unique_ptr<ArrivalClock> make_clock(const ArrivalSpec& arrivals, RandomStream random, double rate_scale,
                                         const UnitGammaQuantile* gamma);

/// t + seconds, or kNever where that lies beyond the range of SimTime.
SimTime later(SimTime t, double seconds);

/// Mean rate of the clock per second, nothing for the kinds without one.
std::optional<double> clock_rate(const ArrivalSpec& arrivals);

}  // namespace tokenomics
