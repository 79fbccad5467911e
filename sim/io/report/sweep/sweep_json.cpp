#include <cmath>

#include <nlohmann/json.hpp>

#include "../csv.hpp"
#include "../number_format.hpp"
#include "tokenomics/report/sweep_summary.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json named(const std::vector<std::string>& names, const SweepFields& fields) {
  ordered_json object = ordered_json::object();
  for (std::size_t i = 0; i < names.size(); ++i)
    object[names[i]] = fields[i].empty() ? ordered_json(nullptr) : ordered_json(fields[i]);
  return object;
}

ordered_json spread_block(const FigureSpread& spread, const SweepSpec& spec) {
  if (spec.inputs.empty()) return tidy(spread.p50);
  ordered_json block{{"p10", tidy(spread.p10)},
                     {"p50", tidy(spread.p50)},
                     {"p90", tidy(spread.p90)},
                     {"samples", spread.samples},
                     {"driver", nullptr}};
  if (spread.driver)
    block["driver"] = {{"input", spec.inputs[*spread.driver]},
                       {"first_order", tidy(spread.driver_share)},
                       {"rank_correlation", tidy(spread.driver_sign)}};
  return block;
}

bool is_text(const DesignSummary& design, std::size_t figure) {
  return !design.texts.empty() && !design.texts[figure].empty();
}

ordered_json design_block(const DesignSummary& design, const SweepSummary& summary) {
  const SweepColumns& columns = summary.columns();
  ordered_json figures = ordered_json::object();
  for (std::size_t f = 0; f < design.figures.size(); ++f)
    figures[columns.names[columns.figures + f]] =
        is_text(design, f) ? ordered_json(design.texts[f]) : spread_block(design.figures[f], summary.spec());
  ordered_json block{{"point", design.point}, {"axes", named(summary.spec().axis_columns(), design.axes)}};
  if (!summary.spec().inputs.empty())
    block["samples"] = {{"ok", design.ok}, {"infeasible", design.infeasible}, {"error", design.errors}};
  block["figures"] = std::move(figures);
  return block;
}

ordered_json best_block(const SweepSummary& summary) {
  if (!summary.spec().objective) return nullptr;
  const SweepObjective& wanted = *summary.spec().objective;
  ordered_json groups = ordered_json::array();
  for (const SweepSummary::Group& group : summary.best()) {
    ordered_json list = ordered_json::array();
    for (const SweepSummary::Best& best : group.best) {
      ordered_json one = design_block(best.design, summary);
      one["objective"] = tidy(best.objective);
      list.push_back(std::move(one));
    }
    groups.push_back({{"per", named(wanted.per, group.per)}, {"candidates", group.candidates}, {"best", list}});
  }
  return {{wanted.maximize ? "maximize" : "minimize", wanted.expression}, {"where", wanted.where}, {"groups", groups}};
}

ordered_json crossings_block(const SweepSummary::CurveAnswer& answer) {
  ordered_json list = ordered_json::array();
  for (const SweepSummary::CurvePair& pair : answer.pairs)
    for (const Crossing& crossing : pair.crossings)
      list.push_back({{"a", pair.a},
                      {"b", pair.b},
                      {"x", tidy(crossing.x)},
                      {"y", tidy(crossing.y)},
                      {"cheaper_after", crossing.below_after ? pair.a : pair.b}});
  return list;
}

ordered_json break_even_block(const SweepSummary::CurveAnswer& answer) {
  ordered_json list = ordered_json::array();
  for (const SweepSummary::BreakEvenRow& one : answer.break_even) {
    ordered_json block{
        {"curve", one.curve}, {"usd_per_gpu_hour", tidy(one.own_price)}, {"break_even_usd_per_gpu_hour", nullptr}};
    if (one.result) {
      ordered_json prices = ordered_json::array();
      for (const auto& [x, price] : one.result->price) prices.push_back({{"x", tidy(x)}, {"usd_per_gpu_hour", tidy(price)}});
      block["break_even_usd_per_gpu_hour"] = {{"low", tidy(one.result->low)},       {"median", tidy(one.result->median)},
                                              {"high", tidy(one.result->high)},     {"x_low", tidy(one.result->x_low)},
                                              {"x_high", tidy(one.result->x_high)}, {"by_x", prices}};
    }
    list.push_back(std::move(block));
  }
  return list;
}

ordered_json curves_block(const SweepSummary& summary) {
  ordered_json list = ordered_json::array();
  for (const SweepSummary::CurveAnswer& answer : summary.curves()) {
    ordered_json curves = ordered_json::array();
    for (const CostCurve& curve : answer.curves) {
      ordered_json points = ordered_json::array();
      for (const auto& [x, y] : curve.points) points.push_back({tidy(x), tidy(y)});
      curves.push_back({{"name", curve.name}, {"points", points}});
    }
    list.push_back({{"name", answer.spec->name},
                    {"x", answer.spec->x},
                    {"y", answer.spec->y},
                    {"per", named(answer.spec->per, answer.per)},
                    {"curves", curves},
                    {"crossings", crossings_block(answer)},
                    {"break_even", break_even_block(answer)}});
  }
  return list;
}

/// Of the first design points, as on the page; all are in the file of intervals.
ordered_json intervals_block(const SweepSummary& summary) {
  if (summary.spec().inputs.empty()) return nullptr;
  ordered_json list = ordered_json::array();
  for (const DesignSummary& design : summary.first_designs()) list.push_back(design_block(design, summary));
  return list;
}

}  // namespace

ordered_json sweep_json(const SweepSummary& summary, const ReportOptions& options) {
  const SweepSpec& spec = summary.spec();
  ordered_json statuses{{"ok", 0}, {"infeasible", 0}, {"error", 0}};
  for (const auto& [status, count] : summary.statuses()) statuses[status] = count;
  return {{"schema", "tokenomics.sweep_result/1"},
          {"version", options.version},
          {"sweep", spec.name},
          {"rows", summary.rows()},
          {"points", summary.designs()},
          {"samples", spec.inputs.empty() ? ordered_json(nullptr) : ordered_json(spec.samples)},
          {"uncertain", spec.inputs},
          {"statuses", statuses},
          {"objective", best_block(summary)},
          {"curves", curves_block(summary)},
          {"intervals", intervals_block(summary)},
          {"assumptions", spec.assumptions}};
}

std::string interval_head(const SweepColumns& columns) {
  std::vector<std::string> names{"point"};
  names.insert(names.end(), columns.names.begin() + static_cast<std::ptrdiff_t>(columns.axes),
               columns.names.begin() + static_cast<std::ptrdiff_t>(columns.inputs));
  for (const char* name : {"ok", "infeasible", "error", "reason"}) names.emplace_back(name);
  for (std::size_t c = columns.figures; c < columns.names.size(); ++c)
    for (const char* part : {".p10", ".p50", ".p90", ".driver", ".driver_first_order"})
      names.push_back(columns.names[c] + part);
  return csv_line(names);
}

std::string interval_line(const DesignSummary& design, const SweepColumns& columns) {
  std::vector<std::string> fields{std::to_string(design.point)};
  fields.insert(fields.end(), design.axes.begin(), design.axes.end());
  for (const std::uint64_t count : {design.ok, design.infeasible, design.errors}) fields.push_back(std::to_string(count));
  fields.push_back(design.reason);
  for (const FigureSpread& spread : design.figures) {
    for (const double value : {spread.p10, spread.p50, spread.p90}) fields.push_back(csv_value(tidy(value)));
    fields.push_back(spread.driver ? columns.names[columns.inputs + *spread.driver] : "");
    fields.push_back(spread.driver ? csv_value(tidy(spread.driver_share)) : "");
  }
  return csv_line(fields);
}

}  // namespace tokenomics
