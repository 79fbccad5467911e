#include "admission.hpp"

#include <algorithm>

#include "tokenomics/base/error.hpp"
#include "tokenomics/sim/prompt_packer.hpp"

namespace tokenomics {

double TokenBucket::level_at(SimTime now) const {
  return std::min(rule_.burst, level_ + rule_.rate_per_s * to_seconds(now - filled_).value());
}

bool TokenBucket::take(double amount, SimTime now) {
  level_ = level_at(now);
  filled_ = now;
  if (amount > level_) return false;
  level_ -= amount;
  return true;
}

double full_prompt_tok_s(const PoolConfig& pool) {
  const std::int64_t per_rank = std::max<std::int64_t>(1, pool.batching.max_tokens_per_step / pool.ranks);
  PromptPacker packer(pool);
  packer.begin(0);
  std::int64_t tokens = 0;
  for (int rank = 0; rank < pool.ranks; ++rank) tokens += packer.add(0, per_rank);
  return static_cast<double>(tokens) / pool.timer->step({}, packer.load(pool.ranks)).value();
}

Admission::Admission(const AdmissionRules& rules, const PoolConfig& entry) : rules_(rules) {
  if (rules.shed.wait_s) prompt_tok_s_ = entry.instances * full_prompt_tok_s(entry);
  TOKENOMICS_CHECK(rules.shed.class_factor > 0 && rules.shed.class_factor <= 1, "class factor beyond (0, 1]");
  for (const TenantBucket& one : rules.tenants) named_.emplace(one.tenant, TokenBucket(one.bucket));
  TOKENOMICS_CHECK(named_.size() == rules.tenants.size(), "a tenant has two buckets");
}

bool Admission::admits(const Request& request, const ServiceLoad& load, SimTime now) {
  if (sheds(request.priority, load)) return false;
  TokenBucket* bucket = bucket_of(request.tenant, now);
  if (bucket == nullptr) return true;
  return bucket->take(bucket->rule().unit == BucketUnit::Requests ? 1.0 : static_cast<double>(request.input_tokens), now);
}

bool Admission::sheds(std::int32_t priority, const ServiceLoad& load) const {
  const SheddingRules& shed = rules_.shed;
  double factor = 1;
  for (std::int32_t c = 0; c < priority && factor > 0; ++c) factor *= shed.class_factor;
  return (shed.wait_s && load.waiting_prompt_tokens > factor * *shed.wait_s * prompt_tok_s_) ||
         (shed.waiting_requests_per_instance &&
          load.waiting_requests_per_instance > factor * *shed.waiting_requests_per_instance) ||
         (shed.kv_share && load.kv_share > factor * *shed.kv_share);
}

TokenBucket* Admission::bucket_of(std::int32_t tenant, SimTime now) {
  if (const auto named = named_.find(tenant); named != named_.end()) return &named->second;
  if (!rules_.default_bucket) return nullptr;
  if (others_.size() >= sweep_at_) {
    std::erase_if(others_, [now](const auto& one) { return one.second.full(now); });
    sweep_at_ = std::max<std::size_t>(1024, 2 * others_.size());
  }
  return &others_.try_emplace(tenant, *rules_.default_bucket).first->second;
}

}  // namespace tokenomics
