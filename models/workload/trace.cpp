#include "tokenomics/workload/trace.hpp"

#include "line_reader.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/workload/servegen.hpp"
#include "trace_readers.hpp"

namespace tokenomics {

const char* to_string(TraceFormat format) {
  switch (format) {
    case TraceFormat::Azure: return "azure";
    case TraceFormat::Mooncake: return "mooncake";
    case TraceFormat::ClaudeCode: return "claude_code";
    case TraceFormat::ServeGen: return "servegen";
    case TraceFormat::Vllm: return "vllm";
  }
  return "";
}

Trace read_trace(const std::string& path, TraceFormat format) {
  switch (format) {
    case TraceFormat::Azure: return read_azure(path);
    case TraceFormat::Mooncake: return read_mooncake(path);
    case TraceFormat::ClaudeCode: return read_claude_code(path);
    case TraceFormat::Vllm: return read_vllm(path);
    case TraceFormat::ServeGen: break;
  }
  throw ScenarioError(Problem{path, "", "a servegen file holds rates of tenants", "a trace of requests", ""});
}

TraceFormat detect_trace_format(const std::string& path) {
  LineReader lines(path);
  std::string_view first;
  const std::string expected = "the first line of an azure, mooncake, claude_code, servegen (rates) or vllm trace";
  if (!lines.next(first)) throw ScenarioError(Problem{path, "line 1", "an empty file", expected, ""});
  const auto has = [&](std::string_view word) { return first.find(word) != std::string_view::npos; };
  if (has("ContextTokens")) return TraceFormat::Azure;
  if (has("\"hash_ids\"")) return TraceFormat::Mooncake;
  if (has("prefix_blocks_session")) return TraceFormat::ClaudeCode;
  if (has("rate_rps")) return TraceFormat::ServeGen;
  if (has("ttft_from_queue_s")) return TraceFormat::Vllm;
  lines.fail(first, expected);
}

TraceStatistics trace_statistics(const TraceSpec& spec) {
  if (spec.format == TraceFormat::ServeGen) return statistics_of(read_servegen(spec.file, spec.lengths_file));
  return statistics_of(read_trace(spec.file, spec.format));
}

}  // namespace tokenomics
