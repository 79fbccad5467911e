#include "available_set.hpp"
#include "router.hpp"

namespace tokenomics {
namespace {

/// The first available instance at or after the one behind the last choice.
class RoundRobin final : public Router {
 public:
  explicit RoundRobin(int instances) : instances_(instances), available_(instances) {}
  int choose(const RoutedRequest&) override {
    if (available_.count() == 0) return kNobody;
    const bool all = available_.count() == instances_;
    const int chosen = all ? next_ : available_.at(available_.rank(next_) % available_.count());
    next_ = (chosen + 1) % instances_;
    return chosen;
  }
  void load_changed(int, InstanceLoad) override {}
  void set_available(int instance, bool available) override { available_.set(instance, available); }

 private:
  int instances_;
  AvailableSet available_;
  int next_ = 0;
};

}  // namespace

std::unique_ptr<Router> make_round_robin(const RouterContext& context) {
  return std::make_unique<RoundRobin>(context.instances);
}

}  // namespace tokenomics
