#include "tokenomics/scenario/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "document.hpp"
#include "json_text.hpp"
#include "load_cache.hpp"
#include "schemas.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct KindRow {
  CatalogueKind kind;
  std::string_view folder;
  std::string_view one;   ///< in messages
  std::string_view mark;  ///< a key that only this kind has
};
constexpr std::array<KindRow, 12> kKinds{{{CatalogueKind::Hardware, "hardware", "GPU", "architecture"},
                                          {CatalogueKind::Models, "models", "network", "attention"},
                                          {CatalogueKind::Workloads, "workloads", "workload", "arrivals"},
                                          {CatalogueKind::Calibrations, "calibrations", "calibration", "kernels"},
                                          {CatalogueKind::Providers, "providers", "provider", "offers"},
                                          {CatalogueKind::Services, "services", "scenario", "deployment"},
                                          {CatalogueKind::Overlaps, "overlaps", "overlap schedule", "stages"},
                                          {CatalogueKind::Engines, "engines", "engine", "pool"},
                                          {CatalogueKind::Queries, "queries", "query", "solve_for"},
                                          {CatalogueKind::Markets, "markets", "market", "segments"},
                                          {CatalogueKind::Claims, "claims", "file of claims", "claims"},
                                          {CatalogueKind::Sweeps, "sweeps", "sweep", "axes"}}};

const KindRow& row_of(CatalogueKind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(), [&](const KindRow& row) { return row.kind == kind; });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos && name.find('\\') == std::string::npos;
}

std::vector<fs::path> json_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string text_at(const DocumentHead& head, const char* key) {
  const auto found = head.texts.find(key);
  return found == head.texts.end() ? "" : found->second;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// What a listing says: the description, or maker and date.
std::string description_of(const DocumentHead& head) {
  if (!head.problem.empty()) return "broken: " + head.problem;
  const std::string text = text_at(head, "description");
  if (!text.empty()) return first_line(text);
  std::string line;
  for (const char* key : {"vendor", "architecture", "gpu", "engine", "release_date", "memory_type"}) {
    const std::string part = text_at(head, key);
    if (!part.empty()) line += (line.empty() ? "" : ", ") + part;
  }
  return line;
}

/// A file and everything it is called.
struct Named {
  fs::path path;
  std::string name;
  std::vector<std::string> names;  ///< own name, file name and aliases, in lower case
  std::string description;
  std::map<std::string, std::string> texts;
};

Named named(const fs::path& path, const DocumentHead& head) {
  Named result{path, text_at(head, "name"), {}, description_of(head), head.texts};
  const std::string stem = path.stem().string();
  if (result.name.empty()) result.name = stem;
  result.names = {lower(result.name), lower(stem)};
  const auto aliases = head.lists.find("aliases");
  if (aliases != head.lists.end()) {
    for (const std::string& alias : aliases->second) result.names.push_back(lower(alias));
  }
  return result;
}

}  // namespace

std::string_view folder_of(CatalogueKind kind) { return row_of(kind).folder; }

std::vector<CatalogueKind> catalogue_kinds() {
  std::vector<CatalogueKind> kinds;
  for (const KindRow& row : kKinds) kinds.push_back(row.kind);
  return kinds;
}

struct Catalogue::Impl {
  std::vector<std::string> directories;
  std::mutex mutex;  ///< guards `scanned`, whose entries stay where they are
  Schemas schemas;
  LoadCache cache;
  std::map<CatalogueKind, std::vector<Named>> scanned;

  explicit Impl(std::vector<std::string> all) : directories(std::move(all)), schemas(directories.front() + "/schemas") {}

  /// All entries of a kind, the winning ones first.
  const std::vector<Named>& entries(CatalogueKind kind) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = scanned.find(kind);
    if (found != scanned.end()) return found->second;
    const KindRow& row = row_of(kind);
    std::vector<Named> all;
    for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
      for (const fs::path& path : json_files(fs::path(*directory) / row.folder))
        all.push_back(named(path, read_document_head(path.string())));
      for (const fs::path& path : json_files(*directory)) {
        const DocumentHead head = read_document_head(path.string());
        if (head.keys.contains(std::string(row.mark))) all.push_back(named(path, head));
      }
    }
    return scanned.emplace(kind, std::move(all)).first->second;
  }

  /// <directory>/<kind>/<name>.json without reading anything else.
  std::optional<std::string> find_by_file_name(CatalogueKind kind, const std::string& name) const {
    if (!is_plain_name(name)) return std::nullopt;
    for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
      // Plain files beside the folders would have to be read to know what they are.
      if (directory + 1 != directories.rend() && !json_files(*directory).empty()) return std::nullopt;
      const fs::path path = fs::path(*directory) / row_of(kind).folder / (lower(name) + ".json");
      if (fs::is_regular_file(path)) return path.string();
    }
    return std::nullopt;
  }

  std::optional<std::string> find(CatalogueKind kind, const std::string& name) {
    if (auto path = find_by_file_name(kind, name)) return path;
    const std::string wanted = lower(name);
    for (const Named& entry : entries(kind)) {
      if (std::find(entry.names.begin(), entry.names.end(), wanted) != entry.names.end()) return entry.path.string();
    }
    return std::nullopt;
  }
};

LoadCache& load_cache(const Catalogue& catalogue) { return catalogue.impl_->cache; }

Catalogue::Catalogue(std::vector<std::string> directories) {
  TOKENOMICS_CHECK(!directories.empty(), "a catalogue needs the shipped directory");
  for (const std::string& directory : directories) {
    if (!fs::is_directory(directory)) throw IoError("no such catalogue directory: " + directory);
  }
  impl_ = std::make_unique<Impl>(std::move(directories));
}
Catalogue::~Catalogue() = default;
Catalogue::Catalogue(Catalogue&&) noexcept = default;

const std::vector<std::string>& Catalogue::directories() const { return impl_->directories; }

std::optional<std::string> Catalogue::find(CatalogueKind kind, const std::string& name) const {
  const std::string key = std::string(folder_of(kind)) + '\n' + name;
  if (const auto known = impl_->cache.paths.find(key)) return *known;
  auto path = impl_->find(kind, name);
  if (path) impl_->cache.paths.put(key, std::make_shared<const std::string>(*path));
  return path;
}

std::string Catalogue::path_of(CatalogueKind kind, const std::string& name) const {
  if (auto path = find(kind, name)) return *path;
  throw ScenarioError(Problem{std::string(folder_of(kind)), "", json(name).dump(),
                              "a known " + std::string(row_of(kind).one), nearest_name(name, names(kind))});
}

json Catalogue::raw(CatalogueKind kind, const std::string& name) const {
  return sound_document(path_of(kind, name), *this)->value;
}

std::vector<CatalogueEntry> Catalogue::list(CatalogueKind kind) const {
  std::map<std::string, CatalogueEntry> by_name;  // the first, winning one stays
  for (const Named& entry : impl_->entries(kind)) {
    by_name.emplace(entry.name, CatalogueEntry{entry.name, entry.description, entry.path.string(), entry.texts});
  }
  std::vector<CatalogueEntry> entries;
  for (auto& [name, entry] : by_name) entries.push_back(std::move(entry));
  return entries;
}

std::vector<std::string> Catalogue::names(CatalogueKind kind) const {
  std::set<std::string> all;
  for (const Named& entry : impl_->entries(kind)) all.insert(entry.names.begin(), entry.names.end());
  return {all.begin(), all.end()};
}

std::vector<std::string> Catalogue::schema_names() const {
  static const std::string ending = ".schema.json";
  std::vector<std::string> found;
  for (const fs::path& path : json_files(fs::path(impl_->directories.front()) / "schemas")) {
    const std::string file = path.filename().string();
    if (file.ends_with(ending)) found.push_back(file.substr(0, file.size() - ending.size()));
  }
  return found;
}

std::string Catalogue::schema_text(const std::string& name) const {
  const std::vector<std::string> known = schema_names();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    std::string expected = "the name of a schema:";
    for (const std::string& one : known) expected += " " + one;
    throw ScenarioError(Problem{"schemas", "", json(name).dump(), expected, nearest_name(name, known)});
  }
  return text_of_file(impl_->schemas.path(name));
}

const json& Catalogue::schema(const std::string& name) const { return impl_->schemas.schema(name); }

std::vector<Problem> Catalogue::check(const std::string& schema_name, const json& value) const {
  return impl_->schemas.check(schema_name, value);
}

}  // namespace tokenomics
