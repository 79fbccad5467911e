#pragma once

#include <memory>

#include "tokenomics/sim/policies.hpp"

namespace tokenomics {

/// Chooses the instance of a pool for a request. Sees how many requests each holds, never what they will generate.
class Router {
 public:
  virtual ~Router() = default;
  virtual int choose() = 0;
  virtual void load_changed(int instance, std::int64_t requests) = 0;
  /// An instance that is not available is not chosen. All are at the start; choose() needs one that is.
  virtual void set_available(int instance, bool available) = 0;
};

std::unique_ptr<Router> make_router(RouterPolicy policy, int instances);

}  // namespace tokenomics
