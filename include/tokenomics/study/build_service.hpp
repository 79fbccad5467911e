#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tokenomics/roofline/step_model.hpp"
#include "tokenomics/scenario/scenario.hpp"
#include "tokenomics/sim/service.hpp"
#include "tokenomics/workload/workload.hpp"

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
  std::optional<LoadedWorkload> workload;  ///< its files are read once, here
  std::unique_ptr<LengthLaw> lengths;
  LengthStatistics length_statistics;  ///< of the requests the service accepts

  /// The pool that decodes.
  [[nodiscard]] const BuiltPool& decode() const { return pools.back(); }
};

/// Throws Infeasible when a pool's network does not fit its memory (need and have by part).
BuiltService build_service(const Scenario& scenario);

/// K and V only: a token's KV bytes over the links of the GPUs that hold its sequence. With layer-wise overlap only the
/// last layer is still on the way when prefill ends. Throws Infeasible when no link is known.
KvTransfer kv_transfer_of(const KvTransferSpec& spec, const InstancePlan& prefill);

/// The prefix cache of a pool that has one, in tokens and seconds. KV is stored once, however many GPUs hold a copy, and
/// loaded over all GPUs of the rank that holds the sequence.
PrefixCacheConfig prefix_cache_of(const PoolSpec& pool);
SwapSpec swap_of(const PoolSpec& pool);

/// A prompt step of `tokens` computed tokens of the workload's mean prompts, even over ranks.
PrefillLoad mean_prompts(const PoolConfig& pool, const LengthStatistics& lengths, double tokens);

/// Computed prompt tokens per second of one instance of `pool` whose queue is never empty: simulated with the
/// workload's own prompts, whose long ones cost more attention per token than the mean prompt.
double saturated_prefill_tok_s(const Scenario& scenario, const BuiltService& service, const BuiltPool& pool);

/// The requests of a source as if every answer were its first token: what a prefill pool does without a decode pool.
class PromptsOnly final : public RequestSource {
 public:
  explicit PromptsOnly(RequestSource& source) : source_(source) {}
  [[nodiscard]] SimTime next_arrival() const override { return source_.next_arrival(); }
  Request take() override;
  void ended(const Request& request, SimTime now) override { source_.ended(request, now); }

 private:
  RequestSource& source_;
};

}  // namespace tokenomics
