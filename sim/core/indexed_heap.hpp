#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tokenomics {

/// Min-heap with exactly one entry per slot (an instance): O(log n) to move a slot, O(1) to look at the least.
/// Ties go to the lower slot, so that the order of events never depends on the heap's history.
template <class Key>
class IndexedHeap {
 public:
  IndexedHeap(int slots, Key initial) : key_(static_cast<std::size_t>(slots), initial) {
    for (int slot = 0; slot < slots; ++slot) {
      heap_.push_back(slot);
      place_.push_back(slot);
    }
  }

  [[nodiscard]] int top() const { return heap_.front(); }
  [[nodiscard]] Key top_key() const { return key_[static_cast<std::size_t>(heap_.front())]; }

  void update(int slot, Key key) {
    key_[static_cast<std::size_t>(slot)] = key;
    sift_down(sift_up(place_[static_cast<std::size_t>(slot)]));
  }

 private:
  [[nodiscard]] bool before(int a, int b) const {
    const Key ka = key_[static_cast<std::size_t>(a)], kb = key_[static_cast<std::size_t>(b)];
    return ka < kb || (ka == kb && a < b);
  }
  void swap_places(int i, int j) {
    std::swap(at(i), at(j));
    place_[static_cast<std::size_t>(at(i))] = i;
    place_[static_cast<std::size_t>(at(j))] = j;
  }
  int& at(int i) { return heap_[static_cast<std::size_t>(i)]; }

  int sift_up(int i) {
    while (i > 0 && before(at(i), at((i - 1) / 2))) {
      swap_places(i, (i - 1) / 2);
      i = (i - 1) / 2;
    }
    return i;
  }
  void sift_down(int i) {
    const int n = static_cast<int>(heap_.size());
    for (int child = 2 * i + 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && before(at(child + 1), at(child))) ++child;
      if (!before(at(child), at(i))) return;
      swap_places(i, child);
      i = child;
    }
  }

  std::vector<Key> key_;
  std::vector<int> heap_;
  std::vector<int> place_;
};

}  // namespace tokenomics
