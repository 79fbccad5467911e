#pragma once

#include <string>
#include <vector>

#include "document.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// Writes "POINTER=VALUE" into a file that has been parsed and belongs to `schema`. The path may lead through a name of the
/// catalogue, which then becomes {"base": name, ...}. A path that no schema knows is reported with the nearest known key;
/// null removes a key. What is written is checked later, together with the file.
void apply_override(Document& file, const std::string& text, const Catalogue& catalogue, std::vector<Problem>& problems,
                    const std::string& schema = "scenario");

}  // namespace tokenomics
