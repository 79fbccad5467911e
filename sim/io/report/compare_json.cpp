#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compare_text.hpp"
#include "csv.hpp"
#include "number_format.hpp"
#include "tokenomics/report/compare_report.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

constexpr auto kReplace = ordered_json::error_handler_t::replace;

const char* word_of(Better better) {
  switch (better) {
    case Better::Lower: return "lower";
    case Better::Higher: return "higher";
    case Better::NearZero: return "near zero";
    case Better::Unknown: break;
  }
  return "unknown";
}

ordered_json axes_block(const Comparison& comparison, const std::vector<std::string>& values,
                        const std::vector<std::size_t>& axes) {
  ordered_json block = ordered_json::object();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto number = number_in(values[i]);
    block[comparison.base.axes[axes[i]]] = number ? ordered_json(*number) : ordered_json(values[i]);
  }
  return block;
}

std::vector<std::size_t> all_axes(const Comparison& comparison) {
  std::vector<std::size_t> axes(comparison.base.axes.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = axis;
  return axes;
}

ordered_json finding_block(const Comparison& comparison, const Finding& finding, const std::vector<std::size_t>& axes) {
  const FindingParts parts = parts_of(comparison, finding);
  ordered_json block{{"finding", parts.kind},
                     {"curve", finding.curve == Finding::kNone ? ordered_json(nullptr) : ordered_json(finding.curve)},
                     {"point", axes_block(comparison, parts.axes, axes)}};
  if (const auto asked = asked_point(comparison, finding))
    block["asked"] = {{"context", tidy(asked->context)},
                      {"interactivity_tok_s_user", tidy(asked->interactivity)},
                      {"ttft_s", tidy(asked->ttft)}};
  block["metric"] = parts.metric.empty() ? ordered_json(nullptr) : ordered_json(parts.metric);
  block["base"] = parts.base;
  block["new"] = parts.now;
  block["change"] = tidy(parts.change);
  return block;
}

ordered_json head_of(const Comparison& comparison, const ComparedFiles& files, const ReportOptions& options) {
  ordered_json metrics = ordered_json::array(), curves = ordered_json::array();
  for (const ComparedMetric& metric : comparison.metrics)
    metrics.push_back({{"name", metric.name},
                       {"relative", metric.tolerance.relative},
                       {"absolute", metric.tolerance.absolute},
                       {"better", word_of(metric.better)},
                       {"within_noise", metric.within_noise}});
  std::size_t points = 0, moved = 0;
  for (const ComparedCurve& curve : comparison.curves) {
    points += curve.points;
    moved += curve.moved;
    curves.push_back({{"axes", axes_block(comparison, curve.axis_values, comparison.curve_axes)},
                      {"points", curve.points},
                      {"moved", curve.moved},
                      {"findings", curve.findings}});
  }
  return {{"schema", "tokenomics.comparison/1"},
          {"version", options.version},
          {"base", files.base},
          {"new", files.now},
          {"tolerances", files.tolerances.empty() ? ordered_json(nullptr) : ordered_json(files.tolerances)},
          {"direction", comparison.rules.only_worse ? "worse" : "any"},
          {"of", to_string(comparison.base.kind)},
          {"verdict", comparison_verdict(comparison)},
          {"passed", comparison.findings.empty()},
          {"points", points},
          {"moved", moved},
          {"within_noise", comparison.within_noise},
          {"better", comparison.better},
          {"x", comparison.x_axis ? ordered_json(comparison.base.axes[*comparison.x_axis]) : ordered_json(nullptr)},
          {"metrics", metrics},
          {"curves", curves}};
}

}  // namespace

std::string comparison_json(const Comparison& comparison, const ComparedFiles& files, const ReportOptions& options) {
  std::string text = head_of(comparison, files, options).dump(2, ' ', false, kReplace);
  text.erase(text.size() - 2);  // the end of the object, which goes on
  text += ",\n  \"findings\": [";
  const std::vector<std::size_t> axes = all_axes(comparison);
  const char* between = "";
  for (const Finding& finding : comparison.findings) {
    text += between;
    text += "\n    " + finding_block(comparison, finding, axes).dump(-1, ' ', false, kReplace);
    between = ",";
  }
  return text + (comparison.findings.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

std::string comparison_csv(const Comparison& comparison) {
  const bool is_frontier = comparison.base.kind == ResultKind::Frontier;
  std::vector<std::string> names{"finding"};
  names.insert(names.end(), comparison.base.axes.begin(), comparison.base.axes.end());
  if (is_frontier) names.insert(names.end(), {"context", "interactivity_tok_s_user", "ttft_s"});
  names.insert(names.end(), {"metric", "base", "new", "change"});
  std::string text = csv_line(names);
  for (const Finding& finding : comparison.findings) {
    FindingParts parts = parts_of(comparison, finding);
    parts.axes.resize(comparison.base.axes.size());
    std::vector<std::string> fields{parts.kind};
    fields.insert(fields.end(), parts.axes.begin(), parts.axes.end());
    if (is_frontier) {
      const auto asked = asked_point(comparison, finding);
      for (double AskedPoint::*part : {&AskedPoint::context, &AskedPoint::interactivity, &AskedPoint::ttft})
        fields.push_back(asked ? csv_value(tidy((*asked).*part)) : "");
    }
    fields.insert(fields.end(), {parts.metric, csv_value(parts.base), csv_value(parts.now), csv_value(tidy(parts.change))});
    text += csv_line(fields);
  }
  return text;
}

}  // namespace tokenomics
