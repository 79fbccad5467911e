#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"
#include "tokenomics/workload/trace.hpp"

namespace tokenomics {

namespace {

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

template <class Get>
std::vector<double> column(const Trace& trace, Get get) {
  std::vector<double> values;
  values.reserve(trace.rows.size());
  for (const TraceRow& row : trace.rows) values.push_back(get(row));
  return values;
}

TraceStatistics::Length length(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {mean_of(values), sorted_quantile(values, 0.5), sorted_quantile(values, 0.9), sorted_quantile(values, 0.99),
          values.back()};
}

/// Standard deviation of the gaps between arrivals over their mean.
double gap_cv(const Trace& trace) {
  const std::size_t n = trace.rows.size() - 1;
  if (n == 0) return std::numeric_limits<double>::quiet_NaN();
  const double mean = (trace.rows.back().time_s - trace.rows.front().time_s) / static_cast<double>(n);
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double off = trace.rows[i + 1].time_s - trace.rows[i].time_s - mean;
    squares += off * off;
  }
  return std::sqrt(squares / static_cast<double>(n)) / mean;
}

void add_times(const Trace& trace, TraceStatistics& result) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  if (trace.format == TraceFormat::ClaudeCode) {
    result.span_s = result.rate_per_s = result.interarrival_cv = unknown;
    return;
  }
  result.span_s = trace.rows.back().time_s - trace.rows.front().time_s;
  result.rate_per_s = result.span_s > 0 ? static_cast<double>(trace.rows.size()) / result.span_s : unknown;
  result.interarrival_cv = gap_cv(trace);
}

void add_reuse(const Trace& trace, TraceStatistics& result) {
  if (!records_prefix_hits(trace.format)) return;
  const auto input = column(trace, [](const TraceRow& row) { return static_cast<double>(row.input_tokens); });
  const auto hits = column(trace, [](const TraceRow& row) { return static_cast<double>(row.cached_tokens); });
  auto shares = column(trace, [](const TraceRow& row) {
    return static_cast<double>(row.cached_tokens) / static_cast<double>(row.input_tokens);
  });
  std::sort(shares.begin(), shares.end());
  result.reusable_input_share = mean_of(hits) / mean_of(input);
  result.reusable_per_request_mean = mean_of(shares);
  result.reusable_per_request_p50 = sorted_quantile(shares, 0.5);
  result.distinct_blocks = std::unordered_set<std::uint32_t>(trace.hashes.begin(), trace.hashes.end()).size();
}

/// Main agents only: sub-agents stand in line with them, so that the times around them are not the client's.
GapStatistics gaps(const Trace& trace, GapKind kind) {
  GapStatistics result;
  std::vector<double> values;
  for (const TraceRow& row : trace.rows) {
    if (row.gap_kind == kind && row.gap_is_recorded && row.agent == 0) values.push_back(row.gap_s);
  }
  if (values.empty()) return result;
  std::sort(values.begin(), values.end());
  result.count = values.size();
  result.mean_s = mean_of(values);
  result.p50_s = sorted_quantile(values, 0.5);
  result.p90_s = sorted_quantile(values, 0.9);
  for (std::size_t i = 0; i < result.covered.size(); ++i) {
    const auto over = std::upper_bound(values.begin(), values.end(), GapStatistics::kLifetimes_s[i]);
    result.covered[i] = static_cast<double>(over - values.begin()) / static_cast<double>(values.size());
  }
  return result;
}

}  // namespace

TraceStatistics statistics_of(const Trace& trace) {
  TOKENOMICS_CHECK(!trace.rows.empty(), "an empty trace");
  TraceStatistics result;
  result.requests = trace.rows.size();
  add_times(trace, result);
  result.input = length(column(trace, [](const TraceRow& row) { return static_cast<double>(row.input_tokens); }));
  result.output = length(column(trace, [](const TraceRow& row) { return static_cast<double>(row.output_tokens); }));
  add_reuse(trace, result);
  result.tool_gaps = gaps(trace, GapKind::Tool);
  result.user_gaps = gaps(trace, GapKind::User);
  // Sessions are numbered in file order and stand together, so the last row has the highest number.
  if (trace.format == TraceFormat::ClaudeCode) result.groups = static_cast<std::uint64_t>(trace.rows.back().group) + 1;
  return result;
}

}  // namespace tokenomics
