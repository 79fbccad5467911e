#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/llm/network.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// Entries of one kind or of several, in order.
using Listing = std::vector<std::pair<CatalogueKind, CatalogueEntry>>;

nlohmann::ordered_json listing_json(const Listing& listing);
std::string listing_csv(const Listing& listing);
std::string listing_table(const Listing& listing, const ReportOptions& options = {});

/// What is counted from a network's architecture: parameters by part, KV bytes per token, weight bytes by part at the
/// precisions it was released in (embedding, head and routers in 16 bit).
nlohmann::ordered_json network_figures(const Network& network);

/// Any JSON as lines "pointer  value"; the pointers of a scenario are what --set takes.
std::string document_csv(const nlohmann::ordered_json& document);
std::string document_table(const std::string& title, const nlohmann::ordered_json& document,
                           const ReportOptions& options = {});

}  // namespace tokenomics
