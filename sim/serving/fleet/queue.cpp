#include <algorithm>

#include "policies.hpp"

namespace tokenomics {
namespace {

/// A pool that has just the right size has an empty queue: an empty one says "perhaps too many", not "none needed".
class QueuePolicy final : public ScalingPolicy {
 public:
  explicit QueuePolicy(const QueueTarget& rule) : rule_(rule) {}

  int desired(const PoolSignals& s) const override {
    const double waiting = static_cast<double>(s.waiting) / std::max(1, s.on);
    if (waiting > rule_.waiting_per_instance) return raised(s, waiting / rule_.waiting_per_instance);
    return waiting < rule_.calm_share * rule_.waiting_per_instance ? lowered(s) : s.on + s.starting;
  }

 private:
  QueueTarget rule_;
};

}  // namespace

std::unique_ptr<ScalingPolicy> queue_policy(const QueueTarget& rule) { return std::make_unique<QueuePolicy>(rule); }

}  // namespace tokenomics
