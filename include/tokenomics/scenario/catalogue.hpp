#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

/// Kinds of things that are found by name, one JSON file each, in the folder named beside.
enum class CatalogueKind {
  Hardware,      ///< hardware/
  Models,        ///< models/: networks
  Workloads,     ///< workloads/
  Calibrations,  ///< calibrations/
  Providers,     ///< providers/
  Services,      ///< services/: scenarios that can be run
  Overlaps,      ///< overlaps/: overlap schedules
  Engines,       ///< engines/: settings of serving engines that a pool may start from
  Queries,       ///< queries/: what `solve` and `frontier` take
  Markets,       ///< markets/: what `market` takes
  Claims,        ///< claims/: published claims that `claims` checks
  Sweeps,        ///< sweeps/: what `sweep` takes
};
std::string_view folder_of(CatalogueKind kind);
std::vector<CatalogueKind> catalogue_kinds();

/// One line of a listing.
struct CatalogueEntry {
  std::string name;
  std::string description;
  std::string path;
  std::map<std::string, std::string> texts;  ///< its top-level texts: "vendor", "gpu", "engine" ...
};

struct LoadCache;

/// Everything that has a name. Nothing is read before it is asked for.
///
/// A directory holds the folders above, or plain files whose kind is seen from their keys. Names and aliases are
/// compared without regard to case; an entry of a later directory hides one of the same name in an earlier one.
/// What was read and found sound is remembered, up to a bound: files are taken not to change while the catalogue lives.
/// Safe to use from several threads.
class Catalogue {
 public:
  /// `directories`: the shipped one first (it also holds schemas/), then the user's.
  /// Throws IoError when one does not exist.
  explicit Catalogue(std::vector<std::string> directories);
  ~Catalogue();
  Catalogue(Catalogue&&) noexcept;

  [[nodiscard]] const std::vector<std::string>& directories() const;

  /// Path of the entry called `name`; nothing when there is none.
  [[nodiscard]] std::optional<std::string> find(CatalogueKind kind, const std::string& name) const;
  /// The same; throws ScenarioError with the nearest known name.
  [[nodiscard]] std::string path_of(CatalogueKind kind, const std::string& name) const;
  /// The entry's JSON as written. Throws ScenarioError when it is unknown or broken.
  [[nodiscard]] nlohmann::json raw(CatalogueKind kind, const std::string& name) const;
  /// All entries by name. A file that cannot be parsed is listed with its first problem as description.
  [[nodiscard]] std::vector<CatalogueEntry> list(CatalogueKind kind) const;
  /// Names and aliases.
  [[nodiscard]] std::vector<std::string> names(CatalogueKind kind) const;

  /// Text of schemas/`name`.schema.json, for example "scenario"; throws ScenarioError with the nearest known name.
  [[nodiscard]] std::string schema_text(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> schema_names() const;
  /// The schema itself, parsed once.
  [[nodiscard]] const nlohmann::json& schema(const std::string& name) const;
  /// What the schema refuses in `value`: pointers from `value` on, the file left empty.
  [[nodiscard]] std::vector<Problem> check(const std::string& schema_name, const nlohmann::json& value) const;

 private:
  friend LoadCache& load_cache(const Catalogue& catalogue);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenomics
