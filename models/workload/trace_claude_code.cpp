#include <algorithm>
#include <map>
#include <string>

#include "csv_reader.hpp"
#include "trace_readers.hpp"

namespace tokenomics {

namespace {

enum Column { kSession, kAgent, kTime, kInput, kOutput, kTypes, kThink, kApi, kPrefixPrevious, kPrefix };

double number_or(const CsvReader& csv, Column column, double otherwise) {
  return csv.text(column).empty() ? otherwise : csv.number(column);
}

/// Numbers names in order of first use; 0 is `first`.
class Names {
 public:
  explicit Names(std::string_view first) { number(first); }
  std::int32_t number(std::string_view name) {
    return known_.try_emplace(std::string(name), static_cast<std::int32_t>(known_.size())).first->second;
  }

 private:
  std::map<std::string, std::int32_t, std::less<>> known_;
};

GapKind kind_of(std::string_view input_types) {
  return input_types.find("tool_result") != std::string_view::npos ? GapKind::Tool : GapKind::User;
}

}  // namespace

Trace read_claude_code(const std::string& path) {
  CsvReader csv(path, {"session", "agent", "t_s", "in_tokens", "out_tokens", "input_types", "think_time_s", "api_time_s",
                       "prefix_blocks_prev", "prefix_blocks_session"});
  Trace trace;
  trace.format = TraceFormat::ClaudeCode;
  trace.block_tokens = kClaudeCodeBlockTokens;
  std::map<std::string, std::int32_t, std::less<>> groups;
  Names agents("main");
  double previous_end_s = 0;
  while (csv.next()) {
    const std::string_view session = csv.text(kSession);
    const auto [found, is_new] = groups.try_emplace(std::string(session), static_cast<std::int32_t>(groups.size()));
    if (!is_new && found->second != trace.rows.back().group) csv.fail(kSession, "rows of one session together");
    if (is_new) agents = Names("main");
    TraceRow row;
    row.agent = agents.number(csv.text(kAgent));
    row.group = found->second;
    row.time_s = csv.number(kTime);
    row.input_tokens = csv.count(kInput, 1);
    row.output_tokens = csv.count(kOutput);
    row.cached_tokens = std::min<std::int64_t>(csv.count(kPrefix) * kClaudeCodeBlockTokens, row.input_tokens);
    row.shared_with_previous = std::min(csv.count(kPrefixPrevious) * kClaudeCodeBlockTokens, row.cached_tokens);
    // The client's own delay where it was recorded, else what the times leave over; the first request starts a session.
    if (!is_new) {
      row.gap_s = number_or(csv, kThink, std::max(0.0, row.time_s - previous_end_s));
      row.gap_is_recorded = !csv.text(kThink).empty();
      row.gap_kind = kind_of(csv.text(kTypes));
    }
    previous_end_s = row.time_s + number_or(csv, kApi, 0.0);
    trace.rows.push_back(row);
  }
  csv.finish();
  return trace;
}

}  // namespace tokenomics
