#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// What kind of thing a key refers to, and the schema of its files.
struct PartKind {
  CatalogueKind kind;
  const char* schema;
  const char* one;  ///< in messages: "network"
};
inline constexpr PartKind kModelPart{CatalogueKind::Models, "model", "network"};
inline constexpr PartKind kHardwarePart{CatalogueKind::Hardware, "hardware", "GPU"};
inline constexpr PartKind kCalibrationPart{CatalogueKind::Calibrations, "calibration", "calibration"};
inline constexpr PartKind kWorkloadPart{CatalogueKind::Workloads, "workload", "workload"};
inline constexpr PartKind kOverlapPart{CatalogueKind::Overlaps, "overlap", "overlap schedule"};
inline constexpr PartKind kEnginePart{CatalogueKind::Engines, "engine", "engine"};
inline constexpr PartKind kProviderPart{CatalogueKind::Providers, "provider", "provider"};
std::optional<PartKind> part_with_schema(const std::string& schema);

/// A part that its schema has accepted.
struct Part {
  std::shared_ptr<const nlohmann::json> value;
  std::shared_ptr<const Document> document;  ///< the catalogue file; null when the part is written in the scenario
  Reporter report;                           ///< where problems of the value belong
};

/// Resolves a name, a whole part, or {"base": name, ...overrides}. Reports what is wrong and then returns nothing.
std::optional<Part> resolve(const Catalogue& catalogue, const PartKind& kind, const nlohmann::json& reference,
                            const Reporter& report);

/// Reads a part's own file, for its own sake. A file that was sound is not read again.
std::optional<Part> resolve_file(const Catalogue& catalogue, const PartKind& kind, const std::string& path,
                                 std::vector<Problem>& problems);

/// Lays `patch` over `base`: objects are merged key by key, null removes a key, and an object whose "kind" or "law" differs
/// replaces the base's, because its other keys belong to another kind.
void merge_into(nlohmann::json& base, const nlohmann::json& patch);

}  // namespace tokenomics
