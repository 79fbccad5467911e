#pragma once

#include <string>
#include <vector>

#include "tokenomics/base/error.hpp"
#include "tokenomics/workload/sessions.hpp"

namespace tokenomics {

/// What contradicts itself or is out of range in a description of sessions; empty when nothing is.
std::vector<Problem> problems_of(const SessionSpec& sessions, const std::string& file, const std::string& pointer);

}  // namespace tokenomics
