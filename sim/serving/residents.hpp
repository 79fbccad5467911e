#pragma once

#include <cstdint>
#include <functional>

#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// A sequence found half-way when a stationary run begins.
struct Resident {
  Request request;
  std::int64_t emitted = 1;
  SimTime first_token = 0;  ///< before now (negative)
};

/// Draws the residents of decode instances in the stationary state: as many as the fixed point of load and step time
/// says, outputs with probability proportional to their length (a long answer is met more often), ages uniform.
class Residents {
 public:
  Residents(const PoolConfig& pool, const StationaryStart& start, std::int64_t limit_tokens, std::uint64_t seed,
            std::uint64_t replication);
  /// Calls `place` for each resident of instance `i`.
  void for_each(int i, const std::function<void(const Resident&)>& place) const;

 private:
  const PoolConfig& pool_;
  TruncatedLaw law_;
  LengthBiasedSampler sampler_;
  StationaryBatch batch_;
  std::uint64_t seed_;
  std::uint64_t replication_;
};

}  // namespace tokenomics
