#include <algorithm>

#include <fmt/format.h>

#include "csv.hpp"
#include "number_format.hpp"
#include "solution_parts.hpp"
#include "text_page.hpp"
#include "tokenomics/report/solution_report.hpp"

namespace tokenomics {
namespace {

std::string speed_text(const OperatingPoint& point) { return significant(point.interactivity.value()); }

std::string verdict(const Solution& solution) {
  const Query& query = solution.query;
  if (!solution.infeasible_reason.empty()) return "infeasible: " + solution.infeasible_reason;
  if (!solution.best) return "solved for " + std::string(to_string(query.solve_for));
  const PricedDeployment& best = *solution.best;
  std::string text = fmt::format("{} {}; TTFT {} s, {} tok/s/user, {} tokens of context",
                                 significant(written(best.objective, query.objective)), unit_of(query.objective),
                                 significant(best.point.ttft.value()), speed_text(best.point),
                                 whole(static_cast<double>(best.context_tokens)));
  if (best.binding != Constraint::None) text += fmt::format("; bound by {}", to_string(best.binding));
  return text;
}

void price_section(TextPage& page, const PricedDeployment& best) {
  const auto mtok = [](const std::optional<UsdPerToken>& usd) {
    return usd ? significant(in_usd_per_mtok(*usd)) : std::string("-");
  };
  const PerToken& cost = best.point.cost.per_token;
  page.heading("A token");
  page.table(
      {{{"", Align::Left}, {"cost, USD/M"}, {"price, USD/M"}},
       {{"input, computed", mtok(cost.input_computed), mtok(best.prices.input)},
        {"input, from cache", mtok(cost.input_cached), mtok(best.prices.input_cached)},
        {"output", mtok(cost.output), mtok(best.prices.output)},
        {"blended 3:1", mtok(cost.blended_3_1),
         significant(1e6 * objective_of(best.point, best.prices, Objective::Blended31))},
        {"own mix", mtok(cost.own_mix), significant(1e6 * objective_of(best.point, best.prices, Objective::OwnMix))}}});
}

void deployment_section(TextPage& page, const Solution& solution) {
  const PricedDeployment& best = *solution.best;
  page.heading("The deployment");
  page.paragraph(best.name, 2);
  page.paragraph(
      fmt::format("{} requests/s on {} GPUs at {} USD per GPU-hour; {} output tok/s per GPU; batch {} an instance, "
                  "KV memory {}% full",
                  significant(best.point.requests_per_s), significant(best.point.gpus),
                  significant(in_usd_per_hour(best.point.cost_rate) / best.point.gpus),
                  significant(best.point.requests_per_s * best.point.per_request.output / best.point.gpus),
                  significant(best.point.batch_per_instance), percent(best.point.kv_occupancy)),
      2);
  if (best.binding != Constraint::None)
    page.paragraph(fmt::format("bound by {}: {}", to_string(best.binding), best.binding_detail), 2);
}

void shadow_section(TextPage& page, const Solution& solution) {
  const ShadowPrices& shadow = solution.shadow;
  const Objective kind = solution.query.objective;
  TextTable table{{{"what would change the price", Align::Left}, {fmt::format("by, {}", unit_of(kind))}}, {}};
  const auto row = [&](const char* what, const std::optional<double>& change) {
    if (change) table.rows.push_back({what, significant(written(*change, kind))});
  };
  row("one more second of TTFT", shadow.ttft_one_second_more);
  row("one tok/s/user less", shadow.one_tok_s_less);
  row("10,000 tokens of context less", shadow.context_10k_less);
  row("GPUs 10% cheaper", shadow.gpus_10_percent_cheaper);
  if (table.rows.empty()) return;
  page.heading("Shadow prices");
  page.table(table);
}

void gap_section(TextPage& page, const Solution& solution) {
  if (!solution.simulated) return;
  const SimulatedPoint& seen = *solution.simulated;
  const PricedDeployment& best = *solution.best;
  const auto row = [](const char* what, double evaluated, double simulated) {
    return std::vector<std::string>{what, significant(evaluated), significant(simulated),
                                    simulated != 0 ? percent(evaluated / simulated - 1) : "-"};
  };
  const Objective kind = solution.query.objective;
  page.heading("Steady-state evaluator and event simulation");
  page.table({{{"", Align::Left}, {"evaluated"}, {"simulated"}, {"gap, %"}},
              {row("TTFT, s", best.point.ttft.value(), seen.ttft_s),
               row("interactivity, tok/s/user", best.point.interactivity.value(), seen.interactivity),
               row("price", written(best.objective, kind), written(seen.objective, kind))}});
  page.paragraph(fmt::format("{} requests simulated; the objectives {}", whole(static_cast<double>(seen.requests)),
                             seen.holds ? "hold" : "are missed"),
                 2);
}

void break_even_section(TextPage& page, const Solution& solution) {
  if (solution.break_even.empty()) return;
  TextTable table{{{"chip", Align::Left},
                   {"USD/GPU-h"},
                   {fmt::format("price, {}", unit_of(solution.query.objective))},
                   {"break-even, USD/GPU-h"}},
                  {}};
  for (const BreakEven& row : solution.break_even) {
    const bool is_feasible = row.infeasible_reason.empty();
    table.rows.push_back({row.hardware, significant(row.listed_usd_per_gpu_hour),
                          is_feasible ? significant(written(row.own_objective, solution.query.objective)) : "-",
                          significant(row.usd_per_gpu_hour)});
  }
  page.heading("Price of a GPU-hour at which each chip is as cheap as the first");
  page.table(table);
}

void strategy_section(TextPage& page, const Solution& solution) {
  if (!solution.strategy) return;
  const StrategyAnswer& answer = *solution.strategy;
  const char* const names[] = {"max_margin", "max_share", "max_research"};
  TextTable table{{{"", Align::Left},
                   {"GPUs"},
                   {"TTFT, s"},
                   {"tok/s/user"},
                   {"batch"},
                   {"requests/s"},
                   {"margin, USD/h"},
                   {"deployment", Align::Left}},
                  {}};
  for (const StrategyAnswer::Choice& choice : answer.choices) {
    const OperatingChoice& way = choice.operating;
    table.rows.push_back({names[static_cast<int>(choice.objective)], significant(way.gpus), significant(way.ttft.value()),
                          significant(way.interactivity.value()), significant(choice.batch_per_instance),
                          significant(way.served.value()), significant(in_usd_per_hour(margin(way))), choice.deployment});
  }
  page.heading(fmt::format("What each objective does with {} GPUs", significant(*solution.query.fleet_cap_gpus)));
  page.table(table);
  const std::string worth = significant(in_usd_per_hour(answer.worth.usd_per_gpu));
  const std::string when =
      answer.worth.kind == ResearchBreakEven::Kind::From     ? "from " + worth + " USD per GPU-hour of research on"
      : answer.worth.kind == ResearchBreakEven::Kind::UpTo   ? "up to " + worth + " USD per GPU-hour of research"
      : answer.worth.kind == ResearchBreakEven::Kind::Always ? "whatever a GPU-hour of research is worth"
                                                             : "at no worth of a GPU-hour of research";
  page.paragraph(
      fmt::format("max_research frees {} GPUs more than max_margin; users wait {} s longer for the first token and "
                  "get {} tok/s less. It is the better one {}.",
                  significant(answer.to_research.gpus_freed), significant(answer.to_research.ttft_added.value()),
                  significant(answer.to_research.interactivity_lost.value()), when),
      2);
}

void scarcity_section(TextPage& page, const Solution& solution) {
  if (!solution.scarcity) return;
  const ScarcityAnswer& answer = *solution.scarcity;
  const auto row = [](const char* what, double before, double after) {
    return std::vector<std::string>{what, significant(before), significant(after), percent(after / before - 1)};
  };
  const OperatingPoint &before = answer.before, &after = answer.after;
  page.heading(fmt::format("A fixed fleet of {} GPUs whose load grows", significant(before.gpus)));
  page.table({{{"", Align::Left}, {"before"}, {"after"}, {"change, %"}},
              {row("interactivity, tok/s/user", before.interactivity.value(), after.interactivity.value()),
               row("requests/s", before.requests_per_s, after.requests_per_s),
               row("batch an instance", before.batch_per_instance, after.batch_per_instance),
               row("output tok/s per GPU", before.requests_per_s * before.per_request.output / before.gpus,
                   after.requests_per_s * after.per_request.output / after.gpus),
               row("TTFT, s", before.ttft.value(), after.ttft.value())}});
  page.paragraph(
      fmt::format("At the speed before, the load after would need {} GPUs.", significant(answer.gpus_at_old_speed)), 2);
}

void others_section(TextPage& page, const Solution& solution) {
  if (solution.runners_up.empty()) return;
  TextTable table{{{"on other chips", Align::Left}, {unit_of(solution.query.objective)}, {"TTFT, s"}, {"tok/s/user"}}, {}};
  for (const PricedDeployment& other : solution.runners_up)
    table.rows.push_back({other.name, significant(written(other.objective, solution.query.objective)),
                          significant(other.point.ttft.value()), speed_text(other.point)});
  page.heading("The cheapest of each other chip, by the evaluator");
  page.table(table);
}

TextTable front_table(const std::vector<PricedDeployment>& points, Objective kind) {
  TextTable table{{{unit_of(kind)}, {"TTFT, s"}, {"tok/s/user"}, {"context"}, {"deployment", Align::Left}}, {}};
  for (const PricedDeployment& d : points)
    table.rows.push_back({significant(written(d.objective, kind)), significant(d.point.ttft.value()), speed_text(d.point),
                          whole(static_cast<double>(d.context_tokens)), d.name});
  return table;
}

/// For people: at most so many points, evenly thinned, the ends kept.
std::vector<PricedDeployment> thinned(const std::vector<PricedDeployment>& points, std::size_t most) {
  if (points.size() <= most) return points;
  std::vector<PricedDeployment> few;
  for (std::size_t i = 0; i < most; ++i) few.push_back(points[i * (points.size() - 1) / (most - 1)]);
  return few;
}

}  // namespace

std::string solution_table(const Solution& solution, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(verdict(solution));
  if (solution.answer)
    page.paragraph(fmt::format("solved for {}: {}", to_string(solution.query.solve_for), significant(*solution.answer, 4)));
  if (solution.best) {
    deployment_section(page, solution);
    price_section(page, *solution.best);
    shadow_section(page, solution);
    gap_section(page, solution);
    others_section(page, solution);
  }
  break_even_section(page, solution);
  strategy_section(page, solution);
  scarcity_section(page, solution);
  page.heading("Notes");
  page.point(fmt::format("searched {} deployments, evaluated {}, simulated {} times", solution.deployments,
                         solution.evaluated, solution.simulations));
  for (const std::string& text : solution.query.assumptions) page.point("assumed: " + text);
  for (const std::string& note : solution.notes) page.point(note);
  return page.text();
}

std::string frontier_table(const Frontier& frontier, const ReportOptions& options) {
  constexpr std::size_t kMostRows = 24;
  TextPage page(options.color);
  if (!frontier.infeasible_reason.empty()) {
    page.verdict("infeasible: " + frontier.infeasible_reason);
    return page.text();
  }
  page.verdict(
      fmt::format("{} points that no other beats in price, TTFT, speed and context together", frontier.points.size()));
  page.heading("All chips");
  page.table(front_table(thinned(frontier.points, kMostRows), frontier.query.objective));
  for (const HardwareChoice& hardware : frontier.query.hardware) {
    std::vector<PricedDeployment> own;
    for (const PricedDeployment& d : frontier.per_hardware)
      if (d.hardware == hardware.gpu.name) own.push_back(d);
    if (own.empty() || frontier.query.hardware.size() < 2) continue;
    page.heading(hardware.gpu.name);
    page.table(front_table(thinned(own, kMostRows / 2), frontier.query.objective));
  }
  page.paragraph(
      fmt::format("{} deployments, {} operating points evaluated; --format csv or json has every point of the front.",
                  frontier.deployments, frontier.evaluated));
  return page.text();
}

std::string frontier_csv(const Frontier& frontier, bool with_head) {
  std::string text = with_head ? "model,hardware,price_usd,objective,ttft_s,interactivity_tok_s_user,context_tokens,"
                                 "requests_per_s,gpus,batch_per_instance,on_front,deployment\n"
                               : "";
  for (const PricedDeployment& d : frontier.per_hardware) {
    const bool on_front = std::any_of(frontier.points.begin(), frontier.points.end(), [&](const PricedDeployment& p) {
      return p.name == d.name && p.objective == d.objective && p.context_tokens == d.context_tokens;
    });
    text +=
        fmt::format("{},{},{:.9g},{},{:.9g},{:.9g},{},{:.9g},{:.9g},{:.9g},{},{}\n", csv_field(frontier.query.network.name),
                    d.hardware, written(d.objective, frontier.query.objective), to_string(frontier.query.objective),
                    d.point.ttft.value(), d.point.interactivity.value(), d.context_tokens, d.point.requests_per_s,
                    d.point.gpus, d.point.batch_per_instance, on_front ? 1 : 0, csv_field(d.name));
  }
  return text;
}

}  // namespace tokenomics
