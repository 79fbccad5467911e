#pragma once

#include <cstddef>
#include <vector>

namespace tokenomics {

/// Which of n instances are available, in order of their index: a Fenwick tree of counts (Fenwick, Software: Practice and
/// Experience 24(3), 1994). Each operation is O(log n).
class AvailableSet {
 public:
  explicit AvailableSet(int n) : member_(static_cast<std::size_t>(n), 0), tree_(static_cast<std::size_t>(n) + 1, 0) {
    while (top_ * 2 <= static_cast<std::size_t>(n)) top_ *= 2;
    for (int i = 0; i < n; ++i) set(i, true);
  }

  void set(int instance, bool available) {
    const auto at = static_cast<std::size_t>(instance);
    if ((member_[at] != 0) == available) return;
    member_[at] = available ? 1 : 0;
    count_ += available ? 1 : -1;
    for (std::size_t i = at + 1; i < tree_.size(); i += i & (~i + 1)) tree_[i] += available ? 1 : -1;
  }
  [[nodiscard]] bool contains(int instance) const { return member_[static_cast<std::size_t>(instance)] != 0; }
  [[nodiscard]] int count() const { return count_; }
  /// How many lie below `instance`.
  [[nodiscard]] int rank(int instance) const {
    int below = 0;
    for (auto i = static_cast<std::size_t>(instance); i > 0; i -= i & (~i + 1)) below += tree_[i];
    return below;
  }
  /// The k-th one, from 0; k < count().
  [[nodiscard]] int at(int k) const {
    std::size_t place = 0;
    for (std::size_t jump = top_; jump > 0; jump /= 2) {
      if (place + jump >= tree_.size() || tree_[place + jump] > k) continue;
      place += jump;
      k -= tree_[place];
    }
    return static_cast<int>(place);
  }

 private:
  std::vector<char> member_;
  std::vector<int> tree_;
  std::size_t top_ = 1;  ///< highest power of two up to n
  int count_ = 0;
};

}  // namespace tokenomics
