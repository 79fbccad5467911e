#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/study/run_result.hpp"

namespace tokenomics {

// Figures that follow from a RunResult, computed once for every form of the report. Absent where they do not apply.

inline constexpr double kNsPerS = 1e9;
inline constexpr double kNsPerMs = 1e6;

/// A latency in the unit of `ns_per_unit`. Absent when nothing was observed.
struct LatencyFigures {
  double mean = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0;
  std::optional<double> ci95;  ///< half-width for the mean
};
std::optional<LatencyFigures> latency_figures(const LatencyMetric& metric, double ns_per_unit);

/// The latencies that are reported, in order: key with unit, name for people, metric, unit.
struct NamedLatency {
  const char* key;
  const char* title;
  const LatencyMetric* metric;
  double ns_per_unit;
};
std::vector<NamedLatency> latencies(const ServiceResult& service);

/// tok/s/user. Percentiles come from TPOT: the speed that nine users of ten get is 1 / p90(TPOT).
struct InteractivityFigures {
  std::optional<double> mean, p50, p10;
};
InteractivityFigures interactivity_figures(const ServiceResult& service);

/// Rates over the time that the run stands for. A node has kGpusPerNode GPUs whatever the pool.
inline constexpr double kGpusPerNode = 8;
struct ThroughputFigures {
  std::optional<double> output_tok_s, input_tok_s, cached_input_tok_s, requests_s, goodput_requests_s;
  std::optional<double> output_tok_s_per_gpu, total_tok_s_per_gpu;                  ///< over all GPUs
  std::optional<double> output_tok_s_per_decode_gpu, output_tok_s_per_decode_node;  ///< of decode pools; none when mixed
  std::optional<double> input_tok_s_per_prefill_node, computed_input_tok_s_per_prefill_node;
};
ThroughputFigures throughput_figures(const RunResult& result);

/// The mean answer: its tokens, how long it took from arrival to its end, what its request costs the user at standard
/// prices, prompt included.
struct AnswerFigures {
  std::optional<double> tokens, seconds, usd;
};
AnswerFigures answer_figures(const RunResult& result);

/// Shares of the arrived requests that met the bounds. Absent without a bound.
struct SloFigures {
  std::optional<bool> met;
  std::optional<double> ttft, interactivity, all;
};
SloFigures slo_figures(const RunResult& result);
SloFigures slo_figures(const SloSpec& slo, const ClassResult& one);  ///< of one class

/// Our figure beside each published one; `ours` is absent for what this run does not have.
struct PublishedComparison {
  PublishedFigure figure;
  std::optional<double> ours;
  std::optional<double> deviation;  ///< ours / published - 1
};
std::vector<PublishedComparison> compare_published(const RunResult& result);

/// A latency or speed of a window; 0 means that nothing was observed.
std::optional<double> seen(double value);

/// The pool whose KV cache sets how much context users may hold: the one that decodes.
const PoolSummary* decoding_pool(const RunResult& result);

const char* to_string(PoolRole role);

}  // namespace tokenomics
