#include "scaling_policy.hpp"

#include <algorithm>
#include <cmath>

#include "policies.hpp"

namespace tokenomics {
namespace {

constexpr int kAlwaysAtOnce = 4;
constexpr int kLoweredOneIn = 20;

struct Maker {
  const PoolFleet& fleet;
  std::unique_ptr<ScalingPolicy> operator()(std::monostate) const { return nullptr; }
  std::unique_ptr<ScalingPolicy> operator()(const TargetUtilization& rule) const { return target_utilization_policy(rule); }
  std::unique_ptr<ScalingPolicy> operator()(const QueueTarget& rule) const { return queue_policy(rule); }
  std::unique_ptr<ScalingPolicy> operator()(const SloTarget& rule) const { return slo_policy(rule); }
  std::unique_ptr<ScalingPolicy> operator()(const InstanceSchedule& rule) const {
    // Ticks come every interval: one earlier, or instances would be late by up to an interval.
    return schedule_policy(rule, fleet.start_up.total_s() + fleet.scaling.interval_s);
  }
};

}  // namespace

std::unique_ptr<ScalingPolicy> make_policy(const PoolFleet& fleet) { return std::visit(Maker{fleet}, fleet.scaling.rule); }

int raised(const PoolSignals& s, double ratio) {
  const int most = std::max(2 * s.on, s.on + kAlwaysAtOnce);
  const double wanted = std::ceil(s.on * ratio - 1e-9);
  return std::max(s.on + s.starting, wanted < most ? static_cast<int>(wanted) : most);
}

int lowered(const PoolSignals& s) { return s.on + s.starting - std::max(1, s.on / kLoweredOneIn); }

}  // namespace tokenomics
