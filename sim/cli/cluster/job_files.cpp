#include "job_files.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "../support.hpp"
#include "scripts.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kSettings = "slurm/settings.json";

std::string program_path() {
  std::error_code none;
  return fs::read_symlink("/proc/self/exe", none).string();
}

std::string settings_text(const SlurmSettings& settings) {
  return json_text(ordered_json{{"schema", "tokenomics.sweep_slurm/1"},
                                {"throttle", settings.throttle},
                                {"cpus", settings.cpus},
                                {"options", settings.options}});
}

std::vector<std::string> absolute(std::vector<std::string> paths) {
  for (std::string& path : paths) path = fs::absolute(path).lexically_normal().string();
  return paths;
}

ScriptParts parts_of(const SweepManifest& manifest, const std::string& place, const Catalogue& catalogue) {
  ScriptParts parts;
  parts.name = manifest.name;
  parts.program = program_path();
  parts.folder = place;
  parts.catalogues = absolute(catalogue.directories());
  parts.shards = manifest.shards;
  return parts;
}

}  // namespace

JobFiles::JobFiles(const SweepFolder& folder, const Catalogue& catalogue, SlurmSettings settings)
    : folder_(folder),
      catalogue_(catalogue),
      place_(fs::canonical(folder.path()).string()),
      name_(fmt::format("tokenomics-{:016x}", fnv1a(place_))),
      settings_(std::move(settings)) {}

std::string JobFiles::script(const std::string& name) const { return (fs::path(place_) / "slurm" / name).string(); }

void JobFiles::write() const {
  std::error_code error;
  fs::create_directories(script("logs"), error);
  if (error) throw IoError(fmt::format("cannot make the folder {}: {}", script("logs"), error.message()));
  ScriptParts parts = parts_of(folder_.manifest(), place_, catalogue_);
  parts.cpus = settings_.cpus;
  folder_.write("slurm/array.sh", array_script(parts));
  folder_.write("slurm/merge.sh", merge_script(parts));
  folder_.write(kSettings, settings_text(settings_));
}

std::vector<std::string> JobFiles::sbatch_words(const std::string& job_name) const {
  std::vector<std::string> words{"sbatch", "--parsable", "--job-name=" + job_name};
  words.insert(words.end(), settings_.options.begin(), settings_.options.end());
  return words;
}

std::vector<std::string> JobFiles::array_words(const ArrayPart& part) const {
  std::vector<std::string> words = sbatch_words(array_name());
  const std::string throttle = settings_.throttle > 0 ? fmt::format("%{}", settings_.throttle) : "";
  words.push_back(fmt::format("--array={}{}", part.indices, throttle));
  words.insert(words.end(), {script("array.sh"), fmt::format("{}", part.offset)});
  return words;
}

std::vector<std::string> JobFiles::merge_words(bool wants_json) const {
  std::vector<std::string> words = sbatch_words(merge_name());
  words.push_back(script("merge.sh"));
  if (wants_json) words.push_back("--format=json");
  return words;
}

SlurmSettings settings_in(const SweepFolder& folder) {
  const std::string path = (fs::path(folder.path()) / kSettings).string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  try {
    const auto json = nlohmann::json::parse(file);
    SlurmSettings settings;
    settings.throttle = json.at("throttle");
    settings.cpus = json.at("cpus");
    settings.options = json.at("options").get<std::vector<std::string>>();
    return settings;
  } catch (const nlohmann::json::exception& error) {
    throw FolderError(fmt::format("{} is broken ({}): remove it, and say its options again", path, error.what()));
  }
}

}  // namespace tokenomics::cli
