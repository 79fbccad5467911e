#pragma once

#include "tokenomics/roofline/attention_core.hpp"
#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

/// Sequences of a rank that a decode step is timed with: the next captured size, or beyond the last the batch itself.
/// (vLLM and SGLang pad a batch to the next size for which they captured a CUDA graph, and run larger ones eagerly.)
double filled_batch(const EngineLaunch& launch, double sequences);

/// A decode step of the GPU's time with the host's `gap_s` per step: after it, or beside it, where the longer one counts.
StepLine with_host(const EngineLaunch& launch, StepLine gpu, double gap_s);

}  // namespace tokenomics
