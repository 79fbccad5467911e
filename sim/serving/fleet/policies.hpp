#pragma once

#include <memory>

#include "scaling_policy.hpp"

namespace tokenomics {

std::unique_ptr<ScalingPolicy> target_utilization_policy(const TargetUtilization& rule);
std::unique_ptr<ScalingPolicy> queue_policy(const QueueTarget& rule);
std::unique_ptr<ScalingPolicy> slo_policy(const SloTarget& rule);
/// `lead_s`: instances are ordered so much ahead.
std::unique_ptr<ScalingPolicy> schedule_policy(const InstanceSchedule& rule, double lead_s);

}  // namespace tokenomics
