#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace tokenomics {

/// A hash map of at most `capacity` entries that forgets the least recently used. O(1); grows up to its capacity and
/// allocates nothing from then on. Keys are integers.
template <class Key, class Value>
class LruMap {
 public:
  explicit LruMap(std::size_t capacity) : capacity_(capacity), buckets_(kFirstBuckets, kNone) {}

  /// The value of `key`, or null; it stays as old as it is.
  [[nodiscard]] Value* peek(Key key) {
    for (std::uint32_t i = buckets_[bucket_of(key)]; i != kNone; i = nodes_[i].chain) {
      if (nodes_[i].key == key) return &nodes_[i].value;
    }
    return nullptr;
  }
  /// The same, and it becomes the most recently used.
  [[nodiscard]] Value* find(Key key) {
    for (std::uint32_t i = buckets_[bucket_of(key)]; i != kNone; i = nodes_[i].chain) {
      if (nodes_[i].key != key) continue;
      unlink(i);
      link_newest(i);
      return &nodes_[i].value;
    }
    return nullptr;
  }
  /// Adds a key that is not there, as the most recently used. Returns the entry that had to go for it.
  std::optional<std::pair<Key, Value>> add(Key key, Value value) {
    std::optional<std::pair<Key, Value>> forgotten;
    auto i = static_cast<std::uint32_t>(nodes_.size());
    if (nodes_.size() == capacity_) {
      i = oldest_;
      forgotten.emplace(nodes_[i].key, std::move(nodes_[i].value));
      unlink(i);
      unchain(i);
    } else {
      nodes_.emplace_back();
    }
    nodes_[i].key = key;
    nodes_[i].value = std::move(value);
    if (nodes_.size() > buckets_.size()) rehash();
    else chain(i);
    link_newest(i);
    return forgotten;
  }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// From the oldest on.
  void for_each(const std::function<void(Key, Value&)>& visit) {
    for (std::uint32_t i = oldest_; i != kNone; i = nodes_[i].newer) visit(nodes_[i].key, nodes_[i].value);
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  static constexpr std::size_t kFirstBuckets = 16;
  struct Node {
    Key key{};
    Value value{};
    std::uint32_t chain = kNone, newer = kNone, older = kNone;
  };

  /// Multiplicative hashing: the high bits of key * 2^64 / golden ratio.
  [[nodiscard]] std::size_t bucket_of(Key key) const {
    const std::uint64_t mixed = static_cast<std::uint64_t>(key) * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed >> 32) & (buckets_.size() - 1);
  }
  void chain(std::uint32_t i) {
    std::uint32_t& head = buckets_[bucket_of(nodes_[i].key)];
    nodes_[i].chain = head;
    head = i;
  }
  void unchain(std::uint32_t i) {
    std::uint32_t* at = &buckets_[bucket_of(nodes_[i].key)];
    while (*at != i) at = &nodes_[*at].chain;
    *at = nodes_[i].chain;
  }
  void rehash() {
    buckets_.assign(2 * buckets_.size(), kNone);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) chain(i);
  }
  void link_newest(std::uint32_t i) {
    nodes_[i].newer = kNone;
    nodes_[i].older = newest_;
    (newest_ == kNone ? oldest_ : nodes_[newest_].newer) = i;
    newest_ = i;
  }
  void unlink(std::uint32_t i) {
    const std::uint32_t newer = nodes_[i].newer, older = nodes_[i].older;
    (newer == kNone ? newest_ : nodes_[newer].older) = older;
    (older == kNone ? oldest_ : nodes_[older].newer) = newer;
  }

  std::size_t capacity_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> buckets_;
  std::uint32_t newest_ = kNone, oldest_ = kNone;
};

}  // namespace tokenomics
