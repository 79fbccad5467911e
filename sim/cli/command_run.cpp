#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "recorders.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/load.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics::cli {
namespace {

constexpr int kCheckFailed = 1;

/// No two results in one file.
void check_files(const Options& options) {
  std::vector<std::string> files;
  for (const char* name : {"out", "requests", "timeline"}) {
    const auto file = options.text(name);
    if (!file) continue;
    if (*file == "-" && std::string(name) != "out")
      throw UsageError(fmt::format("--{} needs a file, not standard output", name));
    if (std::find(files.begin(), files.end(), *file) != files.end())
      throw UsageError(fmt::format("--{}: {} is written already", name, *file));
    files.push_back(*file);
  }
}

Scenario scenario_of(const Options& options, const Catalogue& catalogue) {
  std::vector<std::string> sets = options.texts("set");
  if (const auto count = options.whole("replications", 1, 100'000))
    sets.push_back(fmt::format("/measure/replications={}", *count));
  Scenario scenario = load_scenario(*options.argument(0), catalogue, sets, seed_of(options));
  const bool has_slo = scenario.slo.ttft_s || scenario.slo.interactivity_tok_s_user;
  if (options.has("require-slo") && !has_slo) {
    throw ScenarioError(Problem{scenario.file, "/slo", "",
                                "ttft_s or interactivity_tok_s_user, which --require-slo checks (it is missing)", ""});
  }
  return scenario;
}

/// What --requests and --timeline ask for.
struct Recorders {
  std::unique_ptr<RequestLog> requests;
  std::unique_ptr<Timeline> timeline;
  Observers all;

  Recorders(const Options& options, const Scenario& scenario) {
    if (const auto path = options.text("requests")) requests = std::make_unique<RequestLog>(*path);
    if (const auto path = options.text("timeline")) timeline = std::make_unique<Timeline>(*path, scenario);
    if (requests) all.add(requests.get());
    if (timeline) all.add(timeline.get());
    const bool is_first_of_several = scenario.measure.windows_per_day > 1 || scenario.measure.replications > 1;
    if (!all.empty() && is_first_of_several && !options.has("quiet")) {
      fmt::print(stderr, "tokenomics: requests and timeline are those of the first window and replication\n");
    }
  }
  void commit() {
    if (requests) requests->commit();
    if (timeline) timeline->commit();
  }
};

std::string rendered(const RunResult& result, Format format, const ReportOptions& options) {
  if (format == Format::Json) return json_text(result_json(result, options));
  return format == Format::Csv ? result_csv(result, options) : result_table(result, options);
}

int run(const Options& options) {
  const Format format = format_of(options);
  ReportOptions report = report_options(options);
  check_files(options);
  RunOptions how;
  how.jobs = jobs_of(options);
  how.step_by_step = options.has("step-by-step");
  const Catalogue catalogue = open_catalogue(options);
  const Scenario scenario = scenario_of(options, catalogue);

  ResultOutput output(options);
  Recorders recorders(options, scenario);
  if (!recorders.all.empty()) how.observer = &recorders.all;
  const auto start = std::chrono::steady_clock::now();
  const RunResult result = [&] {
    Progress progress(options);
    how.progress = progress.listener();
    return run_scenario(scenario, how);
  }();
  if (options.has("timing")) report.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const std::string text = rendered(result, format, report);
  recorders.commit();
  output.finish(text);
  if (!options.has("require-slo") || slo_met(result).value_or(false)) return 0;
  fmt::print(stderr, "tokenomics: the objectives are missed\n");
  return kCheckFailed;
}

}  // namespace

Command run_command() {
  return {"run",
          "simulate one scenario: service, cost and price",
          {"tokenomics run deepseek-production-2025-02",
           "tokenomics run my-service.json --set deployment.pools.0.instances=4 --seed 7",
           "tokenomics run r1-8xh200-azure --format json --out result.json",
           "tokenomics run - --requests requests.csv < my-service.json"},
          {{"SCENARIO", "a file, \"-\" for standard input, or a name (tokenomics list scenarios)"}},
          {kSet,
           kSeed,
           {"replications", "K", "independent repetitions, pooled"},
           kCatalogue,
           kFormat,
           kOut,
           {"requests", "FILE", "write one CSV row a request (first window and replication)"},
           {"timeline", "FILE", "write the steps of all instances for chrome://tracing or Perfetto"},
           {"require-slo", "", "exit with 1 when the scenario's objectives are missed"},
           {"timing", "", "report how fast the simulation was; the output is then not reproducible"},
           {"step-by-step", "", "make every step an event of its own: slow, the proof of the fast way"},
           kJobs,
           kColor,
           kQuiet,
           kHelp},
          run};
}

}  // namespace tokenomics::cli
