#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/report/solution_report.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/study/solve.hpp"

namespace tokenomics::cli {
namespace {

constexpr int kInfeasible = 3;

Query query_of(const Options& options, const Catalogue& catalogue) {
  return load_query(*options.argument(0), catalogue, options.texts("set"), seed_of(options));
}

/// The result is written either way; an infeasible one is told in a line and by the exit code.
int ended(const std::string& infeasible_reason) {
  if (infeasible_reason.empty()) return 0;
  fmt::print(stderr, "tokenomics: infeasible: {}\n", infeasible_reason);
  return kInfeasible;
}

int solve_it(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  SolveOptions how;
  how.jobs = jobs_of(options);
  how.confirm = !options.has("no-simulation");
  how.shadow = !options.has("no-shadow-prices");
  const Catalogue catalogue = open_catalogue(options);
  const Query query = query_of(options, catalogue);
  ResultOutput output(options);
  const Solution solution = solve(query, how);
  output.finish(format == Format::Json  ? json_text(solution_json(solution, report))
                : format == Format::Csv ? solution_csv(solution, report)
                                        : solution_table(solution, report));
  return ended(solution.infeasible_reason);
}

/// The query's own network, then the same question for each --model.
std::vector<Query> queries_of(const Options& options, const Catalogue& catalogue) {
  std::vector<Query> queries{query_of(options, catalogue)};
  for (const std::string& model : options.texts("model")) {
    std::vector<std::string> sets = options.texts("set");
    sets.push_back("model=" + model);
    queries.push_back(load_query(*options.argument(0), catalogue, sets, seed_of(options)));
  }
  return queries;
}

std::string rendered(const std::vector<Frontier>& frontiers, Format format, const ReportOptions& report) {
  const bool is_one = frontiers.size() == 1;
  if (format == Format::Json && is_one) return json_text(frontier_json(frontiers.front(), report));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  for (const Frontier& frontier : frontiers) {
    if (format == Format::Json) list.push_back(frontier_json(frontier, report));
    if (format == Format::Csv) text += frontier_csv(frontier, text.empty());
    if (format != Format::Table) continue;
    if (!is_one) text += fmt::format("{}{}: ", text.empty() ? "" : "\n", frontier.query.network.name);
    text += frontier_table(frontier, report);
  }
  return format == Format::Json ? json_text(list) : text;
}

int frontier_it(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  SolveOptions how;
  how.jobs = jobs_of(options);
  const int loads = static_cast<int>(options.whole("loads", 2, 400).value_or(24));
  const Catalogue catalogue = open_catalogue(options);
  const std::vector<Query> queries = queries_of(options, catalogue);
  ResultOutput output(options);
  std::vector<Frontier> frontiers;
  for (const Query& query : queries) frontiers.push_back(frontier(query, how, loads));
  output.finish(rendered(frontiers, format, report));
  std::string why;
  for (const Frontier& one : frontiers) {
    if (one.infeasible_reason.empty()) continue;
    if (frontiers.size() > 1) why += (why.empty() ? "" : "; ") + one.query.network.name + ": ";
    why += one.infeasible_reason;
  }
  return ended(why);
}

constexpr const char* kQueryHelp = "a file, \"-\" for standard input, or a name (tokenomics list queries)";

}  // namespace

Command solve_command() {
  return {"solve",
          "the lowest price under TTFT, interactivity, context and margin; or the inverse; with the binding constraint",
          {"tokenomics solve r1-interactive",
           "tokenomics solve r1-interactive --set slo.ttft_s.max=0.5 --set hardware='[\"h200-sxm\"]'",
           "tokenomics solve r1-interactive --set solve_for=ttft --set price=0.6 --format json"},
          {{"QUERY", kQueryHelp}},
          {kSet,
           kSeed,
           kCatalogue,
           kFormat,
           kOut,
           {"no-simulation", "", "trust the steady-state evaluator; do not let the event simulation confirm"},
           {"no-shadow-prices", "", "leave out shadow prices and other chips: several times faster"},
           kJobs,
           kColor,
           kQuiet,
           kHelp},
          solve_it};
}

Command frontier_command() {
  return {"frontier",
          "the Pareto set over price, TTFT, interactivity and context, with the deployment behind each point",
          {"tokenomics frontier r1-interactive", "tokenomics frontier r1-interactive --model glm-4.5 --format csv",
           "tokenomics frontier r1-interactive --set contexts='[32768,163840]' --format csv --out front.csv"},
          {{"QUERY", kQueryHelp}},
          {{"model", "NAME", "ask the same for another network too; may be repeated (JSON is then a list)", true},
           kSet,
           kSeed,
           kCatalogue,
           kFormat,
           kOut,
           {"loads", "N", "operating points tried for each deployment (default 24)"},
           kJobs,
           kColor,
           kQuiet,
           kHelp},
          frontier_it};
}

}  // namespace tokenomics::cli
