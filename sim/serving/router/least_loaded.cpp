#include "least_load.hpp"
#include "router.hpp"

namespace tokenomics {
namespace {

class LeastLoaded final : public Router {
 public:
  LeastLoaded(int instances, std::int64_t InstanceLoad::*counted) : loads_(instances), counted_(counted) {}
  int choose(const RoutedRequest&) override { return loads_.least(); }
  void load_changed(int instance, InstanceLoad load) override { loads_.set(instance, load.*counted_); }
  void set_available(int instance, bool available) override { loads_.set_available(instance, available); }

 private:
  LeastLoad loads_;
  std::int64_t InstanceLoad::*counted_;
};

}  // namespace

std::unique_ptr<Router> make_least_loaded(const RouterContext& context) {
  return std::make_unique<LeastLoaded>(context.instances, &InstanceLoad::requests);
}

std::unique_ptr<Router> make_least_tokens(const RouterContext& context) {
  return std::make_unique<LeastLoaded>(context.instances, &InstanceLoad::prompt_tokens);
}

}  // namespace tokenomics
