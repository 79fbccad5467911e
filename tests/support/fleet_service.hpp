#pragma once

#include "support/one_service.hpp"

namespace tokenomics::test {

/// A pool of `on` instances, up to `most`, without a rule and without failures.
inline PoolFleet plain_fleet(int on, int most) {
  PoolFleet fleet;
  fleet.scaling.min_instances = std::min(1, on);
  fleet.scaling.max_instances = most;
  return fleet;
}

/// Single servers: an instance takes one request at a time, of so many microseconds as its prompt has tokens.
inline LinearTimer microsecond_server() {
  LinearTimer timer;
  timer.fixed_s = 0;
  timer.per_prompt_token_s = 1e-6;
  return timer;
}

inline ServiceConfig servers(const StepTimer& timer, int instances, const PoolFleet& fleet) {
  ServiceConfig config;
  PoolConfig pool = mixed_pool(timer);
  pool.instances = instances;
  pool.batching.max_sequences = 1;
  config.pools = {pool};
  config.router = RouterPolicy::LeastLoaded;
  config.fleet = {fleet};
  return config;
}

}  // namespace tokenomics::test
