#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

// Typed values from JSON that its schema has accepted, and back. Readers report what a schema cannot say, such as two
// numbers that contradict each other; what they return is then of no use.

Network network_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const Network& network);

Gpu gpu_from(const nlohmann::json& file);
nlohmann::json json_of(const Gpu& gpu);

Calibration calibration_from(const nlohmann::json& file);
nlohmann::json json_of(const Calibration& calibration);

OverlapSchedule overlap_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const OverlapSchedule& schedule);

/// Trace paths are looked for beside the file that names them, then in the catalogue's directories (the last first).
/// The parts of a mix are resolved by the catalogue.
WorkloadSpec workload_from(const nlohmann::json& file, const Reporter& report, const Catalogue& catalogue);
/// Trace paths inside one of the directories are written relative to it, so that they mean the same elsewhere.
nlohmann::json json_of(const WorkloadSpec& workload, const std::vector<std::string>& directories);

}  // namespace tokenomics
