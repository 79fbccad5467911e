#pragma once

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

// Routers, queues, the batch tier and admission: from accepted JSON to types and back. What is as by default, and what no
// chosen policy looks at, is not written.

/// Keys of a deployment: router, decode_router, cache_aware, remembered_sessions.
void read_router(DeploymentSpec& deployment, const nlohmann::json& file);
void write_router(nlohmann::json& file, const DeploymentSpec& deployment);

/// Keys of a pool's batching: queue, priority_aging_s, batch_tier.
void read_queue(BatchingSpec& batching, const nlohmann::json& file);
void write_queue(nlohmann::json& file, const BatchingSpec& batching);

/// Keys of a pool's batching about how the engine drives the GPU and looks for arrivals: graph_batch_sizes,
/// overlap_scheduling, releases_late, poll_steps.
void read_launch(PoolSpec& pool, const nlohmann::json& file);
void write_launch(nlohmann::json& file, const PoolSpec& pool);
void check_launch(const PoolSpec& pool, const nlohmann::json& file, const Reporter& report);

/// Keys of a pool's batching that hold prompts for company: rank_balance_wait, batch_wait.
void read_start_waits(BatchingSpec& batching, const nlohmann::json& file);
void write_start_waits(nlohmann::json& file, const BatchingSpec& batching);
void check_start_waits(const PoolSpec& pool, const nlohmann::json& file, const Reporter& report);

AdmissionRules admission_from(const nlohmann::json& file);
nlohmann::json json_of(const AdmissionRules& rules);
bool is_empty(const AdmissionRules& rules);

// What would be ignored, or could never let anybody in, is refused.
void check_queue(const BatchingSpec& batching, const nlohmann::json& file, const Reporter& report);
void check_admission(const AdmissionRules& rules, const nlohmann::json& file, const Reporter& report);
void check_router(const DeploymentSpec& deployment, const nlohmann::json& file, const Reporter& report);

/// What the policies need of the requests.
struct RequestMarks {
  int priority_classes = 1;
  bool has_sessions = false;
  bool tells_prompts = false;
};
RequestMarks marks_of(const WorkloadSpec& workload);
void check_marks(const DeploymentSpec& deployment, const RequestMarks& marks, const nlohmann::json& file,
                 const Reporter& report);

}  // namespace tokenomics
