#pragma once

#include <vector>

#include "document.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// Lays the settings of the engines that a scenario's deployment or its pools name ("personality") beneath what these say
/// themselves: what is then read says everything, and names no engine. What an engine has and this scenario cannot take
/// is left out, with a line in the assumptions. Reports unknown engines and what the settings make unsound.
void lay_personalities(Document& scenario, const Catalogue& catalogue, std::vector<Problem>& problems);

}  // namespace tokenomics
