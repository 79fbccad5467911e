#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/sim/fleet.hpp"

namespace tokenomics {

/// What a control tick sees of a pool. Never what requests will generate.
struct PoolSignals {
  SimTime now = 0;
  int on = 0;
  int starting = 0;
  double usage = 0;                    ///< sum over instances that are on of their share of the last interval
  std::int64_t waiting = 0;            ///< requests in queues
  std::vector<double> ttft_s, tpot_s;  ///< of the last interval
};

/// Decides how many instances a pool should have, on or starting. Bounds and stabilization are put on it later.
class ScalingPolicy {
 public:
  virtual ~ScalingPolicy() = default;
  [[nodiscard]] virtual int desired(const PoolSignals& signals) const = 0;
};

/// Null for a pool about which nobody decides.
std::unique_ptr<ScalingPolicy> make_policy(const PoolFleet& fleet);

/// `on * ratio` more instances, rounded up, at most twice as many as there are (or four more) in one tick: the limits of
/// Kubernetes' default scaling policies. Never fewer than are on or starting.
int raised(const PoolSignals& signals, double ratio);
/// One instance in twenty less, at least one.
int lowered(const PoolSignals& signals);

}  // namespace tokenomics
