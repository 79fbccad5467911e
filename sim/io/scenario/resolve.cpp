#include "resolve.hpp"

#include <array>
#include <filesystem>

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

}  // namespace

std::optional<PartKind> part_with_schema(const std::string& schema) {
  for (const PartKind& part : {kModelPart, kHardwarePart, kCalibrationPart, kWorkloadPart, kOverlapPart, kProviderPart}) {
    if (schema == part.schema) return part;
  }
  return std::nullopt;
}

json merged(const json& base, const json& patch) {
  if (!base.is_object() || !patch.is_object() || is_other_kind(base, patch)) return patch;
  json result = base;
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      result.erase(key);
    } else {
      result[key] = result.contains(key) ? merged(result[key], value) : value;
    }
  }
  return result;
}

std::optional<Part> resolve_file(const Catalogue& catalogue, const PartKind& kind, const std::string& path,
                                 std::vector<Problem>& problems) {
  auto document = std::make_shared<Document>(read_document(path));
  const Reporter report(*document, problems);
  problems.insert(problems.end(), document->problems.begin(), document->problems.end());
  const bool is_broken = !document->problems.empty() && document->value.is_null();
  if (is_broken) return std::nullopt;
  report.add_beneath(catalogue.check(kind.schema, document->value));
  if (!report.clean()) return std::nullopt;
  return Part{document->value, document, report};
}

std::optional<Part> resolve(const Catalogue& catalogue, const PartKind& kind, const json& reference,
                            const Reporter& report) {
  if (reference.is_string()) return resolve_name(catalogue, kind, reference.get<std::string>(), report);
  json value = reference;
  if (reference.contains("base")) {
    if (!reference["base"].is_string()) {
      report.at("base").add(shown(reference["base"]), std::string("the name of a known ") + kind.one);
      return std::nullopt;
    }
    auto base = resolve_name(catalogue, kind, reference["base"].get<std::string>(), report.at("base"));
    if (!base) return std::nullopt;
    anchor_trace(base->value, base->document->file);
    value.erase("base");
    value = merged(base->value, value);
  }
  report.add_beneath(catalogue.check(kind.schema, value));
  if (!report.clean()) return std::nullopt;
  return Part{std::move(value), nullptr, report};
}

}  // namespace tokenomics
