#pragma once

#include <functional>

#include "tokenomics/sim/observer.hpp"
#include "tokenomics/study/run_result.hpp"

namespace tokenomics {

struct RunOptions {
  unsigned jobs = 1;                     ///< threads; the result does not depend on it
  Observer* observer = nullptr;          ///< sees the first replication and window only
  std::function<void(double)> progress;  ///< told the share that is done; may come from any thread
  bool step_by_step = false;
  bool hash = true;  ///< false: `hash` of the result stays empty; it costs more than loading a variant
};

/// Simulates a scenario: service, cost and price. Throws Infeasible when the network does not fit or the fleet rule has
/// no answer, ScenarioError when the workload's trace is broken.
RunResult run_scenario(const Scenario& scenario, const RunOptions& options = {});

/// A load to explain: tokens of one step of one instance.
struct ExplainLoad {
  DecodeLoad decode;
  PrefillLoad prefill;
  std::string origin;  ///< "stationary batch at 240 requests/s", "given on the command line"
};

/// The step that a pool typically makes: its stationary batch at the scenario's mean rate, or for closed loops the
/// concurrency it is given; a full prompt step for prefill pools.
ExplainLoad typical_load(const Scenario& scenario, std::size_t pool);

}  // namespace tokenomics
