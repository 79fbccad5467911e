#include <fmt/format.h>

#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/report/validation_report.hpp"
#include "validation_parts.hpp"

namespace tokenomics {
namespace {

std::string count(std::size_t n) { return whole(static_cast<double>(n)); }

void add_errors(std::vector<std::string>& cells, const ErrorStatistics& s) {
  for (const double share : {s.median, s.p90, s.bias}) cells.push_back(s.points > 0 ? percent(share) : "-");
}

TextTable errors_table(std::vector<TableColumn> first) {
  for (const char* title : {"tok/s", "p90", "bias", "TPOT", "p90", "bias", "TTFT", "p90", "bias"}) first.push_back({title});
  return {std::move(first), {}};
}

std::vector<std::string> group_cells(const GroupErrors& group) {
  const GroupKey& key = group.key;
  std::vector<std::string> cells{key.gpu, key.engine,
                                 (key.precision.empty() ? "-" : key.precision) + (key.drafts ? "+mtp" : ""),
                                 key.disaggregated ? "P+D" : "", count(group.points)};
  for (const ErrorStatistics& s : {group.tok_s_per_gpu, group.tpot, group.ttft}) add_errors(cells, s);
  return cells;
}

/// A table a network; groups are in order of their keys, of which the network comes first.
void groups_of(TextPage& page, const Validation& validation) {
  for (std::size_t i = 0; i < validation.groups.size();) {
    const std::string model = validation.groups[i].key.model;
    TextTable table = errors_table({{"GPU", Align::Left}, {"engine", Align::Left}, {"format", Align::Left}, {""}, {"n"}});
    for (; i < validation.groups.size() && validation.groups[i].key.model == model; ++i) {
      if (validation.groups[i].points > 0) table.rows.push_back(group_cells(validation.groups[i]));
    }
    if (table.rows.empty()) continue;
    page.heading(model);
    page.table(table);
  }
}

std::vector<std::string> total_cells(const char* name, std::size_t points, const ErrorStatistics& tok,
                                     const ErrorStatistics& tpot, const ErrorStatistics& ttft) {
  std::vector<std::string> cells{name, count(points)};
  for (const ErrorStatistics& s : {tok, tpot, ttft}) add_errors(cells, s);
  return cells;
}

void totals_of(TextPage& page, const Validation& v) {
  page.heading("Totals");
  TextTable table = errors_table({{"", Align::Left}, {"n"}});
  const auto add = [&](const char* name, const GroupErrors& g) {
    table.rows.push_back(total_cells(name, g.points, g.tok_s_per_gpu, g.tpot, g.ttft));
  };
  add("all points", v.all);
  if (v.deepseek.points > 0) add("DeepSeek alone", v.deepseek);
  table.rows.push_back(
      total_cells("mean of GPU x engine x network", v.macro_tpot.points, v.macro_tok_s_per_gpu, v.macro_tpot, v.macro_ttft));
  if (const ErrorStatistics& derived = v.all.tok_s_per_gpu_derived; derived.points > 0)
    table.rows.push_back(total_cells("throughput derived, not in above", derived.points, derived, {}, {}));
  page.table(table);
}

void counts_of(TextPage& page, const BenchmarkSet& set, const Validation& validation) {
  const std::vector<ReasonCount> reasons = reasons_of(set, validation);
  if (reasons.empty()) return;
  page.heading("Not predicted as labelled");
  for (const ReasonCount& r : reasons)
    page.point(fmt::format("{} {} ({}): {}", count(r.points), r.outcome, r.first, r.reason));
}

void calibrations_page(TextPage& page, const BenchmarkSet& set, const Validation& validation,
                       const ValidationInputs& inputs) {
  const std::vector<CalibrationUse> uses = calibrations_of(set, validation, inputs);
  if (uses.empty()) return;
  page.heading("Calibrations");
  TextTable table{{{"GPU", Align::Left}, {"engine", Align::Left}, {"n"}, {"how near", Align::Left}, {"name", Align::Left}},
                  {}};
  for (const CalibrationUse& use : uses)
    table.rows.push_back({use.gpu, use.engine, count(use.points), use.nearness, use.calibration});
  page.table(table);
}

}  // namespace

std::string validation_table(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs,
                             const ReportOptions& options) {
  const GroupErrors& all = validation.all;
  TextPage page(options.color);
  page.verdict(fmt::format(
      "{} points: median absolute error {}% of tok/s/GPU, {}% of TPOT, {}% of TTFT; {} cannot be run, {} rows are invalid",
      count(all.points), all.tok_s_per_gpu.points > 0 ? percent(all.tok_s_per_gpu.median) : "-",
      all.tpot.points > 0 ? percent(all.tpot.median) : "-", all.ttft.points > 0 ? percent(all.ttft.median) : "-",
      count(all.infeasible), count(all.skipped)));
  page.paragraph(
      "Columns, in percent: median and 90th percentile absolute error, and median signed error (bias), of output "
      "tokens/s/GPU, TPOT and TTFT. P+D: disaggregated. " +
      validation_conventions(set.rules()));
  groups_of(page, validation);
  totals_of(page, validation);
  calibrations_page(page, set, validation, inputs);
  counts_of(page, set, validation);
  return page.text();
}

}  // namespace tokenomics
