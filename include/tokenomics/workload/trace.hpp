#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// What a call waits for: the first one of a session for nothing, the others for a tool (the prompt carries its result) or
/// for a person who reads, thinks and writes.
enum class GapKind : std::uint8_t { None, Tool, User };

/// One request of a recorded trace, in file order.
struct TraceRow {
  double time_s = 0;  ///< since the start of the trace (Claude Code: since the start of its session)
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_tokens = 0;  ///< prefix known to be reusable, where the format says
  std::int32_t group = 0;          ///< session or tenant, 0 where the format has none
  std::uint32_t first_hash = 0;    ///< index into Trace::hashes, Mooncake only
  std::uint32_t hash_count = 0;
  // Claude Code only.
  double gap_s = 0;              ///< from the end of the session's request before to this arrival
  bool gap_is_recorded = false;  ///< by the client; else it is what the recorded times leave over
  GapKind gap_kind = GapKind::None;
  std::int32_t agent = 0;                 ///< within the session; 0: the main one
  std::int64_t shared_with_previous = 0;  ///< tokens with which the same agent's request before begins too, whole blocks
};

struct Trace {
  TraceFormat format = TraceFormat::Azure;
  std::vector<TraceRow> rows;
  std::vector<std::uint32_t> hashes;
  int block_tokens = 0;  ///< tokens per hash: 512 Mooncake, 64 Claude Code, else 0
};

/// Prefix hits are known per row in these formats (see TraceRow::cached_tokens).
constexpr bool records_prefix_hits(TraceFormat format) {
  return format == TraceFormat::Mooncake || format == TraceFormat::ClaudeCode;
}

/// Reads a trace of requests, plain or gzip (ServeGen files hold tenants, not requests: servegen.hpp).
/// Azure, Mooncake and vLLM times must not decrease. Mooncake: `hash_ids` must have one id per 512 tokens of prompt; cached
/// tokens are those an unlimited prefix cache, empty at the start of the file, would hold. Claude Code: cached tokens
/// are the longest prefix shared with any earlier request of the session; rows of a session must stand together and
/// are taken as one chain in file order (the few rows of sub-agents stand where their marker stood). A malformed line, an
/// empty file or a truncated .gz throws ScenarioError that names file and line; a short result is never returned.
Trace read_trace(const std::string& path, TraceFormat format);

/// Guesses the format from the first line.
TraceFormat detect_trace_format(const std::string& path);

/// "azure", "mooncake", "claude_code", "servegen" or "vllm".
const char* to_string(TraceFormat format);

/// Gaps of one kind, and what share of them is over before a cache that keeps a prefix that long lets it go.
struct GapStatistics {
  static constexpr std::array<double, 4> kLifetimes_s{60, 300, 600, 3600};
  std::uint64_t count = 0;
  double mean_s = 0, p50_s = 0, p90_s = 0;
  std::array<double, kLifetimes_s.size()> covered{};  ///< share of gaps of at most each lifetime
};

/// Figures of a trace. Percentiles interpolate linearly between order statistics (ServeGen: smallest value with the
/// share at or below it, weighted by requests). NaN where the format cannot know: times of Claude Code (no absolute
/// times), gaps of ServeGen (rates only), lengths of ServeGen without a file of lengths.
struct TraceStatistics {
  struct Length {
    double mean = 0, p50 = 0, p90 = 0, p99 = 0, max = 0;
  };
  std::uint64_t requests = 0;
  double span_s = 0;
  double rate_per_s = 0;
  double interarrival_cv = 0;
  Length input, output;
  double reusable_input_share = 0;  ///< with an unlimited prefix cache that starts empty; 0 without hashes
  double reusable_per_request_mean = 0;
  double reusable_per_request_p50 = 0;
  std::uint64_t distinct_blocks = 0;
  std::uint64_t groups = 0;  ///< sessions or tenants, 0 where the format has none
  /// Recorded gaps before calls of main agents; none where the format has none.
  GapStatistics tool_gaps, user_gaps;
};
TraceStatistics statistics_of(const Trace& trace);
/// Reads the file or files and returns their figures; the window, speed and loop of the specification are not applied.
TraceStatistics trace_statistics(const TraceSpec& spec);

}  // namespace tokenomics
