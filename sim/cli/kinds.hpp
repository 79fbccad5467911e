#pragma once

#include <string>

#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics::cli {

/// "model", "models", "network" ... Throws UsageError with the nearest name.
CatalogueKind kind_named(const std::string& word);

/// For help texts: "hardware, models, ...".
inline constexpr const char* kKindHelp =
    "hardware, model, workload, calibration, provider, scenario, overlap, engine, query, market, sweep or claims (or their "
    "plurals)";

}  // namespace tokenomics::cli
