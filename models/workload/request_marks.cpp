#include <algorithm>

#include "tokenomics/workload/workload.hpp"

namespace tokenomics {
namespace {

template <class Test>
bool any_part(const WorkloadSpec& spec, Test test) {
  if (spec.mix.empty()) return test(spec);
  return std::any_of(spec.mix.begin(), spec.mix.end(), test);
}

bool replays_hashes(const WorkloadSpec& spec) {
  return std::holds_alternative<TraceArrivals>(spec.arrivals) && !spec.lengths && spec.trace &&
         spec.trace->format == TraceFormat::Mooncake;
}

}  // namespace

int priority_classes(const WorkloadSpec& spec) {
  std::int32_t last = spec.priority;
  for (const WorkloadSpec& part : spec.mix) last = std::max(last, part.priority);
  return 1 + last;
}

bool has_sessions(const WorkloadSpec& spec) {
  return any_part(spec, [](const WorkloadSpec& part) { return plays_sessions(part); });
}

bool tells_prompts(const WorkloadSpec& spec) {
  return any_part(spec, [](const WorkloadSpec& part) { return plays_sessions(part) || replays_hashes(part); });
}

}  // namespace tokenomics
