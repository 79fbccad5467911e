#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// When a tier gets a copy of what the tier above it holds.
enum class CacheWrite {
  Through,    ///< as soon as it is computed
  Selective,  ///< when it has been found for the second time (SGLang HiCache's write_through_selective)
  Back,       ///< when the tier above evicts it
};

/// A place for KV outside the GPUs: host memory, a disk, a store on other machines.
struct CacheTierConfig {
  std::string name;
  std::optional<std::int64_t> capacity_tokens;  ///< absent: unlimited. Of one instance, or of all when shared
  bool shared = false;                          ///< one store for all instances of the pool
  Seconds latency{0};                           ///< of a load
  Seconds per_token{0};                         ///< loading time over the instance's link to it; loads wait for each other
  CacheWrite write = CacheWrite::Through;
  SimTime time_to_live = kNever;  ///< since the last use
};

/// Reuse of the KV of prompts that begin alike, in whole blocks. Eviction: least recently used, ends of prompts first.
struct PrefixCacheConfig {
  std::int64_t block_tokens = 64;
  bool in_hbm = true;             ///< keep ended requests' KV in free HBM; running requests always come first
  SimTime time_to_live = kNever;  ///< in HBM, since the last use
  std::vector<CacheTierConfig> tiers;
};

/// What a pool's prefix caches did inside the measured window, in tokens.
struct CacheResult {
  double looked_up = 0;     ///< of prompts when they were scheduled
  double found_in_hbm = 0;  ///< of them
  double found_below = 0;   ///< of them, loaded from lower tiers
  double loads = 0;         ///< requests that waited for lower tiers
  double load_s = 0;        ///< for which they waited, summed
  // By place: HBM first, then the tiers.
  std::vector<double> loaded;        ///< into HBM
  std::vector<double> written;       ///< new to the place
  std::vector<double> evicted;       ///< for want of room
  std::vector<double> held_token_s;  ///< integral of the tokens held over time

  void merge(const CacheResult& other);
};

}  // namespace tokenomics
