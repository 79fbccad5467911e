#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "document.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

// What is done with a file once its text has been parsed: overrides, schema, names, values. They throw ScenarioError.

Scenario scenario_of(Document document, const Catalogue& catalogue, const std::vector<std::string>& sets,
                     std::optional<std::uint64_t> seed);
Query query_of(Document document, const Catalogue& catalogue, const std::vector<std::string>& sets,
               std::optional<std::uint64_t> seed);

}  // namespace tokenomics
