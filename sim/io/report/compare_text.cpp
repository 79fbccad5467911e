#include "compare_text.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "number_format.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

const char* name_of(FindingKind kind) {
  constexpr std::array kNames{"missing_metric", "extra_metric", "missing_point", "extra_point", "status_changed",
                              "moved",          "text_changed", "vanished",      "appeared",    "no_longer_reached",
                              "newly_reached"};
  return kNames[static_cast<std::size_t>(kind)];
}

ordered_json cell_of(const ResultPoints& points, const std::optional<std::size_t>& column, std::uint32_t point) {
  if (!column || point == Finding::kNone) return nullptr;
  const ResultColumn& values = points.metrics[*column];
  if (const std::string* text = values.text(point)) return *text;
  return tidy(values.number(point));
}

/// The point that names the place: BASE's own, unless only NEW has it or a frontier's NEW was asked.
bool is_named_by_base(const Comparison& comparison, const Finding& finding) {
  if (finding.base_point == Finding::kNone || finding.kind == FindingKind::NewlyReached) return false;
  if (comparison.base.kind != ResultKind::Frontier || finding.kind != FindingKind::Moved) return true;
  const std::size_t price = *comparison.metrics[finding.metric].base_column;
  return comparison.now.metrics[price].numbers[finding.new_point] >=
         comparison.base.metrics[price].numbers[finding.base_point];
}

bool is_of_column(const Finding& finding) { return finding.curve == Finding::kNone; }

std::string reason_text(const std::string& reason) { return reason.empty() ? "" : fmt::format(" ({})", reason); }

std::string values_text(const Comparison& comparison, const Finding& finding) {
  const FindingParts parts = parts_of(comparison, finding);
  const std::string both = fmt::format("{} -> {}", value_text(parts.base), value_text(parts.now));
  switch (finding.kind) {
    case FindingKind::MissingMetric: return fmt::format("{} is missing in NEW", parts.metric);
    case FindingKind::ExtraMetric: return fmt::format("{} is not in BASE", parts.metric);
    case FindingKind::MissingPoint: return "the point is missing in NEW";
    case FindingKind::ExtraPoint: return "the point is not in BASE";
    case FindingKind::NoLongerReached: return fmt::format("no longer reached; was {}", value_text(parts.base));
    case FindingKind::NewlyReached: return fmt::format("newly reached, at {}", value_text(parts.now));
    case FindingKind::StatusChanged: return "status " + both + reason_text(comparison.now.reason[finding.new_point]);
    case FindingKind::Moved:
      return fmt::format("{} {}, {} (allowed {})", parts.metric, both, change_text(parts.change),
                         tolerance_text(comparison.metrics[finding.metric].tolerance));
    default: return fmt::format("{} {}", parts.metric, both);
  }
}

}  // namespace

FindingParts parts_of(const Comparison& comparison, const Finding& finding) {
  FindingParts parts{name_of(finding.kind), {}, "", nullptr, nullptr, std::nullopt};
  if (!is_of_column(finding)) {
    const bool by_base = is_named_by_base(comparison, finding);
    const ResultPoints& points = by_base ? comparison.base : comparison.now;
    for (const auto& values : points.axis_values)
      parts.axes.push_back(values[by_base ? finding.base_point : finding.new_point]);
  }
  const bool is_reach = finding.kind == FindingKind::NoLongerReached || finding.kind == FindingKind::NewlyReached;
  if (finding.kind == FindingKind::StatusChanged) {
    parts.metric = "status";
    parts.base = comparison.base.status[finding.base_point];
    parts.now = comparison.now.status[finding.new_point];
  } else if (is_reach) {
    parts.metric = comparison.base.metrics[kFrontierPrice].name;
    parts.base = cell_of(comparison.base, kFrontierPrice, finding.base_point);
    parts.now = cell_of(comparison.now, kFrontierPrice, finding.new_point);
  } else if (finding.metric != Finding::kNone) {
    const ComparedMetric& metric = comparison.metrics[finding.metric];
    parts.metric = metric.name;
    parts.base = cell_of(comparison.base, metric.base_column, finding.base_point);
    parts.now = cell_of(comparison.now, metric.new_column, finding.new_point);
  }
  if (finding.kind == FindingKind::Moved && parts.base != 0)
    parts.change = (parts.now.get<double>() - parts.base.get<double>()) / std::abs(parts.base.get<double>());
  return parts;
}

std::optional<AskedPoint> asked_point(const Comparison& comparison, const Finding& finding) {
  if (comparison.base.kind != ResultKind::Frontier || is_of_column(finding)) return std::nullopt;
  const bool by_base = is_named_by_base(comparison, finding);
  const ResultPoints& points = by_base ? comparison.base : comparison.now;
  const std::uint32_t point = by_base ? finding.base_point : finding.new_point;
  const auto value = [&](FrontierColumn column) { return points.metrics[column].numbers[point]; };
  return AskedPoint{value(kFrontierContext), value(kFrontierInteractivity), value(kFrontierTtft)};
}

std::string curve_name(const Comparison& comparison, const ComparedCurve& curve) {
  std::vector<std::string> named;
  for (std::size_t i = 0; i < comparison.curve_axes.size(); ++i)
    named.push_back(comparison.base.axes[comparison.curve_axes[i]] + "=" + curve.axis_values[i]);
  if (!named.empty()) return fmt::format("{}", fmt::join(named, ", "));
  switch (comparison.base.kind) {
    case ResultKind::Run: return "the run";
    case ResultKind::Solution: return "the solution";
    default: return "all points";
  }
}

std::string place_on_curve(const Comparison& comparison, const Finding& finding) {
  if (const auto asked = asked_point(comparison, finding)) {
    return fmt::format("{} tokens of context, {} tok/s/user, TTFT {} s", whole(asked->context),
                       significant(asked->interactivity), significant(asked->ttft));
  }
  if (is_of_column(finding) || !comparison.x_axis) return "";
  return comparison.base.axes[*comparison.x_axis] + "=" + parts_of(comparison, finding).axes[*comparison.x_axis];
}

std::string sentence(const Comparison& comparison, const Finding& finding) {
  const std::string place = place_on_curve(comparison, finding);
  return (place.empty() ? "" : place + ": ") + values_text(comparison, finding);
}

std::string value_text(const ordered_json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : significant(value.get<double>(), 4);
}

std::string change_text(const std::optional<double>& change) {
  if (!change) return "-";
  const double in_percent = 100 * *change;
  // Tight tolerances find moves that one decimal does not show.
  return std::abs(in_percent) < 0.1 ? fmt::format("{:+.2g}%", in_percent) : fmt::format("{:+.1f}%", in_percent);
}

std::string tolerance_text(const Tolerance& tolerance) {
  const std::string relative = fmt::format("{:.6g}%", 100 * tolerance.relative);
  if (tolerance.absolute <= 0) return relative;
  const std::string absolute = fmt::format("{:.6g}", tolerance.absolute);
  return tolerance.relative > 0 ? relative + " + " + absolute : absolute;
}

FindingRange column_findings(const Comparison& comparison) {
  FindingRange range;
  while (range.count < comparison.findings.size() && is_of_column(comparison.findings[range.count])) ++range.count;
  return range;
}

std::string sentences(const Comparison& comparison, const FindingRange& range, std::size_t most) {
  std::string text;
  for (std::size_t at = 0; at < std::min(most, range.count); ++at)
    text += sentence(comparison, comparison.findings[range.first + at]) + "\n";
  if (range.count > most) text += fmt::format("and {} more\n", whole(static_cast<double>(range.count - most)));
  return text;
}

}  // namespace tokenomics
