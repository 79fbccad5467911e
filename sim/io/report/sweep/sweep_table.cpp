#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "../number_format.hpp"
#include "../text_page.hpp"
#include "tokenomics/report/sweep_summary.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kMostFigures = 4;
constexpr std::size_t kMostCurveRows = 60;

/// "cost.usd_per_mtok.own_mix" -> "usd_per_mtok.own_mix".
std::string short_name(const std::string& name) {
  const std::size_t last = name.rfind('.');
  const std::size_t before = last == std::string::npos || last == 0 ? last : name.rfind('.', last - 1);
  return before == std::string::npos ? name : name.substr(before + 1);
}

/// What a page shows of the figures: what the sweep asks about, else what most people ask first.
std::vector<std::size_t> shown_figures(const SweepSummary& summary) {
  const SweepSpec& spec = summary.spec();
  std::vector<std::string> wanted;
  if (spec.objective) wanted.push_back(spec.objective->expression);
  for (const SweepDerived& derived : spec.derived) wanted.push_back(derived.name);
  for (const SweepCurves& curves : spec.curves) wanted.insert(wanted.end(), {curves.x, curves.y});
  for (const char* name : {"cost.usd_per_mtok.own_mix", "price.usd_per_mtok.own_mix", "latency.ttft_s.p90", "service.ttft_s",
                           "interactivity_tok_s_user.p10", "service.interactivity_tok_s_user",
                           "throughput.output_tok_s_per_gpu", "deployment.hardware"})
    wanted.emplace_back(name);
  wanted.insert(wanted.end(), spec.metrics.begin(), spec.metrics.end());
  const SweepColumns& columns = summary.columns();
  std::vector<std::size_t> shown;
  for (const std::string& name : wanted) {
    const auto found =
        std::find(columns.names.begin() + static_cast<std::ptrdiff_t>(columns.figures), columns.names.end(), name);
    if (found == columns.names.end() || shown.size() == kMostFigures) continue;
    const auto figure = static_cast<std::size_t>(found - columns.names.begin()) - columns.figures;
    if (std::find(shown.begin(), shown.end(), figure) == shown.end()) shown.push_back(figure);
  }
  return shown;
}

/// Short where that tells the shown figures apart.
std::string title_of(const SweepSummary& summary, std::size_t figure, const std::vector<std::size_t>& figures) {
  const auto name = [&](std::size_t f) { return summary.columns().names[summary.columns().figures + f]; };
  const auto alike = std::count_if(figures.begin(), figures.end(),
                                   [&](std::size_t other) { return short_name(name(other)) == short_name(name(figure)); });
  return alike > 1 ? name(figure) : short_name(name(figure));
}

std::string text_of(const DesignSummary& design, std::size_t figure) {
  if (design.texts.empty()) return "-";
  const FigureSpread& spread = design.figures[figure];
  if (std::isnan(spread.p50)) return design.texts[figure].empty() ? "-" : design.texts[figure];
  if (spread.p10 == spread.p90) return significant(spread.p50);
  return fmt::format("{} ({} to {})", significant(spread.p50), significant(spread.p10), significant(spread.p90));
}

/// A point of which some draws have no result is to be read with care.
bool has_failed_samples(const SweepSummary& summary) {
  return !summary.spec().inputs.empty() && summary.statuses().size() > summary.statuses().count("ok");
}

TextTable design_table(const SweepSummary& summary, const std::vector<std::size_t>& figures) {
  TextTable table;
  for (const std::string& axis : summary.spec().axis_columns()) table.columns.push_back({axis, Align::Left});
  if (has_failed_samples(summary)) table.columns.push_back({"feasible, %"});
  for (const std::size_t figure : figures) table.columns.push_back({title_of(summary, figure, figures)});
  return table;
}

SweepFields axes_row(const DesignSummary& design) {
  SweepFields row;
  for (const std::string& axis : design.axes) row.push_back(axis.empty() ? "-" : axis);
  return row;
}

std::vector<std::string> design_row(const SweepSummary& summary, const DesignSummary& design,
                                    const std::vector<std::size_t>& figures) {
  std::vector<std::string> row = axes_row(design);
  const auto ok = static_cast<double>(design.ok), rest = static_cast<double>(design.infeasible + design.errors);
  if (has_failed_samples(summary)) row.push_back(percent(ok / (ok + rest)));
  for (const std::size_t figure : figures) row.push_back(text_of(design, figure));
  return row;
}

std::uint64_t count_of(const SweepSummary& summary, const char* status) {
  const auto found = summary.statuses().find(status);
  return found == summary.statuses().end() ? 0 : found->second;
}

std::string verdict(const SweepSummary& summary) {
  const bool is_uncertain = !summary.spec().inputs.empty();
  std::string text = fmt::format("{} points", whole(static_cast<double>(summary.designs())));
  if (is_uncertain) text += fmt::format(", {} rows", whole(static_cast<double>(summary.rows())));
  const std::uint64_t infeasible = count_of(summary, "infeasible"), errors = count_of(summary, "error");
  const char* unit = is_uncertain ? " rows" : "";
  if (infeasible > 0) text += fmt::format("; {}{} infeasible", whole(static_cast<double>(infeasible)), unit);
  if (errors > 0) text += fmt::format("; {}{} with an error", whole(static_cast<double>(errors)), unit);
  if (summary.best().size() == 1 && summary.best().front().per.empty()) {
    const SweepSummary::Best& best = summary.best().front().best.front();
    text += fmt::format("; {} {} {}", summary.spec().objective->maximize ? "highest" : "lowest",
                        summary.spec().objective->expression, significant(best.objective));
  }
  return text;
}

void best_section(TextPage& page, const SweepSummary& summary, const std::vector<std::size_t>& figures) {
  if (!summary.spec().objective) return;
  const SweepObjective& wanted = *summary.spec().objective;
  page.heading(fmt::format("The best by {} {}", wanted.maximize ? "highest" : "lowest", wanted.expression));
  for (const std::string& condition : wanted.where) page.paragraph("where " + condition, 2);
  if (summary.best().empty()) page.paragraph("no point", 2);
  for (const SweepSummary::Group& group : summary.best()) {
    std::string title;
    for (std::size_t i = 0; i < group.per.size(); ++i)
      title += fmt::format("{}{} {}", i ? ", " : "", wanted.per[i], group.per[i]);
    if (!title.empty()) page.paragraph(title, 2);
    TextTable table = design_table(summary, figures);
    for (const SweepSummary::Best& best : group.best) table.rows.push_back(design_row(summary, best.design, figures));
    page.table(table);
  }
}

void drivers_section(TextPage& page, const SweepSummary& summary, const std::vector<std::size_t>& figures) {
  const SweepSpec& spec = summary.spec();
  if (spec.inputs.empty()) return;
  page.heading(fmt::format("What drives the uncertainty (estimated from {} samples)", spec.samples));
  TextTable table;
  for (const std::string& axis : spec.axis_columns()) table.columns.push_back({axis, Align::Left});
  table.columns.insert(table.columns.end(),
                       {{"figure", Align::Left}, {"of variance, %"}, {"rank correlation"}, {"goes with", Align::Left}});
  for (const DesignSummary& design : summary.first_designs()) {
    for (const std::size_t figure : figures) {
      const FigureSpread& spread = design.figures[figure];
      if (!spread.driver || table.rows.size() >= SweepSummary::kShown) continue;
      std::vector<std::string> row = axes_row(design);
      row.insert(row.end(),
                 {title_of(summary, figure, figures), percent(spread.driver_share), significant(spread.driver_sign),
                  spec.inputs[*spread.driver].substr(std::string_view("drawn.").size())});
      table.rows.push_back(std::move(row));
    }
  }
  page.table(table);
}

std::string crossings_text(const std::vector<Crossing>& crossings, const SweepSummary::CurvePair& pair) {
  std::string text;
  for (const Crossing& crossing : crossings)
    text += fmt::format("{}{} ({} cheaper after)", text.empty() ? "" : "; ", significant(crossing.x),
                        crossing.below_after ? pair.a : pair.b);
  return text.empty() ? "nowhere" : text;
}

void curve_sections(TextPage& page, const SweepSummary& summary) {
  std::size_t rows = 0;
  for (const SweepSummary::CurveAnswer& answer : summary.curves()) {
    std::string where;
    for (std::size_t i = 0; i < answer.per.size(); ++i) where += fmt::format(", {} {}", answer.spec->per[i], answer.per[i]);
    if (rows > kMostCurveRows) return page.paragraph("More curves are in the JSON result.", 2);
    page.heading(answer.spec->name + where);
    TextTable crossings{{{"curves", Align::Left}, {"cross at " + short_name(answer.spec->x), Align::Left}}, {}};
    for (const SweepSummary::CurvePair& pair : answer.pairs)
      crossings.rows.push_back({pair.a + ", " + pair.b, crossings_text(pair.crossings, pair)});
    if (!crossings.rows.empty()) page.table(crossings);
    rows += crossings.rows.size() + answer.break_even.size();
    if (answer.break_even.empty()) continue;
    TextTable table{{{"USD per GPU-hour", Align::Left},
                     {"its own"},
                     {"as cheap at"},
                     {"from"},
                     {"to"},
                     {"over " + short_name(answer.spec->x)}},
                    {}};
    for (const SweepSummary::BreakEvenRow& one : answer.break_even) {
      if (!one.result) {
        table.rows.push_back({one.curve, significant(one.own_price), "-", "-", "-", "no common range"});
        continue;
      }
      table.rows.push_back({one.curve, significant(one.own_price), significant(one.result->median),
                            significant(one.result->low), significant(one.result->high),
                            fmt::format("{} to {}", significant(one.result->x_low), significant(one.result->x_high))});
    }
    page.table(table);
  }
}

void designs_section(TextPage& page, const SweepSummary& summary, const std::vector<std::size_t>& figures) {
  const bool is_all = summary.designs() <= summary.first_designs().size();
  page.heading(is_all ? "Points" : fmt::format("The first {} points", summary.first_designs().size()));
  TextTable table = design_table(summary, figures);
  for (const DesignSummary& design : summary.first_designs()) table.rows.push_back(design_row(summary, design, figures));
  page.table(table);
}

/// Each reason once, with the number of rows that it stands for.
void reasons_section(TextPage& page, const SweepSummary& summary) {
  if (summary.reasons().empty()) return;
  page.heading("Why not");
  for (const auto& [kind, reason] : summary.reasons())
    page.point(fmt::format("{} row{}: {}", whole(static_cast<double>(reason.rows)), reason.rows == 1 ? "" : "s",
                           reason.text.substr(0, 300)));
}

}  // namespace

std::string sweep_table(const SweepSummary& summary, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(verdict(summary));
  if (!summary.spec().description.empty()) page.paragraph(summary.spec().description);
  const std::vector<std::size_t> figures = shown_figures(summary);
  best_section(page, summary, figures);
  curve_sections(page, summary);
  drivers_section(page, summary, figures);
  designs_section(page, summary, figures);
  reasons_section(page, summary);
  if (!summary.spec().assumptions.empty()) page.heading("Assumed");
  for (const std::string& text : summary.spec().assumptions) page.point(text);
  return page.text();
}

}  // namespace tokenomics
