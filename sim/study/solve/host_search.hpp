#pragma once

#include <map>
#include <memory>
#include <vector>

#include "pricer.hpp"
#include "tokenomics/study/infer.hpp"

namespace tokenomics {

/// How an observation fits a deployment.
enum class Fit { Refuses, TooSlow, TooFast, LateFirstToken, Consistent };

/// One way to deploy.
struct Trial {
  Fit fit = Fit::Refuses;         ///< Refuses: it takes no load at all
  double idle_speed = 0;          ///< tok/s, median, when nearly idle
  double full_speed = 0;          ///< at the highest load that it takes
  InferredDeployment deployment;  ///< at the load that fits; TooFast: at the highest; Refuses, TooSlow: empty
};

/// Puts deployments under the load at which they are as fast as observed. Medians throughout.
class HostSearch {
 public:
  /// All arguments must outlive it.
  HostSearch(const Query& query, const WorkloadSample& workload, const PoolOptions& pools, const ObservedService& observed,
             const InferOptions& options);

  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  /// Of one candidate. Safe from several threads.
  [[nodiscard]] Trial trial(const Candidate& candidate) const;

 private:
  [[nodiscard]] double speed_at(const PoolOption& option, double rate_per_s) const;
  [[nodiscard]] double highest(const PoolOption& option) const;
  [[nodiscard]] double matching_load(const PoolOption& option, double most) const;
  [[nodiscard]] double latest_first_token_s() const;
  [[nodiscard]] Fleet fleet_at(const Candidate& candidate, double decode_load) const;
  [[nodiscard]] InferredDeployment at(const Candidate& candidate, double decode_load, double most) const;

  const Query& query_;
  const ObservedService& observed_;
  const InferOptions& options_;
  UnitEvaluator evaluator_;
  Pricer pricer_;
  std::vector<Candidate> candidates_;
  std::map<const PoolOption*, std::unique_ptr<PrefillTable>> tables_;
};

}  // namespace tokenomics
