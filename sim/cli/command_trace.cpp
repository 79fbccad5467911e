#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/report/trace_report.hpp"

namespace tokenomics::cli {
namespace {

TraceFormat trace_format_of(const Options& options, const std::string& file) {
  if (!options.has("trace-format")) return detect_trace_format(file);
  const std::string name = options.choice("trace-format", {"azure", "mooncake", "claude_code", "servegen", "vllm"});
  for (const TraceFormat format : {TraceFormat::Azure, TraceFormat::Mooncake, TraceFormat::ClaudeCode, TraceFormat::Vllm}) {
    if (name == to_string(format)) return format;
  }
  return TraceFormat::ServeGen;
}

std::string converted(const std::string& file, TraceFormat format, const std::string& to) {
  if (format == TraceFormat::ServeGen)
    throw UsageError("trace: a servegen file has tenants' rates, not requests: it cannot be converted");
  const Trace trace = read_trace(file, format);
  return to == "azure" ? azure_csv(trace) : neutral_csv(trace);
}

std::string statistics(const Options& options, const std::string& file, TraceFormat format) {
  TraceSpec spec;
  spec.file = file;
  spec.format = format;
  spec.lengths_file = options.text("lengths").value_or("");
  const TraceStatistics figures = trace_statistics(spec);
  switch (format_of(options)) {
    case Format::Json: return json_text(trace_json(file, format, figures, report_options(options)));
    case Format::Csv: return trace_csv(file, format, figures);
    case Format::Table: break;
  }
  return trace_table(file, format, figures, report_options(options));
}

int trace(const Options& options) {
  const std::string file = *options.argument(0);
  const bool converts = options.has("convert");
  if (converts && options.has("format")) throw UsageError("trace: --format is for statistics, not with --convert");
  const std::string to = options.choice("convert", {"csv", "azure"});
  const TraceFormat format = trace_format_of(options, file);
  if (options.has("lengths") && (format != TraceFormat::ServeGen || converts))
    throw UsageError("trace: --lengths is for statistics of servegen files");
  ResultOutput output(options);
  output.finish(converts ? converted(file, format, to) : statistics(options, file, format));
  return 0;
}

}  // namespace

Command trace_command() {
  return {"trace",
          "statistics of a recorded trace, or the trace in another format",
          {"tokenomics trace requests.csv.gz", "tokenomics trace rates.csv.gz --lengths lengths.csv.gz --format json",
           "tokenomics trace requests.jsonl --convert csv --out requests.csv"},
          {{"FILE", "azure, mooncake, claude_code, servegen or vllm; plain or .gz"}},
          {{"trace-format", "FORMAT", "read it as this one; default: seen from the first line"},
           {"lengths", "FILE", "servegen: the tenants' length distributions"},
           {"convert", "FORMAT", "write all requests as csv (time_s, tokens, group) or azure"},
           kFormat,
           kOut,
           kColor,
           kQuiet,
           kHelp},
          trace};
}

}  // namespace tokenomics::cli
