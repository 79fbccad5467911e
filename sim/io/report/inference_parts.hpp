#pragma once

#include <optional>
#include <string>

#include "tokenomics/scenario/provider.hpp"
#include "tokenomics/scenario/query.hpp"

namespace tokenomics {

// What the forms of an inference report share.

/// Why nothing is inferred of a provider, and what of it is modelled.
const char* statement_of(const ProviderSpec& provider);
/// "2025-06-27", or "" without a date.
std::string date_text(const std::optional<UtcTime>& date);
/// "provider's own", or what the hardware file says.
std::string price_source_of(const HardwareChoice& choice);

}  // namespace tokenomics
