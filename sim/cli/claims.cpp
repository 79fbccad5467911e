#include "claims.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kinds.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/catalogue_report.hpp"
#include "tokenomics/report/market_report.hpp"
#include "tokenomics/report/solution_report.hpp"
#include "tokenomics/scenario/load.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics::cli {
namespace {

using nlohmann::json;

std::optional<double> bound(const json& check, const char* key) {
  return check.contains(key) ? std::optional(check[key].get<double>()) : std::nullopt;
}

bool lies_inside(const std::optional<double>& value, const std::optional<double>& low, const std::optional<double>& high) {
  return value && (!low || *value >= *low) && (!high || *value <= *high);
}

bool all_hold(const std::vector<CheckOutcome>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const CheckOutcome& check) { return check.holds; });
}

std::optional<double> number_at(const json& result, const std::string& pointer) {
  const json::json_pointer at(pointer);
  if (!result.contains(at)) return std::nullopt;
  const json& value = result.at(at);
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<double> combined(const std::string& operation, const std::vector<std::optional<double>>& values) {
  std::optional<double> result;
  for (const auto& value : values) {
    if (!value) return std::nullopt;
    if (!result) result = value;
    else if (operation == "ratio") result = *result / *value;
    else if (operation == "difference") result = *result - *value;
    else if (operation == "product") result = *result * *value;
    else result = *result + *value;
  }
  return result;
}

}  // namespace

Claims::Claims(json file, const Catalogue& catalogue, unsigned jobs)
    : file_(std::move(file)), catalogue_(catalogue), jobs_(jobs) {}

std::vector<ClaimOutcome> Claims::evaluate(const std::function<void(double)>& progress) {
  std::vector<ClaimOutcome> outcomes;
  for (const json& claim : file_["claims"]) {
    outcomes.push_back(outcome_of(claim));
    if (progress) progress(static_cast<double>(outcomes.size()) / static_cast<double>(file_["claims"].size()));
  }
  return outcomes;
}

ClaimOutcome Claims::outcome_of(const json& claim) {
  ClaimOutcome outcome;
  outcome.id = claim["id"];
  outcome.text = claim["text"];
  outcome.figure = claim.value("figure", "");
  outcome.source = claim.value("source", "");
  outcome.kind = claim["kind"];
  if (!claim.contains("checks")) return outcome;
  outcome.checks = checks_of(claim, {});
  outcome.holds = all_hold(outcome.checks);
  if (!claim.contains("without")) return outcome;
  const json& without = claim["without"];
  World world;
  world.sets = without.value("sets", Sets{});
  world.constants = without.value("constants", std::map<std::string, double>{});
  outcome.removed = without["what"];
  outcome.checks_without = checks_of(claim, world);
  outcome.fails_without = !all_hold(outcome.checks_without);
  return outcome;
}

std::vector<CheckOutcome> Claims::checks_of(const json& claim, const World& world) {
  std::vector<CheckOutcome> checks;
  for (const json& check : claim["checks"]) {
    CheckOutcome outcome{check.value("what", ""), value_of(check["value"], world), bound(check, "min"), bound(check, "max"),
                         false};
    outcome.holds = lies_inside(outcome.ours, outcome.low, outcome.high);
    checks.push_back(std::move(outcome));
  }
  return checks;
}

/// {"run", "at"}, {"constant"}, or one of ratio, difference, product and sum of a list of expressions.
std::optional<double> Claims::value_of(const json& expression, const World& world) {
  if (expression.contains("run")) return number_at(result_of(expression["run"], world), expression["at"]);
  if (expression.contains("constant")) {
    const std::string name = expression["constant"];
    const auto changed = world.constants.find(name);
    return changed != world.constants.end() ? changed->second : file_["constants"].at(name)["value"].get<double>();
  }
  const auto& [operation, terms] = *expression.items().begin();
  std::vector<std::optional<double>> values;
  for (const json& term : terms) values.push_back(value_of(term, world));
  return combined(operation, values);
}

const json& Claims::result_of(const std::string& name, const World& world) {
  const json& run = file_["runs"].at(name);
  std::vector<std::string> sets = run.value("sets", std::vector<std::string>{});
  if (const auto more = world.sets.find(name); more != world.sets.end())
    sets.insert(sets.end(), more->second.begin(), more->second.end());
  const std::string key = fmt::format("{} {} {} {}", run["command"].get<std::string>(), run["file"].get<std::string>(),
                                      run.value("samples", 0), fmt::join(sets, " "));
  const auto found = results_.find(key);
  if (found != results_.end()) return found->second;
  return results_.emplace(key, make(run, sets)).first->second;
}

json Claims::make(const json& run, const std::vector<std::string>& sets) const {
  const std::string command = run["command"], file = run["file"];
  try {
    if (command == "run") {
      RunOptions how;
      how.jobs = jobs_;
      return result_json(run_scenario(load_scenario(file, catalogue_, sets), how));
    }
    if (command == "solve") {
      SolveOptions how;
      how.jobs = jobs_;
      how.confirm = how.shadow = false;
      return solution_json(solve(load_query(file, catalogue_, sets), how));
    }
    if (command == "market") {
      MarketOptions how;
      how.jobs = jobs_;
      how.samples = run.value("samples", 0);
      return market_json(run_market_spec(load_market(file, catalogue_, sets), how));
    }
    if (command == "network") return network_figures(load_network(file, catalogue_));
    return catalogue_.raw(kind_named(command), file);
  } catch (const Infeasible& error) {
    return {{"status", "infeasible"}, {"infeasible_reason", error.what()}};
  }
}

}  // namespace tokenomics::cli
