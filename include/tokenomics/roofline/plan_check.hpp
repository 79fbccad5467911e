#pragma once

#include <vector>

#include "tokenomics/base/error.hpp"
#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

/// Contradictions of a plan: what StepModel and plan_memory refuse. Empty when it is sound.
std::vector<Problem> check_plan(const InstancePlan& plan);

/// Throws ScenarioError with all of them.
void require_sound(const InstancePlan& plan);

/// Context beyond which attention reads no further: the window, or top-k; 0 without.
std::int64_t attention_cap(const Network& network);

}  // namespace tokenomics
