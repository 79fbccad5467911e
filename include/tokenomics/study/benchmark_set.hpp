#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/study/benchmark.hpp"

namespace tokenomics {

/// Points that are predicted together: step timers and runs that are the same are made once.
class BenchmarkSet {
 public:
  BenchmarkSet(std::vector<BenchmarkPoint> points, BenchmarkRules rules);

  [[nodiscard]] const std::vector<BenchmarkPoint>& points() const { return points_; }
  [[nodiscard]] const BenchmarkRules& rules() const { return rules_; }
  /// Equal for points that have the same prediction under the same calibration.
  [[nodiscard]] const std::string& signature(std::size_t point) const { return signatures_[point]; }

  /// One question: predict point `point` under a calibration.
  struct Task {
    std::size_t point = 0;
    const Calibration* calibration = nullptr;
  };
  struct Answer {
    std::optional<Prediction> prediction;
    std::string reason;  ///< why there is none
  };
  /// Answers in order of the tasks, whatever `jobs`. `progress` is told the share of runs that are done, from any thread.
  [[nodiscard]] std::vector<Answer> predict(const std::vector<Task>& tasks, unsigned jobs,
                                            const std::function<void(double)>& progress = {}) const;

 private:
  std::vector<BenchmarkPoint> points_;
  std::vector<std::string> signatures_;  ///< the same: the same prediction
  BenchmarkRules rules_;
};

}  // namespace tokenomics
