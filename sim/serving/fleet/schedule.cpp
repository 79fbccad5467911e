#include <algorithm>
#include <cmath>

#include "policies.hpp"

namespace tokenomics {
namespace {

constexpr double kSecondsAnHour = 3600, kHoursADay = 24;

class SchedulePolicy final : public ScalingPolicy {
 public:
  SchedulePolicy(const InstanceSchedule& rule, double lead_s) : rule_(rule), lead_s_(lead_s) {}

  /// What is due now, and what must be ordered now so that it is up in time.
  int desired(const PoolSignals& s) const override {
    const double now_s = to_seconds(s.now).value();
    return std::max(at(now_s), at(now_s + lead_s_));
  }

 private:
  [[nodiscard]] int at(double time_s) const {
    const double hour = std::fmod(rule_.start_hour + time_s / kSecondsAnHour, kHoursADay);
    int instances = rule_.instances.back().second;  // before the first change the last one of the day before holds
    for (const auto& [from, count] : rule_.instances) {
      if (from <= hour + 1e-9) instances = count;
    }
    return instances;
  }

  InstanceSchedule rule_;
  double lead_s_;
};

}  // namespace

std::unique_ptr<ScalingPolicy> schedule_policy(const InstanceSchedule& rule, double lead_s) {
  return std::make_unique<SchedulePolicy>(rule, lead_s);
}

}  // namespace tokenomics
