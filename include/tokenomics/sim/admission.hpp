#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tokenomics {

/// What a token bucket counts of a request.
enum class BucketUnit { Requests, PromptTokens };

/// Lets through at most `burst` + `rate_per_s` * t in any t seconds (ITU-T I.371, generic cell rate algorithm). A request
/// larger than the burst never passes.
struct TokenBucketRule {
  BucketUnit unit = BucketUnit::Requests;
  double rate_per_s = 1;
  double burst = 1;
};

struct TenantBucket {
  std::int32_t tenant = 0;
  TokenBucketRule bucket;
};

/// Early rejection under load (as Mooncake's, arXiv 2407.00079 section 7): a request is refused at arrival, before anything
/// is spent on it, when what the service sees passes a limit. For class c the limits are `class_factor`^c of what is
/// stated, so that later classes are shed first.
struct SheddingRules {
  std::optional<double> wait_s;                         ///< prompt tokens waiting / tokens/s of full prompt steps
  std::optional<double> waiting_requests_per_instance;  ///< of the pool that computes prompts
  std::optional<double> kv_share;                       ///< of the decoding pool's KV memory in use
  double class_factor = 1;                              ///< in (0, 1]

  [[nodiscard]] bool any() const { return wait_s || waiting_requests_per_instance || kv_share; }
};

/// Who is let into the service. Nothing here sees the length of an answer.
struct AdmissionRules {
  std::optional<TokenBucketRule> default_bucket;  ///< each tenant that is not named has one of its own; absent: no bound
  std::vector<TenantBucket> tenants;              ///< each tenant at most once
  SheddingRules shed;
};

}  // namespace tokenomics
