#include "kinds.hpp"

#include <map>
#include <vector>

#include <fmt/format.h>

#include "options.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {

CatalogueKind kind_named(const std::string& word) {
  static const std::map<std::string, CatalogueKind> names{{"hardware", CatalogueKind::Hardware},
                                                          {"gpu", CatalogueKind::Hardware},
                                                          {"gpus", CatalogueKind::Hardware},
                                                          {"model", CatalogueKind::Models},
                                                          {"models", CatalogueKind::Models},
                                                          {"network", CatalogueKind::Models},
                                                          {"networks", CatalogueKind::Models},
                                                          {"workload", CatalogueKind::Workloads},
                                                          {"workloads", CatalogueKind::Workloads},
                                                          {"calibration", CatalogueKind::Calibrations},
                                                          {"calibrations", CatalogueKind::Calibrations},
                                                          {"provider", CatalogueKind::Providers},
                                                          {"providers", CatalogueKind::Providers},
                                                          {"scenario", CatalogueKind::Services},
                                                          {"scenarios", CatalogueKind::Services},
                                                          {"service", CatalogueKind::Services},
                                                          {"services", CatalogueKind::Services},
                                                          {"overlap", CatalogueKind::Overlaps},
                                                          {"overlaps", CatalogueKind::Overlaps},
                                                          {"engine", CatalogueKind::Engines},
                                                          {"engines", CatalogueKind::Engines},
                                                          {"query", CatalogueKind::Queries},
                                                          {"queries", CatalogueKind::Queries},
                                                          {"market", CatalogueKind::Markets},
                                                          {"markets", CatalogueKind::Markets},
                                                          {"claims", CatalogueKind::Claims},
                                                          {"sweep", CatalogueKind::Sweeps},
                                                          {"sweeps", CatalogueKind::Sweeps}};
  if (const auto found = names.find(word); found != names.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, kind] : names) known.push_back(name);
  const std::string nearest = nearest_name(word, known);
  throw UsageError(fmt::format("unknown kind \"{}\"; expected {}{}", word, kKindHelp,
                               nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

}  // namespace tokenomics::cli
