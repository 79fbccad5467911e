#include "tokenomics/report/explain_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "csv.hpp"
#include "figures.hpp"
#include "number_format.hpp"
#include "text_page.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

/// Part of the step that the operator is seen to take: what the schedule hides does not lengthen it.
double share_of(const OperatorTime& op, const StepExplanation& step) {
  return step.total.value() > 0 ? op.time.value() * op.exposed_share / step.total.value() : 0.0;
}

ordered_json operator_json(const OperatorTime& op, const StepExplanation& step) {
  return {{"operator", op.name},
          {"calls", tidy(op.calls)},
          {"flops", tidy(op.flops.value())},
          {"hbm_bytes", tidy(op.hbm_bytes.value())},
          {"link_bytes", tidy(op.link_bytes.value())},
          {"time_us", tidy(op.time.value() * 1e6)},
          {"exposed_share", tidy(op.exposed_share)},
          {"share", tidy(share_of(op, step))},
          {"bound", op.bound},
          {"speed_of_light_us", tidy(op.speed_of_light.value() * 1e6)},
          {"per_step", op.per_step},
          {"source", op.source}};
}

ordered_json load_json(const ExplainLoad& load) {
  return {{"origin", load.origin},
          {"sequences", load.decode.sequences},
          {"context_tokens", tidy(load.decode.context_tokens)},
          {"prompt_tokens", tidy(load.prefill.tokens)},
          {"prompts", load.prefill.sequences}};
}

double of_limit(const StepExplanation& step) {
  return step.total.value() > 0 ? step.speed_of_light.value() / step.total.value() : 0.0;
}

ordered_json pool_json(const PoolExplanation& one) {
  ordered_json operators = ordered_json::array();
  for (const OperatorTime& op : one.step.operators) operators.push_back(operator_json(op, one.step));
  const Calibration& calibration = one.pool.calibration;
  const bool has_experts = one.step.distinct_experts > 0;
  return {{"pool", one.pool.name},
          {"role", to_string(one.pool.role)},
          {"hardware", one.pool.plan.gpu.name},
          {"gpus_per_instance", one.pool.plan.parallelism.gpus()},
          {"calibration", calibration.name},
          {"calibration_is_family_default", calibration.is_family_default},
          {"fitted_on", calibration.fitted_on},
          {"load", load_json(one.load)},
          {"step_ms", tidy(one.step.total.value() * 1e3)},
          {"layers_ms", tidy(one.step.layers.value() * 1e3)},
          {"speed_of_light_ms", tidy(one.step.speed_of_light.value() * 1e3)},
          {"share_of_speed_of_light", tidy(of_limit(one.step))},
          {"distinct_experts", has_experts ? tidy(one.step.distinct_experts) : ordered_json(nullptr)},
          {"balancedness", has_experts ? tidy(one.step.balancedness) : ordered_json(nullptr)},
          {"operators", operators}};
}

std::string load_sentence(const PoolExplanation& one) {
  const DecodeLoad& decode = one.load.decode;
  const PrefillLoad& prefill = one.load.prefill;
  std::string text = one.load.origin;
  if (decode.sequences > 0) {
    text +=
        fmt::format("{}{} sequences of {} tokens", text.empty() ? "" : ": ", whole(static_cast<double>(decode.sequences)),
                    significant(decode.context_tokens / static_cast<double>(decode.sequences), 4));
  }
  if (prefill.tokens > 0) text += fmt::format("{}{} prompt tokens", text.empty() ? "" : ", ", whole(prefill.tokens));
  return text;
}

void pool_page(TextPage& page, const PoolExplanation& one) {
  const StepExplanation& step = one.step;
  page.heading(fmt::format("{} ({}): one step on {} x {}", one.pool.name, to_string(one.pool.role),
                           one.pool.plan.parallelism.gpus(), one.pool.plan.gpu.name));
  page.paragraph(load_sentence(one), 2);
  TextTable table{{{"operator", Align::Left},
                   {"calls"},
                   {"GFLOP"},
                   {"HBM, MB"},
                   {"link, MB"},
                   {"time, us"},
                   {"share, %"},
                   {"bound", Align::Left},
                   {"limit, us"},
                   {"", Align::Left}},
                  {}};
  std::vector<std::string> sources;
  const auto number_of = [&](const std::string& source) {
    if (source.empty()) return std::string();
    auto found = std::find(sources.begin(), sources.end(), source);
    if (found == sources.end()) found = sources.insert(sources.end(), source);
    return fmt::format("[{}]", found - sources.begin() + 1);
  };
  for (const OperatorTime& op : step.operators) {
    table.rows.push_back({op.name, mean_count(op.calls), significant(op.flops.value() * 1e-9),
                          significant(op.hbm_bytes.value() * 1e-6), significant(op.link_bytes.value() * 1e-6),
                          significant(op.time.value() * 1e6), percent(share_of(op, step)), op.bound,
                          significant(op.speed_of_light.value() * 1e6), number_of(op.source)});
  }
  page.table(table);
  page.paragraph(fmt::format("Step {} ms, of it layers {} ms; at the hardware's limit {} ms: {}% of the limit is reached.",
                             significant(step.total.value() * 1e3, 4), significant(step.layers.value() * 1e3, 4),
                             significant(step.speed_of_light.value() * 1e3, 4), percent(of_limit(step))),
                 2);
  if (step.distinct_experts > 0) {
    page.paragraph(fmt::format("Expected distinct experts per rank {}; balancedness {}.", significant(step.distinct_experts),
                               significant(step.balancedness)),
                   2);
  }
  const Calibration& calibration = one.pool.calibration;
  page.paragraph(
      "Calibration " + calibration.name + (calibration.is_family_default ? ", the default of its family" : "") + ".", 2);
  for (std::size_t i = 0; i < sources.size(); ++i) page.paragraph(fmt::format("[{}] {}", i + 1, sources[i]), 2);
}

}  // namespace

ordered_json explanation_json(const Scenario& scenario, const std::vector<PoolExplanation>& pools,
                              const ReportOptions& options) {
  ordered_json file{{"schema", "tokenomics.explanation/1"}, {"version", options.version}, {"scenario", scenario.name}};
  file["pools"] = ordered_json::array();
  for (const PoolExplanation& one : pools) file["pools"].push_back(pool_json(one));
  return file;
}

std::string explanation_csv(const std::vector<PoolExplanation>& pools) {
  std::string text;
  for (const PoolExplanation& one : pools) {
    for (const OperatorTime& op : one.step.operators) {
      std::vector<std::string> names{"pool"}, values{one.pool.name};
      for (const FlatValue& flat : flattened(operator_json(op, one.step))) {
        names.push_back(flat.name);
        values.push_back(csv_value(flat.value));
      }
      if (text.empty()) text = csv_line(names);
      text += csv_line(values);
    }
  }
  return text;
}

std::string explanation_table(const Scenario& scenario, const std::vector<PoolExplanation>& pools,
                              const ReportOptions& options) {
  TextPage page(options.color);
  std::string verdict = scenario.name + ":";
  for (const PoolExplanation& one : pools) {
    verdict += fmt::format("{} a {} step takes {} ms, {}% of the limit", &one == &pools.front() ? "" : ";", one.pool.name,
                           significant(one.step.total.value() * 1e3), percent(of_limit(one.step)));
  }
  page.verdict(verdict);
  for (const PoolExplanation& one : pools) pool_page(page, one);
  return page.text();
}

}  // namespace tokenomics
