#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "csv.hpp"
#include "number_format.hpp"
#include "tokenomics/report/validation_report.hpp"
#include "validation_parts.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json statistics_block(const ErrorStatistics& s) {
  const auto percent = [&](double share) { return s.points > 0 ? tidy(100 * share) : ordered_json(nullptr); };
  return {{"points", s.points}, {"mdape", percent(s.median)}, {"p90ape", percent(s.p90)}, {"bias", percent(s.bias)}};
}

ordered_json key_block(const GroupKey& key) {
  return {{"model", key.model},         {"gpu", key.gpu},       {"engine", key.engine},
          {"precision", key.precision}, {"drafts", key.drafts}, {"disaggregated", key.disaggregated}};
}

ordered_json errors_block(const GroupErrors& errors) {
  return {{"points", errors.points},
          {"tok_s_per_gpu", statistics_block(errors.tok_s_per_gpu)},
          {"tpot", statistics_block(errors.tpot)},
          {"ttft", statistics_block(errors.ttft)},
          {"tok_s_per_gpu_derived", statistics_block(errors.tok_s_per_gpu_derived)},
          {"infeasible", errors.infeasible},
          {"skipped", errors.skipped}};
}

ordered_json group_block(const GroupErrors& group) {
  ordered_json block{{"key", key_block(group.key)}};
  block.update(errors_block(group));
  return block;
}

/// `points` of each are groups.
ordered_json macro_block(const Validation& validation) {
  const auto block = [](const ErrorStatistics& s) {
    ordered_json all = statistics_block(s), named{{"groups", s.points}};
    all.erase("points");
    named.update(all);
    return named;
  };
  return {{"tok_s_per_gpu", block(validation.macro_tok_s_per_gpu)},
          {"tpot", block(validation.macro_tpot)},
          {"ttft", block(validation.macro_ttft)}};
}

ordered_json calibrations_block(const std::vector<CalibrationUse>& uses) {
  ordered_json list = ordered_json::array();
  for (const CalibrationUse& use : uses)
    list.push_back({{"gpu", use.gpu},
                    {"engine", use.engine},
                    {"calibration", use.calibration},
                    {"fit", use.nearness},
                    {"points", use.points}});
  return list;
}

ordered_json reasons_block(const std::vector<ReasonCount>& reasons) {
  ordered_json list = ordered_json::array();
  for (const ReasonCount& r : reasons)
    list.push_back({{"outcome", r.outcome}, {"reason", r.reason}, {"points", r.points}, {"first", r.first}});
  return list;
}

std::string csv_of(const std::vector<ordered_json>& rows) {
  std::string text;
  for (const ordered_json& row : rows) {
    std::vector<std::string> names, values;
    for (const FlatValue& flat : flattened(row)) {
      names.push_back(flat.name);
      values.push_back(csv_value(flat.value));
    }
    if (text.empty()) text = csv_line(names);
    text += csv_line(values);
  }
  return text;
}

/// A row of the table of groups; without a key for totals.
ordered_json scope_row(const char* scope, const GroupErrors& errors, bool has_key) {
  ordered_json row{{"scope", scope}}, key = key_block(errors.key);
  if (!has_key)
    for (auto& value : key) value = nullptr;
  row.update(key);
  row.update(errors_block(errors));
  return row;
}

ordered_json macro_row(const Validation& validation) {
  GroupErrors macro;
  macro.points = validation.all.points;
  macro.infeasible = validation.all.infeasible;
  macro.skipped = validation.all.skipped;
  macro.tok_s_per_gpu = validation.macro_tok_s_per_gpu;
  macro.tpot = validation.macro_tpot;
  macro.ttft = validation.macro_ttft;
  return scope_row("macro", macro, false);
}

}  // namespace

std::string validation_conventions(const BenchmarkRules& rules) {
  return fmt::format(
      "Closed loop at the row's concurrency, {} prompts a user, lengths uniform between 0.8 of the row's and all of them "
      "unless it gives their mean; output tokens a second over all GPUs, ramps included; TTFT and TPOT are medians where "
      "the "
      "file has them, else means; errors of points that cannot be run count as 100%.",
      rules.prompts_per_user);
}

ordered_json validation_json(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs,
                             const ReportOptions& options) {
  ordered_json groups = ordered_json::array(), predictions = ordered_json::array();
  for (const GroupErrors& group : validation.groups) groups.push_back(group_block(group));
  for (const ValidatedPoint& point : validation.points) predictions.push_back(prediction_row(set, point, inputs));
  return {{"schema", "tokenomics.validation/1"},
          {"version", options.version},
          {"files", inputs.points},
          {"flags", inputs.flags},
          {"conventions", validation_conventions(set.rules())},
          {"groups", groups},
          {"all", errors_block(validation.all)},
          {"deepseek", errors_block(validation.deepseek)},
          {"macro", macro_block(validation)},
          {"calibrations", calibrations_block(calibrations_of(set, validation, inputs))},
          {"reasons", reasons_block(reasons_of(set, validation))},
          {"predictions", predictions}};
}

std::string validation_csv(const Validation& validation) {
  std::vector<ordered_json> rows;
  for (const GroupErrors& group : validation.groups) rows.push_back(scope_row("group", group, true));
  rows.push_back(scope_row("all", validation.all, false));
  rows.push_back(scope_row("deepseek", validation.deepseek, false));
  rows.push_back(macro_row(validation));
  return csv_of(rows);
}

std::string predictions_csv(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs) {
  std::vector<ordered_json> rows;
  for (const ValidatedPoint& point : validation.points) rows.push_back(prediction_row(set, point, inputs));
  return csv_of(rows);
}

}  // namespace tokenomics
