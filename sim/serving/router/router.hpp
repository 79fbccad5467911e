#pragma once

#include <cstdint>
#include <memory>

#include "tokenomics/sim/policies.hpp"
#include "tokenomics/workload/prompt_tree.hpp"

namespace tokenomics {

/// What a router sees of a request: nothing of its answer.
struct RoutedRequest {
  std::int64_t prompt_tokens = 0;
  std::int64_t session = -1;
  SegmentId segment = kNoSegment;
};

/// What a router sees of an instance: the requests it sent there that have not left, and their prompt tokens.
struct InstanceLoad {
  std::int64_t requests = 0;
  std::int64_t prompt_tokens = 0;
};

/// Chooses the instance of a pool for a request. All instances are available at first and hold nothing.
class Router {
 public:
  static constexpr int kNobody = -1;

  virtual ~Router() = default;
  /// An available instance, or kNobody when there is none.
  virtual int choose(const RoutedRequest& request) = 0;
  virtual void load_changed(int instance, InstanceLoad load) = 0;
  /// An instance that is not available gets no requests; what a policy remembers of its cache is void from then on.
  virtual void set_available(int instance, bool available) = 0;
};

struct RouterContext {
  int instances = 1;
  RouterRules rules;
  std::uint64_t seed = 1;  ///< of the stream "router"
  std::uint64_t stream = 0;
  PromptTree* prompts = nullptr;  ///< of the requests' segments; null: they have none
};

std::unique_ptr<Router> make_router(RouterPolicy policy, const RouterContext& context);

// One file each.
std::unique_ptr<Router> make_round_robin(const RouterContext& context);
std::unique_ptr<Router> make_least_loaded(const RouterContext& context);
std::unique_ptr<Router> make_least_tokens(const RouterContext& context);
std::unique_ptr<Router> make_power_of_two(const RouterContext& context);
std::unique_ptr<Router> make_session_affinity(const RouterContext& context);
std::unique_ptr<Router> make_cache_aware(const RouterContext& context);

}  // namespace tokenomics
