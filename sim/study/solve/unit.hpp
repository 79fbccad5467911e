#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "pool_options.hpp"
#include "tokenomics/market/operating_point.hpp"
#include "tokenomics/study/steady_state.hpp"

namespace tokenomics {

/// What the constraints of a query are judged by at one load of one instance.
struct UnitPoint {
  LoadLimit refused = LoadLimit::None;
  DecodeState decode;
  double ttft_s = 0, ttft_mean_s = 0;  ///< prefill only in prefill pools; at the percentile asked for
  double speed = 0, speed_mean = 0;    ///< tok/s/user; infinite where no answer has a second token
  double busy = 0;
};

/// The percentiles and bounds of a query; no bound: nothing is asked.
struct Bounds {
  double ttft_p = 0.9, ttft_max_s = 0;
  double speed_p = 0.9, speed_min = 0;
  bool has_ttft = false, has_speed = false;
};
Bounds bounds_of(const SloSpec& slo);

/// Evaluates pools of one query at one context limit. Holds no state.
class UnitEvaluator {
 public:
  UnitEvaluator(const WorkloadSample& workload, const Bounds& bounds) : workload_(workload), bounds_(bounds) {}

  [[nodiscard]] const WorkloadSample& workload() const { return workload_; }
  [[nodiscard]] const Bounds& bounds() const { return bounds_; }

  /// Batch and speed only: cheap. `ttft_s` stays 0.
  [[nodiscard]] UnitPoint decode(const PoolOption& option, double rate_per_s) const;
  /// First tokens too.
  [[nodiscard]] UnitPoint whole(const PoolOption& option, double rate_per_s) const;
  /// First tokens of a prefill pool.
  [[nodiscard]] UnitPoint prefill(const PoolOption& option, double rate_per_s) const;

  [[nodiscard]] bool is_fast_enough(const UnitPoint& point) const {
    return point.refused == LoadLimit::None && (!bounds_.has_speed || point.speed >= bounds_.speed_min);
  }
  [[nodiscard]] bool is_soon_enough(double ttft_s) const { return !bounds_.has_ttft || ttft_s <= bounds_.ttft_max_s; }

  /// Highest load (see load_search.hpp) that the batch and the speed allow; that all bounds allow.
  [[nodiscard]] int highest_fast(const PoolOption& option) const;
  [[nodiscard]] int highest_good(const PoolOption& option) const;

 private:
  void add_first_tokens(const PoolOption& option, double rate_per_s, UnitPoint& point) const;

  const WorkloadSample& workload_;
  Bounds bounds_;
};

/// First tokens of a prefill pool at loads of the grid, each computed once. Safe from several threads.
class PrefillTable {
 public:
  PrefillTable(const UnitEvaluator& evaluator, const PoolOption& option) : evaluator_(evaluator), option_(option) {}
  const UnitPoint& at(int k);

 private:
  const UnitEvaluator& evaluator_;
  const PoolOption& option_;
  std::mutex mutex_;
  std::map<int, UnitPoint> points_;
};

}  // namespace tokenomics
