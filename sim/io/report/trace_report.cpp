#include "tokenomics/report/trace_report.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "csv.hpp"
#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json length_json(const TraceStatistics::Length& length) {
  return {{"mean", tidy(length.mean)},
          {"p50", tidy(length.p50)},
          {"p90", tidy(length.p90)},
          {"p99", tidy(length.p99)},
          {"max", tidy(length.max)}};
}

/// Formats without hashes know nothing of prefixes.
bool knows_prefixes(TraceFormat format) { return records_prefix_hits(format); }

ordered_json gaps_json(const GapStatistics& gaps) {
  ordered_json covered = ordered_json::object();
  for (std::size_t i = 0; i < gaps.covered.size(); ++i) {
    covered[fmt::format("{:.0f}_s", GapStatistics::kLifetimes_s[i])] = tidy(gaps.covered[i]);
  }
  return {{"count", gaps.count},
          {"mean_s", tidy(gaps.mean_s)},
          {"p50_s", tidy(gaps.p50_s)},
          {"p90_s", tidy(gaps.p90_s)},
          {"covered_share", covered}};
}

std::vector<std::string> gaps_row(const char* name, const GapStatistics& gaps) {
  std::vector<std::string> row{name, whole(static_cast<double>(gaps.count)), significant(gaps.p50_s),
                               significant(gaps.p90_s)};
  for (const double share : gaps.covered) row.push_back(percent(share) + "%");
  return row;
}

bool knows_gaps(const TraceStatistics& s) { return s.tool_gaps.count + s.user_gaps.count > 0; }

std::vector<std::string> length_row(const char* name, const TraceStatistics::Length& length) {
  return {name,
          significant(length.mean, 5),
          significant(length.p50, 5),
          significant(length.p90, 5),
          significant(length.p99, 5),
          significant(length.max, 5)};
}

/// Seconds since midnight of 2000-01-01 as "2000-01-01 00:00:00.0000000", 100 ns digits.
std::string azure_time(double time_s) {
  const auto ticks = static_cast<std::int64_t>(std::llround(time_s * 1e7));
  const std::int64_t seconds = ticks / 10'000'000;
  const std::int64_t day = seconds / 86'400;
  return fmt::format("2000-01-{:02} {:02}:{:02}:{:02}.{:07}", day + 1, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60,
                     ticks % 10'000'000);
}

constexpr double kLongestAzure_s = 31 * kSecondsPerDay;  // the month that azure_time() counts in

}  // namespace

ordered_json trace_json(const std::string& file, TraceFormat format, const TraceStatistics& s,
                        const ReportOptions& options) {
  ordered_json prefix = nullptr;
  if (knows_prefixes(format)) {
    prefix = {{"reusable_input_share", tidy(s.reusable_input_share)},
              {"reusable_per_request_mean", tidy(s.reusable_per_request_mean)},
              {"reusable_per_request_p50", tidy(s.reusable_per_request_p50)},
              {"distinct_blocks", s.distinct_blocks > 0 ? ordered_json(s.distinct_blocks) : ordered_json(nullptr)}};
  }
  ordered_json gaps = nullptr;
  if (knows_gaps(s)) gaps = {{"tool", gaps_json(s.tool_gaps)}, {"user", gaps_json(s.user_gaps)}};
  return {{"schema", "tokenomics.trace/1"},
          {"version", options.version},
          {"file", file},
          {"format", to_string(format)},
          {"requests", s.requests},
          {"span_s", tidy(s.span_s)},
          {"rate_per_s", tidy(s.rate_per_s)},
          {"interarrival_cv", tidy(s.interarrival_cv)},
          {"groups", s.groups > 0 ? ordered_json(s.groups) : ordered_json(nullptr)},
          {"input_tokens", length_json(s.input)},
          {"output_tokens", length_json(s.output)},
          {"prefix_cache", prefix},
          {"gaps", gaps}};
}

std::string trace_csv(const std::string& file, TraceFormat format, const TraceStatistics& statistics) {
  std::vector<std::string> names, values;
  for (const FlatValue& flat : flattened(trace_json(file, format, statistics))) {
    names.push_back(flat.name);
    values.push_back(csv_value(flat.value));
  }
  return csv_line(names) + csv_line(values);
}

std::string trace_table(const std::string& file, TraceFormat format, const TraceStatistics& s,
                        const ReportOptions& options) {
  TextPage page(options.color);
  std::string verdict = fmt::format("{}: {} requests", file, whole(static_cast<double>(s.requests)));
  if (std::isfinite(s.span_s))
    verdict += fmt::format(" in {} s, {} a second", significant(s.span_s, 5), significant(s.rate_per_s, 4));
  page.verdict(verdict);
  page.paragraph(
      fmt::format("Format {}.{}{}", to_string(format),
                  std::isfinite(s.interarrival_cv)
                      ? fmt::format(" Gaps between arrivals have a CV of {}.", significant(s.interarrival_cv))
                      : "",
                  s.groups > 0 ? fmt::format(" {} sessions or tenants.", whole(static_cast<double>(s.groups))) : ""));
  page.heading("Tokens");
  page.table({{{"", Align::Left}, {"mean"}, {"p50"}, {"p90"}, {"p99"}, {"max"}},
              {length_row("input", s.input), length_row("output", s.output)}});
  if (knows_prefixes(format)) {
    page.heading("Prefixes, with an unlimited cache that starts empty");
    page.paragraph(
        fmt::format(
            "Reusable {}% of the input; per request {}% on average, median {}%{}.", percent(s.reusable_input_share),
            percent(s.reusable_per_request_mean), percent(s.reusable_per_request_p50),
            s.distinct_blocks > 0 ? fmt::format("; {} distinct blocks", whole(static_cast<double>(s.distinct_blocks))) : ""),
        2);
  }
  if (knows_gaps(s)) {
    page.heading("Gaps inside a session, and how many are over within the life of a cached prefix");
    page.table({{{"", Align::Left}, {"gaps"}, {"p50, s"}, {"p90, s"}, {"60 s"}, {"5 min"}, {"10 min"}, {"1 h"}},
                {gaps_row("before a tool's result", s.tool_gaps), gaps_row("before a user's text", s.user_gaps)}});
  }
  return page.text();
}

std::string neutral_csv(const Trace& trace) {
  std::string text = "time_s,input_tokens,cached_tokens,output_tokens,group\n";
  for (const TraceRow& row : trace.rows) {
    fmt::format_to(std::back_inserter(text), "{:.12g},{},{},{},{}\n", row.time_s, row.input_tokens, row.cached_tokens,
                   row.output_tokens, row.group);
  }
  return text;
}

std::string azure_csv(const Trace& trace) {
  if (trace.format == TraceFormat::ClaudeCode) {
    throw ScenarioError(
        Problem{"trace", "", to_string(trace.format), "a trace with absolute times, which the azure format needs", "csv"});
  }
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (const TraceRow& row : trace.rows) {
    if (row.time_s >= kLongestAzure_s)
      throw ScenarioError(Problem{"trace", "", fmt::format("{} s", row.time_s), "a trace of at most 31 days", "csv"});
    fmt::format_to(std::back_inserter(text), "{},{},{}\n", azure_time(row.time_s), row.input_tokens, row.output_tokens);
  }
  return text;
}

}  // namespace tokenomics
