#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "document.hpp"
#include "load_part.hpp"
#include "overrides.hpp"
#include "sweep_axes.hpp"
#include "sweep_columns.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

bool is_utf8(const std::string& text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::type_error&) {
    return false;
  }
}

bool sets_pointer(const json& set, const std::string& pointer) {
  return std::any_of(set.items().begin(), set.items().end(),
                     [&](const auto& item) { return as_pointer(item.key()) == pointer; });
}

/// What the command line says becomes part of the file, so that a result folder knows it too.
void apply_overrides(Document& document, const SweepOverrides& overrides, std::vector<Problem>& problems) {
  json& file = document.value;
  if (overrides.seed) file["seed"] = *overrides.seed;
  if (overrides.samples) file["samples"] = *overrides.samples;
  if (overrides.replications) file["replications"] = *overrides.replications;
  for (const std::string& text : overrides.sets) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.push_back({"--set", "", json(text).dump(), "POINTER=VALUE", ""});
      continue;
    }
    if (!is_utf8(text)) {
      problems.push_back({"--set", "", shown(text), "UTF-8 text", ""});
      continue;
    }
    const Document value = parse_document(text.substr(equals + 1), "--set");
    const bool is_json = value.problems.empty();
    json& set = file["set"];
    if (!set.is_object()) set = json::object();
    const std::string path = text.substr(0, equals);
    for (auto known = set.begin(); known != set.end();)
      known = as_pointer(known.key()) == as_pointer(path) ? set.erase(known) : std::next(known);
    set[path] = is_json ? value.value : json(text.substr(equals + 1));
    document.overrides.push_back("/set");
  }
}

/// The scenario or query: written in the sweep, or a file by name or path.
Document base_document(const SweepSpec& spec, const json& reference, const Reporter& report, const Catalogue& catalogue) {
  const bool is_scenario = spec.subject == SweepSubject::Scenario;
  if (reference.is_object()) return parse_document(reference.dump(), spec.file);
  const std::string name = reference.get<std::string>();
  const fs::path beside = fs::path(spec.file).parent_path() / name;
  if (is_file(name) && fs::is_regular_file(beside)) return read_document(beside.string());
  const CatalogueKind kind = is_scenario ? CatalogueKind::Services : CatalogueKind::Queries;
  if (const auto path = catalogue.find(kind, name)) return read_document(*path);
  report.add(reference.dump(),
             is_scenario ? "the name of a known scenario, or a path" : "the name of a known query, or a path",
             nearest_name(name, catalogue.names(kind)));
  return {};
}

void read_head(SweepSpec& spec, const json& file) {
  spec.name = file.value("name", fs::path(spec.file).stem().string());
  spec.description = file.value("description", "");
  spec.assumptions = file.value("assumptions", std::vector<std::string>{});
  spec.confirm = file.value("confirm", false);
  spec.samples = file.value("samples", spec.samples);
  if (file.contains("seed")) spec.seed = file["seed"].get<std::uint64_t>();
  spec.has_own_seeds = file.value("seeds", "common") == "own";
}

void check_subject(SweepSpec& spec, const json& file, const Reporter& report) {
  if (file.contains("scenario") == file.contains("query")) report.add("", "scenario or query, one of them: what a point is");
  spec.subject = file.contains("query") ? SweepSubject::Query : SweepSubject::Scenario;
  const bool is_query = spec.subject == SweepSubject::Query;
  if (is_query && file.contains("replications"))
    report.at("replications").add(file["replications"].dump(), "no replications: a query is answered, not repeated");
  if (!is_query && file.contains("confirm"))
    report.at("confirm").add(file["confirm"].dump(), "no confirm: a scenario is simulated as it is");
}

SweepSpec read_sweep(Document document, const std::string& base_text, const std::string& base_file,
                     const Catalogue& catalogue, const SweepOverrides& overrides) {
  std::vector<Problem> problems = document.problems;
  if (document.value.is_null()) throw_all(problems);
  if (document.value.is_object()) apply_overrides(document, overrides, problems);
  const Reporter report(document, problems);
  report.add_beneath(catalogue.check("sweep", document.value));
  throw_all(problems);
  json& file = document.value;
  SweepSpec spec;
  spec.file = document.file;
  read_head(spec, file);
  check_subject(spec, file, report);
  throw_all(problems);
  const char* subject = spec.subject == SweepSubject::Scenario ? "scenario" : "query";
  const Document base = base_text.empty() ? base_document(spec, file[subject], report.at(subject), catalogue)
                                          : parse_document(base_text, base_file);
  problems.insert(problems.end(), base.problems.begin(), base.problems.end());
  throw_all(problems);

  SweepAxesReader reader(spec, base, subject, catalogue);
  const json inside = reader.take_ranges_out_of_base(report.at(subject));
  // What is set in the sweep stands in place of a range of the base.
  json& set = file["set"].is_null() ? file["set"] = json::object() : file["set"];
  for (const auto& [pointer, range] : inside.items())
    if (!sets_pointer(set, pointer)) set[pointer] = range;
  reader.read_set(set, report.at("set"));
  if (file.contains("seed") || spec.has_own_seeds) reader.reserve("/seed", report.at("seed"));
  if (file.contains("replications")) {
    reader.reserve("/measure/replications", report.at("replications"));
    spec.replications = file["replications"].get<int>();
    spec.sets.push_back(fmt::format("/measure/replications={}", *spec.replications));
  }
  reader.read_axes(file["axes"], report.at("axes"));
  if (file.contains("samples") && spec.inputs.empty())
    report.at("samples").add(file["samples"].dump(), "no samples: nothing is uncertain here");
  read_columns(spec, file, report, catalogue);
  throw_all(problems);
  spec.text = file.dump();
  spec.base_text = reader.base().value.dump();
  spec.base_file = base.file;
  return spec;
}

}  // namespace

SweepSpec load_sweep(const std::string& path_or_name, const Catalogue& catalogue, const SweepOverrides& overrides) {
  const std::string path = is_file(path_or_name) ? path_or_name : catalogue.path_of(CatalogueKind::Sweeps, path_or_name);
  return read_sweep(read_document(path), "", "", catalogue, overrides);
}

SweepSpec load_sweep_parts(const std::string& text, const std::string& file, const std::string& base_text,
                           const std::string& base_file, const Catalogue& catalogue, const SweepOverrides& overrides) {
  return read_sweep(parse_document(text, file), base_text, base_file, catalogue, overrides);
}

}  // namespace tokenomics
