#include "unit.hpp"

#include <cmath>
#include <limits>

#include "load_search.hpp"

namespace tokenomics {

Bounds bounds_of(const SloSpec& slo) {
  Bounds bounds;
  if (slo.ttft_s) {
    bounds.has_ttft = true;
    bounds.ttft_p = slo.ttft_s->percentile / 100;
    bounds.ttft_max_s = slo.ttft_s->value;
  }
  if (slo.interactivity_tok_s_user) {
    bounds.has_speed = true;
    bounds.speed_p = slo.interactivity_tok_s_user->percentile / 100;
    bounds.speed_min = slo.interactivity_tok_s_user->value;
  }
  return bounds;
}

UnitPoint UnitEvaluator::decode(const PoolOption& option, double rate_per_s) const {
  UnitPoint point;
  point.decode = decode_state(option.config, workload_, rate_per_s);
  point.refused = point.decode.refused;
  point.speed = point.speed_mean = std::numeric_limits<double>::infinity();
  point.busy = -std::expm1(-point.decode.sequences);
  if (point.decode.tpot_s <= 0 || point.refused != LoadLimit::None) return point;
  point.speed_mean = 1 / point.decode.tpot_s;
  point.speed = 1 / tpot_quantile_s(option.config, workload_, rate_per_s, point.decode, bounds_.speed_p);
  return point;
}

void UnitEvaluator::add_first_tokens(const PoolOption& option, double rate_per_s, UnitPoint& point) const {
  const bool decodes = option.config.role == PoolRole::Mixed;
  const FirstTokens first = first_tokens(option.config, workload_, rate_per_s, decodes ? &point.decode : nullptr);
  if (first.saturated) point.refused = LoadLimit::Compute;
  point.ttft_s = first.quantile_s(bounds_.ttft_p);
  point.ttft_mean_s = first.mean_s;
  point.busy = std::max(point.busy, first.busy_share);
}

UnitPoint UnitEvaluator::whole(const PoolOption& option, double rate_per_s) const {
  UnitPoint point = decode(option, rate_per_s);
  if (point.refused == LoadLimit::None) add_first_tokens(option, rate_per_s, point);
  return point;
}

UnitPoint UnitEvaluator::prefill(const PoolOption& option, double rate_per_s) const {
  UnitPoint point;
  add_first_tokens(option, rate_per_s, point);
  return point;
}

int UnitEvaluator::highest_fast(const PoolOption& option) const {
  return highest_load([&](int k) { return is_fast_enough(decode(option, load_at(k))); });
}

int UnitEvaluator::highest_good(const PoolOption& option) const {
  return highest_load([&](int k) {
    UnitPoint point = decode(option, load_at(k));
    if (!is_fast_enough(point)) return false;
    add_first_tokens(option, load_at(k), point);
    return point.refused == LoadLimit::None && is_soon_enough(point.ttft_s);
  });
}

const UnitPoint& PrefillTable::at(int k) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = points_.find(k);
  if (found != points_.end()) return found->second;
  return points_.emplace(k, evaluator_.prefill(option_, load_at(k))).first->second;
}

}  // namespace tokenomics
