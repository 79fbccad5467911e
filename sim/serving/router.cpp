#include "router.hpp"

#include <cstdint>

#include "../core/indexed_heap.hpp"

namespace tokenomics {
namespace {

class RoundRobin final : public Router {
 public:
  explicit RoundRobin(int instances) : instances_(instances) {}
  int choose() override { return static_cast<int>(next_++ % instances_); }
  void load_changed(int, std::int64_t) override {}

 private:
  int instances_;
  std::int64_t next_ = 0;
};

class LeastLoaded final : public Router {
 public:
  explicit LeastLoaded(int instances) : loads_(instances, 0) {}
  int choose() override { return loads_.top(); }
  void load_changed(int instance, std::int64_t requests) override { loads_.update(instance, requests); }

 private:
  IndexedHeap<std::int64_t> loads_;
};

}  // namespace

std::unique_ptr<Router> make_router(RouterPolicy policy, int instances) {
  if (policy == RouterPolicy::LeastLoaded) return std::make_unique<LeastLoaded>(instances);
  return std::make_unique<RoundRobin>(instances);
}

}  // namespace tokenomics
