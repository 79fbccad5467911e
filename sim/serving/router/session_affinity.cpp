#include "../../core/lru_map.hpp"
#include "least_load.hpp"
#include "router.hpp"

namespace tokenomics {
namespace {

/// Sessions stay where they are while their instance is available, however loaded it is. Calls without a session, first
/// calls, and sessions that were forgotten or lost their instance go to the least loaded.
class SessionAffinity final : public Router {
 public:
  explicit SessionAffinity(const RouterContext& context)
      : loads_(context.instances), home_(static_cast<std::size_t>(context.rules.remembered_sessions)) {}

  int choose(const RoutedRequest& request) override {
    const int least = loads_.least();
    if (least == kNobody || request.session < 0) return least;
    int* home = home_.find(request.session);
    if (home == nullptr) {
      home_.add(request.session, least);
      return least;
    }
    if (!loads_.available(*home)) *home = least;
    return *home;
  }
  void load_changed(int instance, InstanceLoad load) override { loads_.set(instance, load.requests); }
  void set_available(int instance, bool available) override { loads_.set_available(instance, available); }

 private:
  LeastLoad loads_;
  LruMap<std::int64_t, int> home_;
};

}  // namespace

std::unique_ptr<Router> make_session_affinity(const RouterContext& context) {
  return std::make_unique<SessionAffinity>(context);
}

}  // namespace tokenomics
