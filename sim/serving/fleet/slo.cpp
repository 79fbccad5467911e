#include <algorithm>
#include <optional>

#include "policies.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {
namespace {

class SloPolicy final : public ScalingPolicy {
 public:
  explicit SloPolicy(const SloTarget& rule) : rule_(rule) {}

  int desired(const PoolSignals& s) const override {
    std::optional<double> tpot_s;
    if (rule_.interactivity_tok_s_user) tpot_s = 1 / *rule_.interactivity_tok_s_user;
    const double pressure = std::max(of_bound(s.ttft_s, rule_.ttft_s, s.waiting), of_bound(s.tpot_s, tpot_s, 0));
    if (pressure > 1) return raised(s, pressure);
    return pressure < rule_.calm_share ? lowered(s) : s.on + s.starting;
  }

 private:
  /// The percentile over its bound. Where nobody got a first token but somebody waits for one, the bound is far away.
  [[nodiscard]] double of_bound(const std::vector<double>& values, const std::optional<double>& bound,
                                std::int64_t waiting) const {
    constexpr double kStuck = 2;
    if (!bound) return 0;
    if (values.empty()) return waiting > 0 ? kStuck : 0;
    return quantile_of(values, rule_.percentile / 100) / *bound;
  }

  SloTarget rule_;
};

}  // namespace

std::unique_ptr<ScalingPolicy> slo_policy(const SloTarget& rule) { return std::make_unique<SloPolicy>(rule); }

}  // namespace tokenomics
