#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "manifest.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

std::string hex(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Kinds that a scenario or query may name.
constexpr std::array kNamed{CatalogueKind::Hardware,     CatalogueKind::Models,   CatalogueKind::Workloads,
                            CatalogueKind::Calibrations, CatalogueKind::Overlaps, CatalogueKind::Engines};

/// Hash of all files of a kind, in the order of their names, whatever the folder is called.
std::string hash_of_kind(const Catalogue& catalogue, CatalogueKind kind) {
  std::uint64_t hash = 0;
  for (const CatalogueEntry& entry : catalogue.list(kind))
    hash = fnv1a(hex(hash) + fs::path(entry.path).filename().string() + content_of(entry.path));
  return hex(hash);
}

/// Where relative paths in it start, from wherever the sweep is gone on with.
std::string absolute(const std::string& file) { return fs::absolute(file).lexically_normal().string(); }

/// Every text of a JSON value that is the path of a file, and those that these files name in turn.
void add_files(const json& value, const fs::path& beside, std::map<std::string, std::string>& files) {
  for (const json& child : value) {
    if (child.is_structured()) add_files(child, beside, files);
    if (!child.is_string()) continue;
    const auto& text = child.get_ref<const std::string&>();
    if (text.find('/') == std::string::npos && text.find('.') == std::string::npos) continue;  // a name
    std::error_code none;
    const fs::path path = (beside / text).lexically_normal();
    if (!fs::is_regular_file(path, none) || files.contains(path.string())) continue;
    const std::string content = content_of(path);
    files[path.string()] = hex(fnv1a(content));
    if (path.extension() == ".json") add_files(json::parse(content, nullptr, false), path.parent_path(), files);
  }
}

std::string hash_of_first(const SweepSpec& spec, const SweepPlan& plan, const Catalogue& catalogue) {
  if (spec.subject != SweepSubject::Scenario) return "";
  const SweepPoint point = plan.at(0);
  try {
    return scenario_hash(load_scenario_text(spec.base_text, spec.base_file, catalogue, point.sets, point.seed));
  } catch (const ScenarioError&) {
    return "";  // that point's own affair
  }
}

}  // namespace

std::string program_fingerprint() {
  static const std::string fingerprint = hex(fnv1a(content_of("/proc/self/exe")));
  return fingerprint;
}

SweepManifest manifest_of(const SweepSpec& spec, const SweepPlan& plan, const Catalogue& catalogue) {
  SweepManifest manifest;
  manifest.program = program_fingerprint();
  manifest.name = spec.name;
  manifest.hash = hex(fnv1a(spec.text + spec.base_text));
  manifest.first_scenario = hash_of_first(spec, plan, catalogue);
  for (const CatalogueKind kind : kNamed) manifest.catalogue[std::string(folder_of(kind))] = hash_of_kind(catalogue, kind);
  manifest.text = spec.text;
  manifest.file = absolute(spec.file);
  manifest.base_text = spec.base_text;
  manifest.base_file = absolute(spec.base_file);
  add_files(json::parse(spec.text), fs::path(manifest.file).parent_path(), manifest.files);
  add_files(json::parse(spec.base_text), fs::path(manifest.base_file).parent_path(), manifest.files);
  manifest.columns = SweepColumns(spec).names;
  manifest.rows = plan.rows();
  manifest.points = plan.designs();
  return manifest;
}

std::string head_of(const SweepManifest& manifest) { return row_head(manifest.columns, manifest.format); }

std::string text_of(const SweepManifest& manifest) {
  ordered_json file{
      {"schema", "tokenomics.sweep/1"},
      {"version", manifest.version},
      {"program", manifest.program},
      {"state", manifest.is_complete ? "complete" : "running"},
      {"name", manifest.name},
      {"hash", manifest.hash},
      {"first_scenario", manifest.first_scenario.empty() ? ordered_json(nullptr) : ordered_json(manifest.first_scenario)},
      {"catalogue", manifest.catalogue},
      {"files", manifest.files},
      {"rows", manifest.rows},
      {"points", manifest.points},
      {"format", to_string(manifest.format)},
      {"columns", manifest.columns},
      {"engine", manifest.engine},
      {"shards", manifest.shards},
      {"file", manifest.file},
      {"sweep", ordered_json::parse(manifest.text)},
      {"base_file", manifest.base_file},
      {"base", ordered_json::parse(manifest.base_text)}};
  return file.dump(2) + "\n";
}

SweepManifest manifest_from(const std::string& text, const std::string& path) {
  const auto broken = [&](const std::string& what) {
    return FolderError(fmt::format(
        "{}: {}; this manifest is broken. The rows beside it have not been touched; start the sweep anew in another folder",
        path, what));
  };
  json file;
  try {
    file = json::parse(text);
  } catch (const json::parse_error&) {
    throw broken(text.empty() ? "an empty file" : "no valid JSON");
  }
  if (!file.is_object() || file.value("schema", "") != "tokenomics.sweep/1") throw broken("not \"tokenomics.sweep/1\"");
  try {
    SweepManifest manifest;
    manifest.version = file.at("version");
    manifest.program = file.at("program");
    manifest.is_complete = file.at("state") == "complete";
    manifest.name = file.at("name");
    manifest.hash = file.at("hash");
    manifest.first_scenario = file.at("first_scenario").is_null() ? "" : file.at("first_scenario").get<std::string>();
    manifest.catalogue = file.at("catalogue").get<std::map<std::string, std::string>>();
    manifest.files = file.at("files").get<std::map<std::string, std::string>>();
    manifest.rows = file.at("rows");
    manifest.points = file.at("points");
    manifest.format = file.at("format") == "jsonl" ? RowFormat::JsonLines : RowFormat::Csv;
    manifest.columns = file.at("columns").get<std::vector<std::string>>();
    manifest.engine = file.at("engine");
    manifest.shards = file.at("shards");
    manifest.file = file.at("file");
    manifest.text = file.at("sweep").dump();
    manifest.base_file = file.at("base_file");
    manifest.base_text = file.at("base").dump();
    if (manifest.shards < 1 || manifest.rows < 1) throw broken("rows and shards below 1");
    return manifest;
  } catch (const json::exception& error) {
    throw broken(error.what());
  }
}

}  // namespace tokenomics
