#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/explain_report.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics::cli {
namespace {

constexpr std::uint64_t kMost = 1'000'000'000;

/// Tokens attended by a prompt of n tokens that starts empty: 1 + 2 + ... + n, each at most `cap` (0: no cap).
double attended(double n, double cap) {
  if (cap <= 0 || n <= cap) return n * (n + 1) / 2;
  return cap * (cap + 1) / 2 + (n - cap) * cap;
}

DecodeLoad decode_load(const Options& options, const StepModel& model, const DecodeLoad& typical) {
  const auto sequences = options.whole("sequences", 1, kMost);
  const auto context = options.whole("context", 1, kMost);
  if (!sequences && !context) return typical;
  DecodeLoad load;
  load.sequences = sequences ? static_cast<std::int64_t>(*sequences) : typical.sequences;
  const double mean = context ? static_cast<double>(*context)
                              : typical.context_tokens / static_cast<double>(std::max<std::int64_t>(1, typical.sequences));
  const auto cap = static_cast<double>(model.context_cap());
  load.context_tokens = mean * static_cast<double>(load.sequences);
  load.capped_tokens = (cap > 0 ? std::min(mean, cap) : mean) * static_cast<double>(load.sequences);
  return load;
}

PrefillLoad prefill_load(const Options& options, const StepModel& model) {
  const auto length = static_cast<double>(*options.whole("prompt", 1, kMost));
  const auto prompts = static_cast<std::int64_t>(options.whole("prompts", 1, kMost).value_or(1));
  const auto count = static_cast<double>(prompts);
  PrefillLoad load;
  load.tokens = count * length;
  load.attended_tokens = count * attended(length, 0);
  load.capped_attended_tokens = count * attended(length, static_cast<double>(model.context_cap()));
  load.sequences = prompts;
  load.finishing = prompts;
  return load;
}

/// The typical load, with what the command line says in its place.
ExplainLoad load_of(const Options& options, const Scenario& scenario, std::size_t pool, const StepModel& model) {
  const PoolRole role = scenario.deployment.pools[pool].role;
  const bool sets_decode = role != PoolRole::Prefill && (options.has("sequences") || options.has("context"));
  const bool sets_prefill = role != PoolRole::Decode && options.has("prompt");
  const bool is_complete = (options.has("sequences") && options.has("context") && role != PoolRole::Prefill) ||
                           (role == PoolRole::Prefill && sets_prefill);
  ExplainLoad load = is_complete ? ExplainLoad{} : typical_load(scenario, pool);
  if (sets_decode) load.decode = decode_load(options, model, load.decode);
  if (sets_prefill) load.prefill = prefill_load(options, model);
  if (sets_decode && role == PoolRole::Mixed && !sets_prefill) load.prefill = {};
  if (sets_decode || sets_prefill) load.origin = "given on the command line";
  return load;
}

std::vector<std::size_t> chosen_pools(const Options& options, const Scenario& scenario) {
  std::vector<std::size_t> all;
  std::vector<std::string> names;
  const auto wanted = options.text("pool");
  for (std::size_t i = 0; i < scenario.deployment.pools.size(); ++i) {
    names.push_back(scenario.deployment.pools[i].name);
    if (!wanted || *wanted == names.back()) all.push_back(i);
  }
  if (all.empty())
    throw UsageError(fmt::format("--pool: \"{}\"; expected a pool of the scenario; did you mean {}?", *wanted,
                                 nearest_name(*wanted, names).empty() ? names.front() : nearest_name(*wanted, names)));
  return all;
}

int explain(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  if (options.has("prompts") && !options.has("prompt")) throw UsageError("--prompts needs --prompt");
  const Catalogue catalogue = open_catalogue(options);
  const Scenario scenario = load_scenario(*options.argument(0), catalogue, options.texts("set"));
  ResultOutput output(options);
  std::vector<PoolExplanation> explanations;
  for (const std::size_t i : chosen_pools(options, scenario)) {
    const PoolSpec& pool = scenario.deployment.pools[i];
    const StepModel model(pool.plan, pool.calibration);
    const ExplainLoad load = load_of(options, scenario, i, model);
    explanations.push_back({pool, load, model.explain(load.decode, load.prefill)});
  }
  output.finish(format == Format::Json  ? json_text(explanation_json(scenario, explanations, report))
                : format == Format::Csv ? explanation_csv(explanations)
                                        : explanation_table(scenario, explanations, report));
  return 0;
}

}  // namespace

Command explain_command() {
  return {"explain",
          "one step of a scenario, operator by operator, beside its speed of light",
          {"tokenomics explain deepseek-production-2025-02",
           "tokenomics explain deepseek-production-2025-02 --pool decode --sequences 12672 --context 4989",
           "tokenomics explain r1-8xh200-azure --prompt 4096 --prompts 4 --format json"},
          {{"SCENARIO", "a file, \"-\" for standard input, or a name (tokenomics list scenarios)"}},
          {{"pool", "NAME", "this pool only"},
           {"sequences", "N", "sequences that decode in one instance, instead of the typical batch"},
           {"context", "TOKENS", "mean context of each of them"},
           {"prompt", "TOKENS", "length of each prompt in the step of a prefill or mixed pool"},
           {"prompts", "N", "so many of them (default 1)"},
           kSet,
           kCatalogue,
           kFormat,
           kOut,
           kColor,
           kQuiet,
           kHelp},
          explain};
}

}  // namespace tokenomics::cli
