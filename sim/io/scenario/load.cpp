#include "tokenomics/scenario/load.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "load_document.hpp"
#include "load_part.hpp"
#include "overrides.hpp"
#include "parts.hpp"
#include "personality.hpp"
#include "resolve.hpp"
#include "sections.hpp"
#include "serving_rules.hpp"
#include "tokenomics/base/random.hpp"
#include "typed_part.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

json section(const json& file, const char* key, const Reporter& report) {
  return file.contains(key) && report.at(key).clean() ? file[key] : json::object();
}

std::vector<PublishedFigure> published_from(const json& list) {
  std::vector<PublishedFigure> figures;
  for (const json& figure : list) figures.push_back({figure["quantity"], figure["value"], figure["source"]});
  return figures;
}

json json_of(const std::vector<PublishedFigure>& figures) {
  json list = json::array();
  for (const PublishedFigure& figure : figures) {
    list.push_back({{"quantity", figure.quantity}, {"value", figure.value}, {"source", figure.source}});
  }
  return list;
}

std::optional<Network> network_of(const json& file, const Reporter& report, const Catalogue& catalogue) {
  if (!file.contains("model") || !report.clean()) return std::nullopt;
  const std::size_t before = report.problems().size();
  const auto network = typed_network(file["model"], report, catalogue);
  if (!network) return std::nullopt;
  if (!network->not_modelled.empty()) {
    report.add(json(network->name).dump(), "a network that is modelled: this one has " + network->not_modelled);
  }
  if (report.problems().size() != before) return std::nullopt;
  return *network;
}

std::optional<WorkloadSpec> workload_of(const json& file, const Reporter& report, const Catalogue& catalogue) {
  if (!file.contains("workload") || !report.clean()) return std::nullopt;
  const auto workload = typed_workload(file["workload"], report, catalogue);
  return workload ? std::optional(*workload) : std::nullopt;
}

void read_deployment(Scenario& scenario, const json& file, const Reporter& report, const Catalogue& catalogue,
                     const Network* network) {
  if (!file.contains("deployment") || !file["deployment"].is_object()) return;
  DeploymentContext context{
      .catalogue = &catalogue, .network = network, .calibration = nullptr, .calibration_report = std::nullopt};
  if (file.contains("calibration") && report.at("calibration").clean()) {
    context.calibration = &file["calibration"];
    context.calibration_report = report.at("calibration");
  }
  scenario.deployment = deployment_from(file["deployment"], report.at("deployment"), context);
}

/// Everything after the schema has been asked: reads what is sound and adds what contradicts each other.
Scenario scenario_from(const Document& document, const Catalogue& catalogue, std::vector<Problem>& problems) {
  const json& file = document.value;
  const Reporter report(document, problems);
  Scenario scenario;
  scenario.file = document.file;
  scenario.catalogue_directories = catalogue.directories();
  const std::string stem = std::filesystem::path(document.file).stem().string();
  scenario.name = section(file, "name", report).is_string() ? file["name"].get<std::string>() : stem;
  if (const json text = section(file, "description", report); text.is_string()) scenario.description = text;
  if (const json list = section(file, "assumptions", report); list.is_array()) scenario.assumptions = list;
  if (const json seed = section(file, "seed", report); seed.is_number()) scenario.seed = seed;

  scenario.published = published_from(section(file, "published", report));

  const auto network = network_of(file, report.at("model"), catalogue);
  const auto workload = workload_of(file, report.at("workload"), catalogue);
  if (workload) scenario.workload = *workload;
  read_deployment(scenario, file, report, catalogue, network ? &*network : nullptr);
  scenario.fleet = fleet_from(section(file, "fleet", report), report.at("fleet"));
  if (report.at("fleet").clean()) check_fleet(scenario, report.at("fleet"));
  const json limits = section(file, "limits", report);
  scenario.limits = limits_from(limits);
  if (network) check_limits(*network, limits, report.at("limits"));
  if (limits.contains("admission"))
    check_admission(scenario.limits.admission, limits["admission"], report.at("limits").at("admission"));
  if (workload && report.at("deployment").clean())
    check_marks(scenario.deployment, marks_of(*workload), file["deployment"], report.at("deployment"));
  scenario.slo = slo_from(section(file, "slo", report));
  // A GPU that could not be read has been reported already; its price is not missing as well.
  const bool priced = report.at("cost").clean() && report.at("deployment").clean() && !scenario.deployment.pools.empty() &&
                      std::none_of(scenario.deployment.pools.begin(), scenario.deployment.pools.end(),
                                   [](const PoolSpec& pool) { return pool.plan.gpu.name.empty(); });
  if (priced) scenario.cost = cost_from(section(file, "cost", report), report.at("cost"), scenario.deployment.pools);
  scenario.pricing = pricing_from(section(file, "pricing", report), report.at("pricing"));
  scenario.measure = measure_from(section(file, "measure", report), report.at("measure"), workload ? &*workload : nullptr);
  if (workload) check_measure(scenario, report.at("measure"));
  if (report.at("fleet").clean() && report.at("measure").clean() && report.at("deployment").clean())
    check_fleet_run(scenario, section(file, "fleet", report), report.at("fleet"));
  return scenario;
}

}  // namespace

Scenario scenario_of(Document document, const Catalogue& catalogue, const std::vector<std::string>& sets,
                     std::optional<std::uint64_t> seed) {
  std::vector<Problem> problems = document.problems;
  const bool has_syntax_error = document.value.is_null() && !problems.empty();
  if (has_syntax_error) throw_all(problems);
  for (const std::string& text : sets) apply_override(document, text, catalogue, problems);
  const Reporter report(document, problems);
  if (!document.value.is_object()) {
    report.add(shown(document.value), "an object: a scenario");
    throw_all(problems);
  }
  if (seed) document.value["seed"] = *seed;
  report.add_beneath(catalogue.check("scenario", document.value));
  lay_personalities(document, catalogue, problems);
  Scenario scenario = scenario_from(document, catalogue, problems);
  throw_all(problems);
  return scenario;
}

Scenario load_scenario(const std::string& path_or_name, const Catalogue& catalogue, const std::vector<std::string>& sets,
                       std::optional<std::uint64_t> seed) {
  const std::string path = is_file(path_or_name) ? path_or_name : catalogue.path_of(CatalogueKind::Services, path_or_name);
  return scenario_of(read_document(path), catalogue, sets, seed);
}

Scenario load_scenario_text(const std::string& text, const std::string& file, const Catalogue& catalogue,
                            const std::vector<std::string>& sets, std::optional<std::uint64_t> seed) {
  return scenario_of(parse_document(text, file), catalogue, sets, seed);
}

json resolved_json(const Scenario& scenario) {
  json file{{"name", scenario.name},
            {"assumptions", scenario.assumptions},
            {"published", json_of(scenario.published)},
            {"seed", scenario.seed},
            {"workload", json_of(scenario.workload, scenario.catalogue_directories)},
            {"deployment", json_of(scenario.deployment)},
            {"fleet", json_of(scenario.fleet)},
            {"limits", json_of(scenario.limits)},
            {"slo", json_of(scenario.slo)},
            {"cost", json_of(scenario.cost)},
            {"pricing", json_of(scenario.pricing)},
            {"measure", json_of(scenario.measure)}};
  if (!scenario.description.empty()) file["description"] = scenario.description;
  if (!scenario.deployment.pools.empty()) file["model"] = json_of(scenario.deployment.pools.front().plan.network);
  return file;
}

std::string scenario_hash(const Scenario& scenario) { return fmt::format("{:016x}", fnv1a(resolved_json(scenario).dump())); }

Network load_network(const std::string& name, const Catalogue& catalogue) {
  return load_part<Network>(kModelPart, name, catalogue,
                            [](const Part& part) { return network_from(*part.value, part.report); });
}

Gpu load_gpu(const std::string& name, const Catalogue& catalogue) {
  return load_part<Gpu>(kHardwarePart, name, catalogue, [](const Part& part) { return gpu_from(*part.value); });
}

Calibration load_calibration(const std::string& name, const Catalogue& catalogue) {
  return load_part<Calibration>(kCalibrationPart, name, catalogue,
                                [](const Part& part) { return calibration_from(*part.value); });
}

OverlapSchedule load_overlap(const std::string& name, const Catalogue& catalogue) {
  return load_part<OverlapSchedule>(kOverlapPart, name, catalogue,
                                    [](const Part& part) { return overlap_from(*part.value, part.report); });
}

void check_engine(const std::string& name, const Catalogue& catalogue) {
  load_part<bool>(kEnginePart, name, catalogue, [](const Part&) { return true; });
}

WorkloadSpec load_workload(const std::string& name, const Catalogue& catalogue) {
  return load_part<WorkloadSpec>(kWorkloadPart, name, catalogue,
                                 [&](const Part& part) { return workload_from(*part.value, part.report, catalogue); });
}

namespace {

/// How well a calibration file fits; 0: not at all. Another engine's numbers on the same GPU are worse than the family's
/// default, which mixes engines.
int fit_of(const CatalogueEntry& entry, const Gpu& gpu, const std::string& engine) {
  const auto text = [&](const char* key) { return entry.texts.contains(key) ? entry.texts.at(key) : ""; };
  if (!text("version").empty()) return 0;  // of serving runs of one software version: served_calibration()
  const std::string of = text("gpu");
  const bool is_of_engine = engine.empty() || text("engine") == engine;
  if (of == gpu.name) return is_of_engine ? 4 : 2;
  if (of == gpu.architecture) return 3;
  return of == "any" ? 1 : 0;
}

std::optional<std::string> best_fit(const Gpu& gpu, const std::string& engine, const Catalogue& catalogue) {
  std::optional<std::string> best;
  int best_fit = 0;
  for (const CatalogueEntry& entry : catalogue.list(CatalogueKind::Calibrations)) {
    const int fit = fit_of(entry, gpu, engine);
    if (fit <= best_fit) continue;
    best_fit = fit;
    best = entry.name;
  }
  return best;
}

}  // namespace

std::optional<std::string> best_calibration(const Gpu& gpu, const std::string& engine, const Catalogue& catalogue) {
  BoundedCache<std::optional<std::string>>& known = load_cache(catalogue).best_calibration;
  const std::string key = gpu.name + '\n' + gpu.architecture + '\n' + engine;
  if (const auto name = known.find(key)) return *name;
  auto name = best_fit(gpu, engine, catalogue);
  known.put(key, std::make_shared<const std::optional<std::string>>(name));
  return name;
}

}  // namespace tokenomics
