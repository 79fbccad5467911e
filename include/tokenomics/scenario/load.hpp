#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

/// Reads a scenario: a path, "-" for standard input, or the name of a service in the catalogue.
/// `sets` are "POINTER=VALUE" (JSON pointer or dotted path; VALUE is JSON, or else text), applied to the file before
/// names are resolved; `seed` replaces the file's. Throws ScenarioError with every problem of the file, of the files it
/// names and of the overrides; IoError when a file cannot be read.
Scenario load_scenario(const std::string& path_or_name, const Catalogue& catalogue,
                       const std::vector<std::string>& sets = {}, std::optional<std::uint64_t> seed = std::nullopt);

/// The same from JSON text; `file` names it in messages and is where relative paths start.
Scenario load_scenario_text(const std::string& text, const std::string& file, const Catalogue& catalogue,
                            const std::vector<std::string>& sets = {}, std::optional<std::uint64_t> seed = std::nullopt);

/// The scenario with every name replaced by what it stands for and every default written out. Loading it again gives
/// the same Scenario (except for `file`).
nlohmann::json resolved_json(const Scenario& scenario);

/// 16 hexadecimal digits: FNV-1a of the resolved JSON with sorted keys and no blanks.
std::string scenario_hash(const Scenario& scenario);

/// Parts by name, alias or path. They throw ScenarioError with every problem of the file.
Network load_network(const std::string& name, const Catalogue& catalogue);
Gpu load_gpu(const std::string& name, const Catalogue& catalogue);
Calibration load_calibration(const std::string& name, const Catalogue& catalogue);
OverlapSchedule load_overlap(const std::string& name, const Catalogue& catalogue);
/// Reads an engine's settings for the sake of their problems: their values are checked where a pool takes them.
void check_engine(const std::string& name, const Catalogue& catalogue);
WorkloadSpec load_workload(const std::string& name, const Catalogue& catalogue);

/// Name of the calibration for a GPU under an engine ("" for any): of that GPU and engine, else the default of its
/// architecture, else of that GPU under another engine, else the one whose gpu is "any"; the first by name among equals.
std::optional<std::string> best_calibration(const Gpu& gpu, const std::string& engine, const Catalogue& catalogue);

/// Defaults of a network's number formats where a scenario names none: weights and experts as released; activations FP8
/// for FP8 weights, else BF16 (other formats are read at their size and computed in BF16); dispatch like activations;
/// KV, attention and combine BF16.
Precisions default_precisions(const Network& network);

}  // namespace tokenomics
