#pragma once

#include <memory>
#include <vector>

#include "tokenomics/roofline/step_model.hpp"
#include "tokenomics/scenario/scenario.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// A pool of a scenario with its step timer and its memory plan.
struct BuiltPool {
  const PoolSpec* spec = nullptr;
  std::unique_ptr<StepModel> timer;
  MemoryPlan memory;
  PoolConfig config;

  [[nodiscard]] int gpus_per_instance() const { return spec->plan.parallelism.gpus(); }
  [[nodiscard]] double nodes_per_instance() const { return static_cast<double>(gpus_per_instance()) / spec->gpus_per_node; }
};

/// A scenario made ready for the event engine. Refers to the scenario, which must outlive it.
struct BuiltService {
  std::vector<BuiltPool> pools;  ///< in the engine's order: mixed, or prefill then decode
  ServiceConfig config;
  std::unique_ptr<LengthLaw> lengths;
  LengthStatistics length_statistics;  ///< of the requests the service accepts

  /// The pool that decodes.
  [[nodiscard]] const BuiltPool& decode() const { return pools.back(); }
};

/// Throws Infeasible when a pool's network does not fit its memory (need and have by part).
BuiltService build_service(const Scenario& scenario);

/// Computed prompt tokens per second of one instance that never waits: full steps of the workload's mean prompts.
double saturated_prefill_tok_s(const BuiltPool& pool, const LengthStatistics& lengths);

}  // namespace tokenomics
