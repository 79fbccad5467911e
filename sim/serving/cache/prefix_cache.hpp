#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../../core/sequence.hpp"
#include "../../core/window.hpp"
#include "cache_tier.hpp"
#include "tokenomics/sim/prefix_cache.hpp"
#include "tokenomics/workload/request.hpp"

namespace tokenomics {

/// Tiers that all instances of a pool share, in the order of the configuration; null where each has its own.
using SharedTiers = std::vector<std::unique_ptr<CacheTier>>;
SharedTiers make_shared_tiers(const PrefixCacheConfig& config, PromptTree& tree);

/// The prefix cache of one instance: its HBM, then tiers below. What is held of a prompt is always a beginning of it, in
/// HBM and over all tiers together.
///
/// Running requests hold what they share with the cache pinned, so that it is counted once however many read it; what is
/// their own the instance counts. tokens() + the instance's own is what HBM holds.
class PrefixCache {
 public:
  /// `ranks`: data-parallel ranks of the instance: each has a link to the lower tiers.
  PrefixCache(const PrefixCacheConfig& config, PromptTree& tree, const SharedTiers& shared, int ranks, const Window& window,
              CacheResult& result);

  /// What HBM holds of a prompt now: whole blocks, and at least one token is left to compute. `unpinned` is what stops
  /// being evictable when it is taken.
  struct Found {
    std::int64_t tokens = 0;
    std::int64_t unpinned = 0;
  };
  [[nodiscard]] Found find(const Request& request, SimTime now);

  /// Starts to load what lower tiers hold beyond HBM: positions [from, to) are there at `ready`; empty: nothing to load.
  CacheLoad load(const Request& request, SimTime now);
  /// Whether a load would give more than is there already, what was `loaded` for the request included.
  [[nodiscard]] bool finds_more(const Request& request, const CacheLoad& loaded, SimTime now);

  /// What a request need not compute if it is scheduled now: HBM's part and what was loaded for it.
  [[nodiscard]] std::int64_t reusable(const Request& request, const CacheLoad& loaded, SimTime now);
  /// A request is scheduled: pins what HBM holds and brings what was loaded for it, if that still fits on. Returns the
  /// tokens that need not be computed, which are pinned until give_back(). The caller has made room.
  std::int64_t take(const Request& request, const CacheLoad& loaded, SimTime now);
  /// Its prompt is computed up to `to`: whole blocks can be shared from now on. `pinned` is what it has pinned so far;
  /// returns what it has pinned then.
  std::int64_t publish(const Request& request, std::int64_t pinned, std::int64_t to, SimTime now);
  /// It leaves with `pinned` tokens pinned. Of its prompt and answer the first `kept` tokens stay as long as there is room.
  void give_back(const Request& request, std::int64_t pinned, std::int64_t kept, SimTime now);

  /// Evicts at least so many tokens from HBM, or all that is not pinned.
  void make_room(std::int64_t tokens, SimTime now);
  [[nodiscard]] std::int64_t tokens() const { return hbm_.tokens(); }
  [[nodiscard]] std::int64_t evictable() const { return hbm_.evictable(); }
  /// Counts what is held up to `now`.
  void sample(SimTime now);
  /// HBM and the instance's own tiers lose all they hold, whoever reads it; shared tiers lose nothing.
  void lose();

 private:
  struct Part {
    SegmentId segment;
    std::int64_t from, to;
  };
  struct Below {
    const CacheTierConfig* config;
    std::unique_ptr<CacheTier> own;
    CacheTier* tier;
    std::vector<SimTime> links_free;  ///< one link a data-parallel rank
  };

  void walk(const Request& request, std::int64_t to);
  [[nodiscard]] std::int64_t whole_blocks(std::int64_t tokens) const {
    return tokens / config_.block_tokens * config_.block_tokens;
  }
  [[nodiscard]] std::int64_t most_reusable(const Request& request) const { return whole_blocks(request.input_tokens - 1); }
  void expire(SimTime now);
  void store(std::size_t place, SegmentId segment, TokenSpan span, SimTime now);
  std::int64_t cover_over_tiers();
  void copy_down(SimTime now);
  void evicted(std::size_t place, SegmentId segment, TokenSpan span);
  [[nodiscard]] CacheTier& tier(std::size_t place) { return place == 0 ? hbm_ : *below_[place - 1].tier; }

  const PrefixCacheConfig& config_;
  PromptTree& tree_;
  const Window& window_;
  CacheResult& result_;
  CacheTier hbm_;
  std::vector<Below> below_;
  std::vector<CacheTier::Evicted> on_evicted_;
  std::vector<Part> path_;             ///< of the prompt that is looked at: root first
  std::vector<std::int64_t> loading_;  ///< scratch of load()
  SimTime now_ = 0;
};

}  // namespace tokenomics
