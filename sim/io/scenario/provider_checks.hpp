#pragma once

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/provider.hpp"

namespace tokenomics {

/// Reports what contradicts itself in a provider's file or names what the catalogue does not hold. Periods whose dates
/// have been reported are not compared.
void check_provider(const ProviderSpec& provider, const nlohmann::json& file, const Reporter& report,
                    const Catalogue& catalogue);

}  // namespace tokenomics
