#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/sim/admission.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// Full at first.
class TokenBucket {
 public:
  explicit TokenBucket(const TokenBucketRule& rule) : rule_(rule), level_(rule.burst) {}
  /// Takes `amount` out if it is there.
  bool take(double amount, SimTime now);
  [[nodiscard]] bool full(SimTime now) const { return level_at(now) >= rule_.burst; }
  [[nodiscard]] const TokenBucketRule& rule() const { return rule_; }

 private:
  [[nodiscard]] double level_at(SimTime now) const;
  TokenBucketRule rule_;
  double level_;
  SimTime filled_ = 0;
};

/// What the service sees of itself at an arrival; instances as of the last change of their batch.
struct ServiceLoad {
  double waiting_requests_per_instance = 0;  ///< entry pool
  double waiting_prompt_tokens = 0;          ///< entry pool, all instances
  double kv_share = 0;                       ///< decoding pool
};

/// Prompt tokens per second of an instance whose steps hold nothing but prompts, each rank a whole one that fills its
/// share of the budget. An upper bound where decodes share the steps.
double full_prompt_tok_s(const PoolConfig& pool);

/// Applies the rules to one arrival after the other. Sheds first: a bucket pays only for what is let in.
class Admission {
 public:
  /// `entry`: the pool that computes prompts. Both must outlive this.
  Admission(const AdmissionRules& rules, const PoolConfig& entry);
  [[nodiscard]] bool active() const { return rules_.shed.any() || rules_.default_bucket || !rules_.tenants.empty(); }
  bool admits(const Request& request, const ServiceLoad& load, SimTime now);

 private:
  [[nodiscard]] bool sheds(std::int32_t priority, const ServiceLoad& load) const;
  TokenBucket* bucket_of(std::int32_t tenant, SimTime now);

  const AdmissionRules& rules_;
  double prompt_tok_s_ = 0;  ///< of the entry pool; known where a rule needs it
  std::unordered_map<std::int32_t, TokenBucket> named_;
  std::unordered_map<std::int32_t, TokenBucket> others_;  ///< full ones are as good as new and are dropped
  std::size_t sweep_at_ = 1024;
};

}  // namespace tokenomics
