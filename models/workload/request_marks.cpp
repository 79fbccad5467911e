#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

// No arrivals or traces mark their requests yet.
int priority_classes(const WorkloadSpec&) { return 1; }
bool has_sessions(const WorkloadSpec&) { return false; }
bool tells_prompts(const WorkloadSpec&) { return false; }

}  // namespace tokenomics
