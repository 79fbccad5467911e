#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tokenomics {

/// One request of a real run as its load generator and its engine saw it. Seconds; `arrival_s` since the start of the run.
struct ServedRequest {
  double arrival_s = 0;  ///< sent by the load generator
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  double ttft_s = 0;  ///< from arrival_s to the step that made the first token
  double e2e_s = 0;   ///< from arrival_s to the step that made the last one
};

/// Reads a file of vLLM's per-request times, plain or gzip, in order of arrival: columns arrival_s, input_tokens,
/// output_tokens, queued_s (the engine's loop took the request in, on the clock of arrival_s), ttft_from_queue_s and
/// e2e_from_queue_s, so that TTFT = queued_s - arrival_s + ttft_from_queue_s. A malformed line, times that decrease, an
/// empty file or a truncated .gz throws ScenarioError that names file and line.
std::vector<ServedRequest> read_served_requests(const std::string& path);

}  // namespace tokenomics
