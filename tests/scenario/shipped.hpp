#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tokenomics/scenario/load.hpp"

namespace tokenomics {

inline const Catalogue& shipped() {
  static const Catalogue catalogue({TOKENOMICS_CATALOGUE});
  return catalogue;
}

/// What is wrong with a scenario, a line each; empty when it loads. Folders are cut off the file names.
inline std::vector<std::string> complaints(const std::string& path, const std::vector<std::string>& sets = {}) {
  try {
    load_scenario(path, shipped(), sets);
  } catch (const ScenarioError& error) {
    std::vector<std::string> lines;
    for (Problem problem : error.problems()) {
      problem.file = problem.file.substr(problem.file.rfind('/') + 1);
      lines.push_back(to_string(problem));
    }
    return lines;
  }
  return {};
}

inline std::string broken(const std::string& name) {
  return std::string(TOKENOMICS_TEST_DATA) + "/scenario/broken/" + name + ".json";
}

/// The minimal scenario: five lines, everything else is a default.
inline const char* const kMinimal = R"({
  "model": "llama-3.3-70b",
  "deployment": {"hardware": "h100-sxm", "tp": 8},
  "workload": "chat-2023"
})";

}  // namespace tokenomics
