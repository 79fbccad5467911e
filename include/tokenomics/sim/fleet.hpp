#pragma once

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace tokenomics {

/// What a utilization is the share of.
enum class UtilizationSignal {
  Busy,   ///< of the time in a step: the signal of prefill pools. A decoding instance is busy with one sequence already
  Batch,  ///< of max_sequences that decode: the signal of decode and mixed pools
};

/// Kubernetes' horizontal pod autoscaler: desired = ceil(instances * utilization / target), no change while the ratio is
/// within `tolerance` of 1 (Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details).
struct TargetUtilization {
  UtilizationSignal signal = UtilizationSignal::Batch;
  double target = 0.7;
  double tolerance = 0.1;
};

/// Instances are added in proportion when more than so many requests wait per instance, and taken away step by step while
/// fewer than `calm_share` of that do: some always wait for the end of the step under way.
struct QueueTarget {
  double waiting_per_instance = 1;
  double calm_share = 0.5;
};

/// Instances are added in proportion when the percentile of the last interval is above its bound, and taken away step by
/// step while it is below `calm_share` of it.
struct SloTarget {
  double percentile = 90;
  std::optional<double> ttft_s;
  std::optional<double> interactivity_tok_s_user;  ///< 1 / TPOT: the percentile of TPOT is its slow tail
  double calm_share = 0.5;
};

/// [(from hour, instances)], sorted, wraps midnight. A schedule knows what comes: instances are ordered so early that
/// they are up at their hour.
struct InstanceSchedule {
  std::vector<std::pair<double, int>> instances;
  double start_hour = 0;  ///< time of day at simulated time 0
};

/// monostate: nobody decides; the instances stay as they are.
using ScalingRule = std::variant<std::monostate, TargetUtilization, QueueTarget, SloTarget, InstanceSchedule>;

/// How a pool's size is decided, at each tick.
struct Scaling {
  ScalingRule rule;
  int min_instances = 1;
  int max_instances = 1;         ///< held ones: starting, on, draining or down
  double interval_s = 15;        ///< between ticks (Kubernetes' default)
  double stabilization_s = 300;  ///< instances go when no tick of so long wanted more (Kubernetes' default)
};

/// From the order to the first request.
struct StartUp {
  double provisioning_s = 0;
  double load_s = 0;  ///< weights into the GPUs
  double warm_up_s = 0;

  /// What a repaired instance takes, too.
  [[nodiscard]] double engine_s() const { return load_s + warm_up_s; }
  [[nodiscard]] double total_s() const { return provisioning_s + engine_s(); }
};

/// Failures of an instance that is up: exponential times between them. All that it holds is lost.
struct FailureLaw {
  double mtbf_s = 0;    ///< of one instance
  double repair_s = 0;  ///< then the engine starts anew
  double detect_s = 0;  ///< until the router knows, and sends the requests elsewhere; at most repair_s
  bool retry = true;    ///< prompt and answer so far are computed again elsewhere; false: the requests are lost
  bool paid_while_down = true;
};

/// One pool's instances over time. `PoolConfig::instances` of them are on at the start.
struct PoolFleet {
  Scaling scaling;
  StartUp start_up;
  std::optional<FailureLaw> failures;
  double gpus_per_instance = 1;
};

}  // namespace tokenomics
