#include "router.hpp"

#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "../core/indexed_heap.hpp"

namespace tokenomics {
namespace {

class RoundRobin final : public Router {
 public:
  explicit RoundRobin(int instances) {
    for (int i = 0; i < instances; ++i) available_.insert(available_.end(), i);
  }
  int choose() override {
    auto chosen = available_.lower_bound(next_);
    if (chosen == available_.end()) chosen = available_.begin();
    next_ = *chosen + 1;
    return *chosen;
  }
  void load_changed(int, std::int64_t) override {}
  void set_available(int instance, bool available) override {
    if (available) available_.insert(instance);
    else available_.erase(instance);
  }

 private:
  std::set<int> available_;
  int next_ = 0;
};

class LeastLoaded final : public Router {
 public:
  explicit LeastLoaded(int instances)
      : keys_(instances, 0), loads_(static_cast<std::size_t>(instances)), available_(loads_.size(), true) {}
  int choose() override { return keys_.top(); }
  void load_changed(int instance, std::int64_t requests) override {
    loads_[static_cast<std::size_t>(instance)] = requests;
    place(instance);
  }
  void set_available(int instance, bool available) override {
    available_[static_cast<std::size_t>(instance)] = available;
    place(instance);
  }

 private:
  void place(int instance) {
    const auto i = static_cast<std::size_t>(instance);
    keys_.update(instance, available_[i] ? loads_[i] : std::numeric_limits<std::int64_t>::max());
  }

  IndexedHeap<std::int64_t> keys_;  ///< those that are not available last
  std::vector<std::int64_t> loads_;
  std::vector<bool> available_;
};

}  // namespace

std::unique_ptr<Router> make_router(RouterPolicy policy, int instances) {
  if (policy == RouterPolicy::LeastLoaded) return std::make_unique<LeastLoaded>(instances);
  return std::make_unique<RoundRobin>(instances);
}

}  // namespace tokenomics
