#pragma once

#include <string>
#include <vector>

#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

/// A measured time of one request and the simulated one. Seconds from its arrival.
struct TimePair {
  double measured_s = 0;
  double predicted_s = 0;
  /// predicted / measured - 1.
  [[nodiscard]] double error() const { return predicted_s / measured_s - 1; }
};

/// One request of a real run and of its simulation.
struct ReplayedRequest {
  double arrival_s = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  int preemptions = 0;  ///< in the simulation
  TimePair ttft, e2e;
};

/// Of the relative errors of many requests: median and 90th percentile of their absolute values, and their median.
struct ErrorSummary {
  double median = 0;
  double p90 = 0;
  double bias = 0;
};
/// `pairs` must not be empty.
ErrorSummary summary_of(const std::vector<TimePair>& pairs);

/// A real run beside its simulation, request by request in order of arrival.
struct ReplayErrors {
  std::vector<ReplayedRequest> requests;
  ErrorSummary ttft, e2e;
};

/// Simulates the scenario once and compares every request with the run that its trace (format vllm) recorded. The
/// simulated engine gets arrivals and lengths; the recorded times are read apart and only compared. Throws ScenarioError
/// when the workload is not the plain replay of such a trace or when a request does not complete.
ReplayErrors replay_errors(const Scenario& scenario);

}  // namespace tokenomics
