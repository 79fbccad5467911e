#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/market_spec.hpp"

namespace tokenomics {

// Sections of a market file that its schema has accepted -> typed. Problems are reported with their place.

std::vector<Segment> segments_from(const nlohmann::json& file, const Reporter& report);
/// Services without their scenarios and queries: see load_services().
std::vector<MarketProviderSpec> market_providers_from(const nlohmann::json& file, const std::vector<Segment>& segments,
                                                      const Reporter& report);
std::vector<std::vector<std::pair<std::string, double>>> last_choices_from(const nlohmann::json& file,
                                                                           const std::vector<std::string>& providers,
                                                                           const Reporter& report);
Calendar calendar_from(const nlohmann::json& file, const std::vector<std::string>& providers,
                       const std::vector<Segment>& segments, const Reporter& report);
/// Events that change a provider's service.
std::vector<ServiceEventSpec> service_events_from(const nlohmann::json& file, const Reporter& report);
std::vector<MarketMeasure> measures_from(const nlohmann::json& file, const std::vector<std::string>& providers,
                                         const std::vector<Segment>& segments, const Reporter& report);

std::vector<MarketObservation> observations_from(const nlohmann::json& file, const std::vector<MarketMeasure>& measures,
                                                 const Calendar& calendar, const Reporter& report);

/// Reads the scenarios and queries that services name, each once. Their problems are added to the report's.
void load_services(MarketSpec& market, const nlohmann::json& file, const Reporter& report, const Catalogue& catalogue);

/// A date that the schema's pattern has accepted; reported when it does not exist.
Date date_from(const std::string& text, const Reporter& report);

}  // namespace tokenomics
