#include "router.hpp"

#include <array>
#include <utility>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

using Maker = std::unique_ptr<Router> (*)(const RouterContext&);

constexpr std::array<std::pair<RouterPolicy, Maker>, 6> kMakers{{{RouterPolicy::RoundRobin, make_round_robin},
                                                                 {RouterPolicy::LeastLoaded, make_least_loaded},
                                                                 {RouterPolicy::LeastTokens, make_least_tokens},
                                                                 {RouterPolicy::PowerOfTwo, make_power_of_two},
                                                                 {RouterPolicy::SessionAffinity, make_session_affinity},
                                                                 {RouterPolicy::CacheAware, make_cache_aware}}};

}  // namespace

std::unique_ptr<Router> make_router(RouterPolicy policy, const RouterContext& context) {
  for (const auto& [known, make] : kMakers) {
    if (known == policy) return make(context);
  }
  TOKENOMICS_CHECK(false, "a router policy without a maker");
}

}  // namespace tokenomics
