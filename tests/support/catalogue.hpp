#pragma once

#include <string>
#include <vector>

#include "tokenomics/scenario/load.hpp"

namespace tokenomics::test {

inline const Catalogue& shipped_catalogue() {
  static const Catalogue catalogue({TOKENOMICS_CATALOGUE});
  return catalogue;
}

inline Scenario shipped(const std::string& name, const std::vector<std::string>& sets = {}) {
  return load_scenario(name, shipped_catalogue(), sets);
}

}  // namespace tokenomics::test
