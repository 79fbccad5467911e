#pragma once

#include <vector>

#include "tokenomics/base/error.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// What contradicts itself or is out of range in a specification, before any file is read; empty when nothing is.
std::vector<Problem> problems_of(const WorkloadSpec& spec);

/// The name a problem of the specification itself is reported under.
std::string label_of(const WorkloadSpec& spec);

}  // namespace tokenomics
