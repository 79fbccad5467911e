#pragma once

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/workload/sessions.hpp"

namespace tokenomics {

/// The section "sessions" of a workload that its schema has accepted, and back.
SessionSpec sessions_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const SessionSpec& sessions);

}  // namespace tokenomics
