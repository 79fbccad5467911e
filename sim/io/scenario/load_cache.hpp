#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "document.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

/// Values that were read and found sound, by key. Safe to use from several threads. A sweep over random numbers makes new
/// keys for ever: when it is full, everything is dropped and what is still used is read again.
template <typename Value>
class BoundedCache {
 public:
  static constexpr std::size_t kMost = 4096;

  [[nodiscard]] std::shared_ptr<const Value> find(const std::string& key) const {
    const std::shared_lock lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : found->second;
  }

  void put(const std::string& key, std::shared_ptr<const Value> value) {
    Values dropped;  // freed after the lock is given back
    const std::unique_lock lock(mutex_);
    if (values_.size() >= kMost) dropped.swap(values_);
    values_.insert_or_assign(key, std::move(value));
  }

  [[nodiscard]] std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return values_.size();
  }

 private:
  using Values = std::unordered_map<std::string, std::shared_ptr<const Value>>;
  mutable std::shared_mutex mutex_;
  Values values_;
};

/// What a catalogue remembers of what was read through it. Failures are not kept: they are found and told again each time.
struct LoadCache {
  BoundedCache<std::string> paths;                            ///< of names, by kind
  BoundedCache<Document> documents;                           ///< by path
  BoundedCache<Document> parts;                               ///< by schema and path: the schema has accepted them
  BoundedCache<std::optional<std::string>> best_calibration;  ///< by GPU, architecture and engine
  // Typed parts by reference, which may carry overrides, and by the folder that it is relative to.
  BoundedCache<Network> networks;
  BoundedCache<Gpu> gpus;
  BoundedCache<Calibration> calibrations;
  BoundedCache<OverlapSchedule> overlaps;
  BoundedCache<WorkloadSpec> workloads;
};
LoadCache& load_cache(const Catalogue& catalogue);

/// The file parsed; from the cache when it has been read before without a problem. Throws IoError.
std::shared_ptr<const Document> cached_document(const std::string& path, const Catalogue& catalogue);

/// The same for a file that must parse: throws ScenarioError with its problems.
std::shared_ptr<const Document> sound_document(const std::string& path, const Catalogue& catalogue);

}  // namespace tokenomics
