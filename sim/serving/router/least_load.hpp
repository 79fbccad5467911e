#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "../../core/indexed_heap.hpp"
#include "router.hpp"

namespace tokenomics {

/// The available instance with the least of some number; of equals the one with the lowest index. O(log n).
class LeastLoad {
 public:
  explicit LeastLoad(int instances) : heap_(instances, 0), states_(static_cast<std::size_t>(instances)) {}

  [[nodiscard]] int least() const { return heap_.top_key() == kGone ? Router::kNobody : heap_.top(); }
  [[nodiscard]] std::int64_t load(int instance) const { return states_[static_cast<std::size_t>(instance)].load; }
  [[nodiscard]] bool available(int instance) const { return states_[static_cast<std::size_t>(instance)].available; }
  void set(int instance, std::int64_t load) {
    State& state = states_[static_cast<std::size_t>(instance)];
    state.load = load;
    if (state.available) heap_.update(instance, load);
  }
  void set_available(int instance, bool available) {
    State& state = states_[static_cast<std::size_t>(instance)];
    state.available = available;
    heap_.update(instance, available ? state.load : kGone);
  }

 private:
  static constexpr std::int64_t kGone = std::numeric_limits<std::int64_t>::max();
  struct State {
    std::int64_t load = 0;
    bool available = true;
  };
  IndexedHeap<std::int64_t> heap_;
  std::vector<State> states_;
};

}  // namespace tokenomics
