#pragma once

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <unordered_map>
#include <vector>

#include "../../core/window.hpp"
#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/workload/prompt_tree.hpp"

namespace tokenomics {

/// Positions [from, to) of a segment.
struct TokenSpan {
  std::int64_t from = 0;
  std::int64_t to = 0;
  [[nodiscard]] std::int64_t size() const { return to - from; }
  [[nodiscard]] bool holds(std::int64_t position) const { return from <= position && position < to; }
};

/// One place where KV of prompts is kept: of each segment one span. What is evicted first is the end of the segment that
/// was used least recently. A prompt uses all segments on its path, so no segment is ever used less recently than those
/// that branch off it, as long as paths are touched leaf first; hence what is left of a path is always its beginning.
///
/// Pinned segments (running requests read them) stay. Each operation is O(1) but for the entries that it evicts.
class CacheTier {
 public:
  /// Told what leaves for want of room.
  using Evicted = std::function<void(SegmentId, TokenSpan)>;

  /// `tree` must outlive this. Without a capacity the place is unlimited, or its owner calls make_room().
  CacheTier(PromptTree& tree, std::optional<std::int64_t> capacity_tokens, SimTime time_to_live);
  ~CacheTier();
  CacheTier(const CacheTier&) = delete;
  CacheTier& operator=(const CacheTier&) = delete;

  /// Drops what nobody used for the time to live.
  void expire(SimTime now);
  /// What is held of a segment; an empty span when nothing is.
  [[nodiscard]] TokenSpan held(SegmentId segment) const;
  [[nodiscard]] bool pinned(SegmentId segment) const;

  /// Adds a span to what is held of a segment. Spans that touch are joined; of two that do not the new one stays.
  /// Returns by how many tokens more are held. Counts as a use.
  std::int64_t store(SegmentId segment, TokenSpan span, SimTime now, const Evicted& evicted);
  /// A use; nothing where the segment is not held.
  void touch(SegmentId segment, SimTime now);
  /// Uses since the segment came, its coming included.
  [[nodiscard]] std::uint32_t uses(SegmentId segment) const;
  void pin(SegmentId segment);
  void unpin(SegmentId segment, SimTime now);
  /// Evicts at least `tokens`, or all that is not pinned; cuts are at multiples of `block` tokens.
  void make_room(std::int64_t tokens, std::int64_t block, const Evicted& evicted);

  /// Everything goes, pinned or not.
  void clear();
  /// Tokens held times seconds since the last call, inside the window.
  double sample(SimTime now, const Window& window);

  [[nodiscard]] std::int64_t tokens() const { return tokens_; }
  [[nodiscard]] std::int64_t evictable() const { return evictable_; }
  [[nodiscard]] std::size_t segments() const { return where_.size(); }
  /// Since the beginning.
  [[nodiscard]] std::int64_t written() const { return written_; }
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }

 private:
  using Place = std::uint32_t;
  static constexpr Place kNowhere = 0xffffffffU;
  struct Entry {
    SegmentId segment = kNoSegment;
    TokenSpan span;
    SimTime used = 0;
    std::uint32_t pins = 0, uses = 0;
    Place older = kNowhere, newer = kNowhere;
  };

  Entry& enter(SegmentId segment);
  void link_newest(Place place);
  void unlink(Place place);
  void erase(Place place);
  [[nodiscard]] Place place_of(SegmentId segment) const;

  PromptTree& tree_;
  std::optional<std::int64_t> capacity_;
  SimTime time_to_live_;
  std::pmr::unsynchronized_pool_resource memory_;  // nodes of forgotten segments are used again
  std::pmr::unordered_map<SegmentId, Place> where_{&memory_};
  std::vector<Entry> entries_;
  std::vector<Place> free_;
  Place oldest_ = kNowhere, newest_ = kNowhere;
  SimTime sampled_ = 0;
  std::int64_t tokens_ = 0, evictable_ = 0, written_ = 0, dropped_ = 0;
};

}  // namespace tokenomics
