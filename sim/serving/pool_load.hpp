#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenomics {

/// What an instance holds, as of the last change of its batch.
struct InstanceBacklog {
  std::int64_t waiting = 0;         ///< requests
  std::int64_t waiting_tokens = 0;  ///< prompt tokens to compute for them
  std::int64_t kv_tokens = 0;
};

/// The sum over the instances of a pool, kept up to date as they change.
class PoolLoad {
 public:
  explicit PoolLoad(int instances) : states_(static_cast<std::size_t>(instances)) {}
  void set(int instance, const InstanceBacklog& state) {
    InstanceBacklog& known = states_[static_cast<std::size_t>(instance)];
    sum_.waiting += state.waiting - known.waiting;
    sum_.waiting_tokens += state.waiting_tokens - known.waiting_tokens;
    sum_.kv_tokens += state.kv_tokens - known.kv_tokens;
    known = state;
  }
  [[nodiscard]] const InstanceBacklog& sum() const { return sum_; }

 private:
  std::vector<InstanceBacklog> states_;
  InstanceBacklog sum_;
};

}  // namespace tokenomics
