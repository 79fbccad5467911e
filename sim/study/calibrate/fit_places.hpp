#pragma once

#include <vector>

#include "tokenomics/study/system_fit.hpp"

namespace tokenomics {

/// Where each point stands; empty for points without pools.
std::vector<FitPlace> fit_places(const std::vector<BenchmarkPoint>& points);

}  // namespace tokenomics
