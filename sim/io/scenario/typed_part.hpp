#pragma once

#include <memory>
#include <optional>
#include <string>

#include "load_cache.hpp"
#include "resolve.hpp"

namespace tokenomics {

/// What a reference means depends on nothing else: its bytes, and the folder where its relative paths start.
std::string part_key(const nlohmann::json& reference, const Reporter& report);

/// resolve() and `read` in one, remembered. Null when the part could not be resolved. What was read with a problem is not
/// kept, and after a first problem nothing is taken from the cache: then each part is read in full and all of its problems
/// are told.
template <typename Value, typename Read>
std::shared_ptr<const Value> typed_part(const Catalogue& catalogue, const PartKind& kind, const nlohmann::json& reference,
                                        const Reporter& report, BoundedCache<Value> LoadCache::*cache, Read read) {
  const bool was_clean = report.problems().empty();
  const std::string key = was_clean ? part_key(reference, report) : "";
  BoundedCache<Value>& known = load_cache(catalogue).*cache;
  if (was_clean) {
    if (auto value = known.find(key)) return value;
  }
  const auto part = resolve(catalogue, kind, reference, report);
  if (!part) return nullptr;
  auto value = std::make_shared<const Value>(read(*part));
  if (was_clean && report.problems().empty()) known.put(key, value);
  return value;
}

// The parts that scenarios and queries are made of.
std::shared_ptr<const Network> typed_network(const nlohmann::json& reference, const Reporter& report,
                                             const Catalogue& catalogue);
std::shared_ptr<const Gpu> typed_gpu(const nlohmann::json& reference, const Reporter& report, const Catalogue& catalogue);
std::shared_ptr<const Calibration> typed_calibration(const nlohmann::json& reference, const Reporter& report,
                                                     const Catalogue& catalogue);
std::shared_ptr<const OverlapSchedule> typed_overlap(const nlohmann::json& reference, const Reporter& report,
                                                     const Catalogue& catalogue);
std::shared_ptr<const WorkloadSpec> typed_workload(const nlohmann::json& reference, const Reporter& report,
                                                   const Catalogue& catalogue);

}  // namespace tokenomics
