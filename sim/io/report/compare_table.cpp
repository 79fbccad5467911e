#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compare_text.hpp"
#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/report/compare_report.hpp"

namespace tokenomics {
namespace {

std::string count_text(std::size_t count) { return whole(static_cast<double>(count)); }

/// "1 point", "2 points".
std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count_text(count), what, count == 1 ? "" : "s");
}

std::size_t count_of(const Comparison& comparison, FindingKind kind) {
  return static_cast<std::size_t>(std::count_if(comparison.findings.begin(), comparison.findings.end(),
                                                [&](const Finding& finding) { return finding.kind == kind; }));
}

struct Totals {
  std::size_t points = 0, moved = 0, curves_moved = 0;
};
Totals totals_of(const Comparison& comparison) {
  Totals totals;
  for (const ComparedCurve& curve : comparison.curves) {
    totals.points += curve.points;
    totals.moved += curve.moved;
    totals.curves_moved += curve.moved > 0 ? 1 : 0;
  }
  return totals;
}

/// What is not a move of a point: "2 points missing, 1 column extra".
std::vector<std::string> other_findings(const Comparison& comparison) {
  struct Row {
    FindingKind kind;
    const char* noun;
    const char* what;
  };
  constexpr Row kRows[] = {{FindingKind::NoLongerReached, "point", "no longer reached"},
                           {FindingKind::NewlyReached, "point", "newly reached"},
                           {FindingKind::MissingPoint, "point", "missing"},
                           {FindingKind::ExtraPoint, "point", "extra"},
                           {FindingKind::MissingMetric, "metric", "missing"},
                           {FindingKind::ExtraMetric, "metric", "extra"}};
  std::vector<std::string> parts;
  for (const Row& row : kRows) {
    if (const std::size_t count = count_of(comparison, row.kind); count > 0)
      parts.push_back(fmt::format("{} {}", counted(count, row.noun), row.what));
  }
  return parts;
}

/// Of all moves, the one furthest past its tolerance.
const Finding* furthest_move(const Comparison& comparison) {
  const Finding* worst = nullptr;
  for (const Finding& finding : comparison.findings) {
    if (finding.kind != FindingKind::Moved) continue;
    if (worst == nullptr || severity(comparison, finding) > severity(comparison, *worst)) worst = &finding;
  }
  return worst;
}

std::vector<std::size_t> curves_with_findings(const Comparison& comparison) {
  std::vector<std::size_t> curves;
  for (std::size_t curve = 0; curve < comparison.curves.size(); ++curve)
    if (comparison.curves[curve].findings > 0) curves.push_back(curve);
  return curves;
}

void curves_section(TextPage& page, const Comparison& comparison) {
  const std::vector<std::size_t> curves = curves_with_findings(comparison);
  if (curves.empty()) return;
  page.heading(comparison.x_axis ? "Curves along " + comparison.base.axes[*comparison.x_axis] : "Curves");
  TextTable table{{{"curve", Align::Left}, {"points"}, {"moved"}}, {}};
  if (comparison.x_axis) table.columns.push_back({"at"});
  for (const char* title : {"base", "new", "change"}) table.columns.push_back({title});
  table.columns.push_back({"worst", Align::Left});
  for (std::size_t i = 0; i < std::min(curves.size(), kMostFindingsShown); ++i) {
    const ComparedCurve& curve = comparison.curves[curves[i]];
    const FindingParts parts = parts_of(comparison, comparison.findings[*curve.worst]);
    std::vector<std::string> row{curve_name(comparison, curve), count_text(curve.points), count_text(curve.moved)};
    if (comparison.x_axis) row.push_back(parts.axes[*comparison.x_axis]);
    row.insert(row.end(), {value_text(parts.base), value_text(parts.now), change_text(parts.change),
                           parts.metric.empty() ? parts.kind : parts.metric});
    table.rows.push_back(row);
  }
  page.table(table);
  if (curves.size() > kMostFindingsShown)
    page.paragraph(fmt::format("and {}", counted(curves.size() - kMostFindingsShown, "more curve")), 2);
  if (const std::size_t still = comparison.curves.size() - curves.size(); still > 0)
    page.paragraph(
        fmt::format("nothing moved on {}", counted(still, still == comparison.curves.size() ? "curve" : "other curve")), 2);
}

void findings_section(TextPage& page, const Comparison& comparison) {
  if (comparison.findings.empty()) return;
  page.heading("Findings");
  for (std::size_t at = 0; at < std::min(comparison.findings.size(), kMostFindingsShown); ++at) {
    const Finding& finding = comparison.findings[at];
    const std::string curve =
        finding.curve == Finding::kNone ? kColumnsName : curve_name(comparison, comparison.curves[finding.curve]);
    page.point(curve + ": " + sentence(comparison, finding));
  }
  if (comparison.findings.size() > kMostFindingsShown)
    page.paragraph(
        fmt::format("and {} more (--format csv has all)", count_text(comparison.findings.size() - kMostFindingsShown)), 2);
}

void noise_section(TextPage& page, const Comparison& comparison) {
  if (comparison.within_noise == 0) return;
  std::vector<std::string> by_metric;
  for (const ComparedMetric& metric : comparison.metrics)
    if (metric.within_noise > 0) by_metric.push_back(fmt::format("{} of {}", count_text(metric.within_noise), metric.name));
  page.paragraph(fmt::format("{} past the tolerance but inside the 95% intervals of both files, counted as noise: {}.",
                             counted(comparison.within_noise, "difference"), fmt::join(by_metric, ", ")));
}

void rules_section(TextPage& page, const Comparison& comparison, const ComparedFiles& files) {
  page.heading("Allowed");
  std::string text = tolerance_text(comparison.rules.otherwise);
  for (const MetricTolerance& tolerance : comparison.rules.metrics)
    text += fmt::format("; {} {}", tolerance.of.pattern, tolerance_text(tolerance.tolerance));
  std::vector<std::string> ignored;
  for (const MetricPattern& pattern : comparison.rules.ignore) ignored.push_back(pattern.pattern);
  if (!ignored.empty()) text += fmt::format("; ignored: {}", fmt::join(ignored, ", "));
  if (!files.tolerances.empty()) text += fmt::format(" (from {} and the options)", files.tolerances);
  page.paragraph(text, 2);
  if (comparison.rules.only_worse)
    page.paragraph(fmt::format("only what is dearer or slower counts: {} for the better let pass",
                               counted(comparison.better, "change")),
                   2);
  if (comparison.base.kind == ResultKind::Frontier)
    page.paragraph(
        "each point of a frontier is asked of the other: the lowest price with no less context, at its "
        "interactivity and TTFT within their tolerances",
        2);
  noise_section(page, comparison);
}

}  // namespace

std::string comparison_verdict(const Comparison& comparison) {
  const Totals totals = totals_of(comparison);
  const std::vector<std::string> others = other_findings(comparison);
  const std::string joined = fmt::format("{}", fmt::join(others, ", "));
  if (totals.moved == 0) {
    return fmt::format("{}no point moved: {}, {}, {}", others.empty() ? "" : joined + "; ", counted(totals.points, "point"),
                       counted(comparison.metrics.size(), "metric"), counted(comparison.curves.size(), "curve"));
  }
  std::string text = fmt::format("{} of {} moved on {} of {}", count_text(totals.moved), counted(totals.points, "point"),
                                 count_text(totals.curves_moved), counted(comparison.curves.size(), "curve"));
  if (const Finding* worst = furthest_move(comparison)) {
    text += fmt::format(": furthest {}: {}", curve_name(comparison, comparison.curves[worst->curve]),
                        sentence(comparison, *worst));
  }
  return others.empty() ? text : text + "; " + joined;
}

std::string comparison_table(const Comparison& comparison, const ComparedFiles& files, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(comparison_verdict(comparison));
  page.paragraph(fmt::format("{}: {} against {}", to_string(comparison.base.kind), files.now, files.base));
  curves_section(page, comparison);
  findings_section(page, comparison);
  rules_section(page, comparison, files);
  return page.text();
}

}  // namespace tokenomics
