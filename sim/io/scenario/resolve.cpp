#include "resolve.hpp"

#include <array>
#include <filesystem>
#include <utility>

#include "load_cache.hpp"
#include "pointer.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

bool is_other_kind(const json& base, const json& patch) {
  for (const char* key : {"kind", "law"}) {
    if (base.contains(key) && patch.contains(key) && base[key] != patch[key]) return true;
  }
  return false;
}

bool is_path(const std::string& name) { return name.find('/') != std::string::npos || name.ends_with(".json"); }

std::optional<Part> resolve_name(const Catalogue& catalogue, const PartKind& kind, const std::string& name,
                                 const Reporter& report) {
  if (const auto path = catalogue.find(kind.kind, name)) return resolve_file(catalogue, kind, *path, report.problems());
  const std::filesystem::path path = std::filesystem::path(report.document().file).parent_path() / name;
  if (is_path(name) && std::filesystem::is_regular_file(path))
    return resolve_file(catalogue, kind, path.string(), report.problems());
  report.add(json(name).dump(), std::string("the name of a known ") + kind.one,
             nearest_name(name, catalogue.names(kind.kind)));
  return std::nullopt;
}

/// A base's relative trace paths start at its own file, not at the one that overrides it.
void anchor_trace(json& base, const std::string& file) {
  if (!base.contains("trace")) return;
  for (const char* key : {"file", "lengths_file"}) {
    if (!base["trace"].contains(key)) continue;
    const auto path = std::filesystem::path(file).parent_path() / base["trace"][key].get<std::string>();
    if (std::filesystem::is_regular_file(path))
      base["trace"][key] = std::filesystem::absolute(path).lexically_normal().string();
  }
}

/// A file that has been read and that its schema has been asked about; null after a syntax error.
std::shared_ptr<const Document> checked_file(const Catalogue& catalogue, const PartKind& kind, const std::string& path,
                                             std::vector<Problem>& problems) {
  BoundedCache<Document>& sound = load_cache(catalogue).parts;
  const std::string key = std::string(kind.schema) + '\n' + path;
  if (auto known = sound.find(key)) return known;
  auto document = cached_document(path, catalogue);
  problems.insert(problems.end(), document->problems.begin(), document->problems.end());
  if (!document->problems.empty() && document->value.is_null()) return nullptr;
  const std::vector<Problem> refused = catalogue.check(kind.schema, document->value);
  Reporter(*document, problems).add_beneath(refused);
  if (document->problems.empty() && refused.empty() && path != kStandardInput) sound.put(key, document);
  return document;
}

}  // namespace

std::optional<PartKind> part_with_schema(const std::string& schema) {
  for (const PartKind& part :
       {kModelPart, kHardwarePart, kCalibrationPart, kWorkloadPart, kOverlapPart, kEnginePart, kProviderPart}) {
    if (schema == part.schema) return part;
  }
  return std::nullopt;
}

void merge_into(json& base, const json& patch) {
  if (!base.is_object() || !patch.is_object() || is_other_kind(base, patch)) {
    base = patch;
    return;
  }
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      base.erase(key);
    } else if (const auto known = base.find(key); known != base.end()) {
      merge_into(*known, value);
    } else {
      base[key] = value;
    }
  }
}

std::optional<Part> resolve_file(const Catalogue& catalogue, const PartKind& kind, const std::string& path,
                                 std::vector<Problem>& problems) {
  const auto document = checked_file(catalogue, kind, path, problems);
  if (!document) return std::nullopt;
  const Reporter report(*document, problems);
  if (!report.clean()) return std::nullopt;
  return Part{std::shared_ptr<const json>(document, &document->value), document, report};
}

std::optional<Part> resolve(const Catalogue& catalogue, const PartKind& kind, const json& reference,
                            const Reporter& report) {
  if (reference.is_string()) return resolve_name(catalogue, kind, reference.get<std::string>(), report);
  auto value = std::make_shared<json>(reference);
  if (reference.contains("base")) {
    if (!reference["base"].is_string()) {
      report.at("base").add(shown(reference["base"]), std::string("the name of a known ") + kind.one);
      return std::nullopt;
    }
    const auto base = resolve_name(catalogue, kind, reference["base"].get<std::string>(), report.at("base"));
    if (!base) return std::nullopt;
    json patch = std::exchange(*value, *base->value);
    anchor_trace(*value, base->document->file);
    patch.erase("base");
    merge_into(*value, patch);
  }
  report.add_beneath(catalogue.check(kind.schema, *value));
  if (!report.clean()) return std::nullopt;
  return Part{std::move(value), nullptr, report};
}

}  // namespace tokenomics
