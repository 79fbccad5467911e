#include <vector>

#include "available_set.hpp"
#include "router.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

/// Two different available instances at random; the first drawn when both hold as many requests.
class PowerOfTwo final : public Router {
 public:
  explicit PowerOfTwo(const RouterContext& context)
      : available_(context.instances),
        requests_(static_cast<std::size_t>(context.instances), 0),
        random_(context.seed, "router", context.stream) {}

  int choose(const RoutedRequest&) override {
    const int n = available_.count();
    if (n == 0) return kNobody;
    if (n == 1) return available_.at(0);
    const int one = draw(n);
    int other = draw(n - 1);
    if (other >= one) ++other;  // skips `one`: uniform over the rest
    const int a = available_.at(one), b = available_.at(other);
    return requests(b) < requests(a) ? b : a;
  }
  void load_changed(int instance, InstanceLoad load) override {
    requests_[static_cast<std::size_t>(instance)] = load.requests;
  }
  void set_available(int instance, bool available) override { available_.set(instance, available); }

 private:
  int draw(int n) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(n))); }
  [[nodiscard]] std::int64_t requests(int instance) const { return requests_[static_cast<std::size_t>(instance)]; }

  AvailableSet available_;
  std::vector<std::int64_t> requests_;
  RandomStream random_;
};

}  // namespace

std::unique_ptr<Router> make_power_of_two(const RouterContext& context) { return std::make_unique<PowerOfTwo>(context); }

}  // namespace tokenomics
