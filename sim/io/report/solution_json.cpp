#include <nlohmann/json.hpp>

#include "csv.hpp"
#include "number_format.hpp"
#include "solution_parts.hpp"
#include "tokenomics/report/solution_report.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json text_or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

/// Deviation of the evaluator from the simulation.
ordered_json gap(double evaluated, double simulated) {
  return {{"evaluated", tidy(evaluated)},
          {"simulated", tidy(simulated)},
          {"deviation", simulated != 0 ? tidy(evaluated / simulated - 1) : ordered_json(nullptr)}};
}

ordered_json gap_block(const Solution& solution) {
  if (!solution.simulated || !solution.best) return nullptr;
  const SimulatedPoint& seen = *solution.simulated;
  const OperatingPoint& point = solution.best->point;
  const Objective kind = solution.query.objective;
  return {{"ttft_s", gap(point.ttft.value(), seen.ttft_s)},
          {"ttft_mean_s", gap(point.ttft_mean.value(), seen.ttft_mean_s)},
          {"interactivity_tok_s_user", gap(point.interactivity.value(), seen.interactivity)},
          {"price", gap(written(solution.best->objective, kind), written(seen.objective, kind))},
          {"requests_simulated", seen.requests},
          {"slo_held", seen.holds}};
}

ordered_json shadow_block(const Solution& solution) {
  const auto change = [&](const std::optional<double>& value) {
    return value ? tidy(written(*value, solution.query.objective)) : ordered_json(nullptr);
  };
  const ShadowPrices& shadow = solution.shadow;
  return {{"ttft_s", change(shadow.ttft_one_second_more)},
          {"interactivity_tok_s_user", change(shadow.one_tok_s_less)},
          {"context_tokens", change(shadow.context_10k_less)},
          {"gpu_price", change(shadow.gpus_10_percent_cheaper)},
          {"steps", {{"ttft_s", 1}, {"interactivity_tok_s_user", -1}, {"context_tokens", -10000}, {"gpu_price", "-10%"}}},
          {"unit", unit_of(solution.query.objective)}};
}

ordered_json answer_block(const Solution& solution) {
  if (!solution.answer) return nullptr;
  const char* unit = "";
  switch (solution.query.solve_for) {
    case SolveFor::Ttft: unit = "s"; break;
    case SolveFor::Interactivity: unit = "tok/s/user"; break;
    case SolveFor::Context: unit = "tokens"; break;
    case SolveFor::Service: unit = "s an answer"; break;
    case SolveFor::Demand: unit = "requests/s"; break;
    default: break;
  }
  return {{"value", tidy(*solution.answer)}, {"unit", unit}};
}

ordered_json break_even_block(const Solution& solution) {
  ordered_json rows = ordered_json::array();
  for (const BreakEven& row : solution.break_even) {
    rows.push_back({{"hardware", row.hardware},
                    {"price", row.infeasible_reason.empty() ? tidy(written(row.own_objective, solution.query.objective))
                                                            : ordered_json(nullptr)},
                    {"usd_per_gpu_hour", tidy(row.listed_usd_per_gpu_hour)},
                    {"break_even_usd_per_gpu_hour", tidy(row.usd_per_gpu_hour)},
                    {"infeasible_reason", text_or_null(row.infeasible_reason)}});
  }
  return rows;
}

ordered_json operating_block(const OperatingPoint& point) {
  return {{"requests_per_s", tidy(point.requests_per_s)},
          {"gpus", tidy(point.gpus)},
          {"ttft_s", tidy(point.ttft.value())},
          {"interactivity_tok_s_user", tidy(point.interactivity.value())},
          {"batch_per_instance", tidy(point.batch_per_instance)},
          {"output_tok_s_per_gpu", tidy(point.requests_per_s * point.per_request.output / point.gpus)}};
}

ordered_json scarcity_block(const Solution& solution) {
  if (!solution.scarcity) return nullptr;
  const ScarcityAnswer& answer = *solution.scarcity;
  const OperatingPoint &before = answer.before, &after = answer.after;
  return {{"before", operating_block(before)},
          {"after", operating_block(after)},
          {"speed_ratio", tidy(after.interactivity.value() / before.interactivity.value())},
          {"batch_ratio", tidy(after.batch_per_instance / before.batch_per_instance)},
          {"throughput_ratio", tidy(after.requests_per_s / before.requests_per_s)},
          {"gpus_at_old_speed", tidy(answer.gpus_at_old_speed)}};
}

const char* name_of(ProviderObjective objective) {
  return objective == ProviderObjective::MaxMargin  ? "max_margin"
         : objective == ProviderObjective::MaxShare ? "max_share"
                                                    : "max_research";
}

ordered_json strategy_block(const Solution& solution) {
  if (!solution.strategy) return nullptr;
  const StrategyAnswer& answer = *solution.strategy;
  ordered_json choices = ordered_json::array();
  for (const StrategyAnswer::Choice& choice : answer.choices) {
    const OperatingChoice& way = choice.operating;
    choices.push_back({{"objective", name_of(choice.objective)},
                       {"deployment", choice.deployment},
                       {"gpus", tidy(way.gpus)},
                       {"gpus_free", tidy(*solution.query.fleet_cap_gpus - way.gpus)},
                       {"ttft_mean_s", tidy(way.ttft.value())},
                       {"interactivity_mean_tok_s_user", tidy(way.interactivity.value())},
                       {"batch_per_instance", tidy(choice.batch_per_instance)},
                       {"requests_per_s", tidy(way.served.value())},
                       {"revenue_usd_per_hour", tidy(in_usd_per_hour(way.revenue))},
                       {"cost_usd_per_hour", tidy(in_usd_per_hour(way.cost))},
                       {"margin_usd_per_hour", tidy(in_usd_per_hour(margin(way)))}});
  }
  const char* const kinds[] = {"from", "always", "never", "up_to"};
  const bool has_number =
      answer.worth.kind == ResearchBreakEven::Kind::From || answer.worth.kind == ResearchBreakEven::Kind::UpTo;
  return {{"choices", choices},
          {"margin_to_research",
           {{"gpus_freed", tidy(answer.to_research.gpus_freed)},
            {"ttft_added_s", tidy(answer.to_research.ttft_added.value())},
            {"interactivity_lost_tok_s_user", tidy(answer.to_research.interactivity_lost.value())},
            {"margin_lost_usd_per_hour", tidy(in_usd_per_hour(answer.to_research.margin_lost))}}},
          {"research_is_better",
           {{"kind", kinds[static_cast<int>(answer.worth.kind)]},
            {"usd_per_gpu_hour", has_number ? tidy(in_usd_per_hour(answer.worth.usd_per_gpu)) : ordered_json(nullptr)}}}};
}

ordered_json short_block(const PricedDeployment& deployment, const Query& query) {
  return {{"deployment", deployment_block(deployment)},
          {"price", price_block(deployment, query.margin_over_revenue)},
          {"service", service_block(deployment, query)}};
}

}  // namespace

ordered_json solution_json(const Solution& solution, const ReportOptions& options) {
  const Query& query = solution.query;
  ordered_json file{{"schema", "tokenomics.solution/1"},
                    {"version", options.version},
                    {"seed", query.seed},
                    {"query", query.name},
                    {"solve_for", to_string(query.solve_for)},
                    {"objective", to_string(query.objective)},
                    {"status", solution.infeasible_reason.empty() ? "ok" : "infeasible"},
                    {"infeasible_reason", text_or_null(solution.infeasible_reason)},
                    {"answer", answer_block(solution)}};
  const char* const blocks[] = {"deployment", "price", "cost", "service"};
  for (const char* block : blocks) file[block] = nullptr;
  file["binding"] = file["binding_details"] = ordered_json::array();
  if (solution.best) {
    const PricedDeployment& best = *solution.best;
    file["deployment"] = deployment_block(best);
    file["price"] = price_block(best, query.margin_over_revenue);
    file["cost"] = cost_block(best);
    file["service"] = service_block(best, query);
    if (best.binding != Constraint::None) file["binding"].push_back(to_string(best.binding));
    if (best.binding != Constraint::None)
      file["binding_details"].push_back({{"name", to_string(best.binding)}, {"detail", best.binding_detail}});
  }
  file["shadow_prices"] = shadow_block(solution);
  file["evaluator_gap"] = gap_block(solution);
  file["searched"] = {
      {"deployments", solution.deployments}, {"evaluated", solution.evaluated}, {"simulations", solution.simulations}};
  file["other_hardware"] = ordered_json::array();
  for (const PricedDeployment& other : solution.runners_up) file["other_hardware"].push_back(short_block(other, query));
  file["break_even"] = break_even_block(solution);
  file["strategy"] = strategy_block(solution);
  file["scarcity"] = scarcity_block(solution);
  file["assumptions"] = query.assumptions;
  file["notes"] = solution.notes;
  if (options.with_scenario)
    file["scenario"] = solution.scenario ? ordered_json(resolved_json(*solution.scenario)) : ordered_json(nullptr);
  return file;
}

std::string solution_csv(const Solution& solution, const ReportOptions& options) {
  ReportOptions without_scenario = options;
  without_scenario.with_scenario = false;
  ordered_json file = solution_json(solution, without_scenario);
  for (const char* block : {"notes", "assumptions", "other_hardware", "break_even", "strategy"}) file.erase(block);
  std::vector<std::string> names, values;
  for (const FlatValue& flat : flattened(file)) {
    names.push_back(flat.name);
    values.push_back(csv_value(flat.value));
  }
  return csv_line(names) + csv_line(values);
}

ordered_json frontier_json(const Frontier& frontier, const ReportOptions& options) {
  const auto points = [&](const std::vector<PricedDeployment>& list) {
    ordered_json rows = ordered_json::array();
    for (const PricedDeployment& deployment : list) rows.push_back(short_block(deployment, frontier.query));
    return rows;
  };
  return {{"schema", "tokenomics.frontier/1"},
          {"version", options.version},
          {"seed", frontier.query.seed},
          {"query", frontier.query.name},
          {"model", frontier.query.network.name},
          {"objective", to_string(frontier.query.objective)},
          {"status", frontier.infeasible_reason.empty() ? "ok" : "infeasible"},
          {"infeasible_reason", text_or_null(frontier.infeasible_reason)},
          {"points", points(frontier.points)},
          {"points_by_hardware", points(frontier.per_hardware)},
          {"searched", {{"deployments", frontier.deployments}, {"evaluated", frontier.evaluated}}},
          {"assumptions", frontier.query.assumptions}};
}

}  // namespace tokenomics
