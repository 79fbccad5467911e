#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenomics/roofline/step_model.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// One way to build and run an instance of a pool.
struct PoolOption {
  std::size_t hardware = 0;  ///< index into the query's
  PoolSpec spec;
  std::shared_ptr<const StepModel> timer;  ///< shared by options that differ in batching only
  MemoryPlan memory;
  PoolConfig config;

  [[nodiscard]] int gpus() const { return spec.plan.parallelism.gpus(); }
  [[nodiscard]] std::int64_t kv_tokens_per_rank() const { return config.kv_tokens / config.ranks; }
  [[nodiscard]] std::string name() const;
};

struct PoolOptions {
  std::vector<PoolOption> mixed, prefill, decode;
  std::size_t too_large = 0;          ///< plans whose weights do not fit
  std::size_t context_too_short = 0;  ///< plans of which a rank cannot hold one sequence of the context
  std::string fit_reason;             ///< of the last plan that did not fit: need and have
};

/// All that the query's search space allows and that fit the memory. A rank must hold `context_tokens`.
PoolOptions pool_options(const Query& query, std::int64_t context_tokens, unsigned jobs);

}  // namespace tokenomics
