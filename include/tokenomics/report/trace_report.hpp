#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/workload/trace.hpp"

namespace tokenomics {

/// "tokenomics.trace/1": figures of a trace; null where the format cannot know.
nlohmann::ordered_json trace_json(const std::string& file, TraceFormat format, const TraceStatistics& statistics,
                                  const ReportOptions& options = {});
std::string trace_csv(const std::string& file, TraceFormat format, const TraceStatistics& statistics);
std::string trace_table(const std::string& file, TraceFormat format, const TraceStatistics& statistics,
                        const ReportOptions& options = {});

/// Every request as "time_s,input_tokens,cached_tokens,output_tokens,group".
std::string neutral_csv(const Trace& trace);
/// Every request in the columns of the Azure traces, from midnight of 2000-01-01 on. Prefix hits and groups are lost.
/// Throws ScenarioError for traces without absolute times.
std::string azure_csv(const Trace& trace);

}  // namespace tokenomics
