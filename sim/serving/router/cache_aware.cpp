#include "least_load.hpp"
#include "prefix_index.hpp"
#include "router.hpp"

namespace tokenomics {
namespace {

/// As SGLang's router decides: while loads are even, the instance that was sent most of the prompt before, if that is a
/// large enough share of it; otherwise the least loaded. Whatever is chosen is remembered.
class CacheAware final : public Router {
 public:
  explicit CacheAware(const RouterContext& context)
      : rules_(context.rules.cache_aware),
        least_(context.instances),
        most_(context.instances),
        index_(context.prompts, context.instances, static_cast<std::size_t>(rules_.remembered_segments)) {}

  int choose(const RoutedRequest& request) override {
    const int least = least_.least();
    if (least == kNobody) return kNobody;
    const int chosen = uneven() ? least : followed(request, least);
    index_.remember(request, chosen);
    return chosen;
  }
  void load_changed(int instance, InstanceLoad load) override {
    least_.set(instance, load.requests);
    most_.set(instance, -load.requests);
  }
  void set_available(int instance, bool available) override {
    least_.set_available(instance, available);
    most_.set_available(instance, available);
    if (!available) index_.forget_instance(instance);
  }

 private:
  [[nodiscard]] bool uneven() const {
    const std::int64_t least = least_.load(least_.least()), most = -most_.load(most_.least());
    return most - least > rules_.balance_abs_requests &&
           static_cast<double>(most) > rules_.balance_rel * static_cast<double>(least);
  }
  [[nodiscard]] int followed(const RoutedRequest& request, int otherwise) {
    const auto match = index_.match(request, rules_.min_match * static_cast<double>(request.prompt_tokens));
    return match.instance == kNobody ? otherwise : match.instance;
  }

  CacheAwareRules rules_;
  LeastLoad least_;
  LeastLoad most_;  ///< of loads with the sign turned
  PrefixIndex index_;
};

}  // namespace

std::unique_ptr<Router> make_cache_aware(const RouterContext& context) { return std::make_unique<CacheAware>(context); }

}  // namespace tokenomics
