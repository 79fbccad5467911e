#include <cmath>

#include "policies.hpp"

namespace tokenomics {
namespace {

/// ratio = sum of usage / (target * instances). Instances that are starting have no usage yet: they count as unused where
/// the pool would grow and as used at the target where it would shrink, and where that turns the decision round, nothing
/// is done (as the horizontal pod autoscaler treats pods that are not ready).
class TargetUtilizationPolicy final : public ScalingPolicy {
 public:
  explicit TargetUtilizationPolicy(const TargetUtilization& rule) : rule_(rule) {}

  int desired(const PoolSignals& s) const override {
    const int all = s.on + s.starting;
    if (s.on == 0) return all;
    const double ratio = s.usage / (rule_.target * s.on);
    if (ratio > 1 + rule_.tolerance) {
      const double with_unused = s.usage / (rule_.target * all);
      return with_unused > 1 + rule_.tolerance ? rounded_up(all * with_unused) : all;
    }
    if (ratio < 1 - rule_.tolerance) {
      const double with_used = (s.usage + rule_.target * s.starting) / (rule_.target * all);
      return with_used < 1 - rule_.tolerance ? rounded_up(all * with_used) : all;
    }
    return all;
  }

 private:
  static int rounded_up(double instances) { return static_cast<int>(std::ceil(instances - 1e-9)); }
  TargetUtilization rule_;
};

}  // namespace

std::unique_ptr<ScalingPolicy> target_utilization_policy(const TargetUtilization& rule) {
  return std::make_unique<TargetUtilizationPolicy>(rule);
}

}  // namespace tokenomics
