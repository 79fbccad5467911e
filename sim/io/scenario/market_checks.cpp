#include "market_checks.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "market_sections.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

const MarketProviderSpec* find(const MarketSpec& market, const std::string& name) {
  for (const MarketProviderSpec& provider : market.providers)
    if (provider.name == name) return &provider;
  return nullptr;
}

bool is_there_at_first(const MarketSpec& market, const MarketProviderSpec& provider) {
  return period_of(market.calendar, provider.enters) == 0;
}

void check_demand(const MarketSpec& market, const Reporter& report) {
  const bool has_demand = std::any_of(market.segments.begin(), market.segments.end(),
                                      [](const Segment& segment) { return segment.requests.value() > 0; });
  if (!has_demand) report.at("segments").add("0 requests/s", "demand: a segment with requests_per_s above 0");
}

/// An event is at the nearest boundary of periods; the end of the last one is too late.
void check_takes_effect(const MarketSpec& market, const json& date, const Reporter& report) {
  if (period_of(market.calendar, date_from(date, report)) == market.calendar.periods)
    report.add(date.dump(), "a date nearer to the beginning of a period than to the calendar's end");
}

void check_providers(const MarketSpec& market, const json& file, const Reporter& report) {
  const bool starts = std::any_of(market.providers.begin(), market.providers.end(),
                                  [&](const MarketProviderSpec& p) { return is_there_at_first(market, p); });
  if (!starts) report.at("providers").add("", "a provider that is there from the start");
  for (std::size_t i = 0; i < market.providers.size(); ++i) {
    const Reporter at = report.at("providers").at(std::to_string(i));
    if (file["providers"][i].contains("enters")) check_takes_effect(market, file["providers"][i]["enters"], at.at("enters"));
    const auto* follow = std::get_if<FollowRival>(&market.providers[i].pricing.rule);
    if (follow == nullptr || find(market, follow->rival) != nullptr) continue;
    std::vector<std::string> names;
    for (const MarketProviderSpec& p : market.providers) names.push_back(p.name);
    at.at("pricing").add(json(follow->rival).dump(), "a rival of this market to follow", nearest_name(follow->rival, names));
  }
}

void check_last_choices(const MarketSpec& market, const Reporter& report) {
  for (std::size_t s = 0; s < market.last_choices.size(); ++s)
    for (const auto& [name, share] : market.last_choices[s])
      if (share > 0 && !is_there_at_first(market, *find(market, name)))
        report.at("segments")
            .at(std::to_string(s))
            .at("last_choices")
            .at(name)
            .add(json(share).dump(), "the share of a provider that is there from the start");
}

/// Events find their provider in the market: it has come, and has not left.
void check_events(const MarketSpec& market, const json& file, const Reporter& report) {
  std::map<std::string, std::string> left;
  std::size_t index = 0;
  for (const json& event : file.value("events", json::array())) {
    const Reporter at = report.at("events").at(std::to_string(index++));
    check_takes_effect(market, event["date"], at.at("date"));
    if (!event.contains("provider")) continue;
    const MarketProviderSpec& provider = *find(market, event["provider"]);
    if (!is_there_at_first(market, provider) && date_from(event["date"], at) < provider.enters)
      at.at("date").add(event["date"].dump(), fmt::format("a date from that on which {} enters", provider.name));
    if (left.contains(provider.name))
      at.at("provider").add(event["provider"].dump(), "a provider that is there: it left on " + left[provider.name]);
    if (event.contains("leaves")) left[provider.name] = event["date"];
  }
}

/// Keys that the rule does not read.
void check_rule(const json& rule, const Reporter& report) {
  const std::map<std::string, std::string> rule_of{
      {"margin_over_revenue", "target_margin"}, {"rival", "follow"}, {"ratio", "follow"}};
  for (const auto& [key, value] : rule.items())
    if (const auto found = rule_of.find(key); found != rule_of.end() && found->second != rule["rule"])
      report.at(key).add(value.dump(), fmt::format("nothing: it is a key of {}", found->second));
}

void check_rules(const json& file, const Reporter& report) {
  const json groups = file.value("pricing_groups", json::object());
  for (const auto& [name, rule] : groups.items()) check_rule(rule, report.at("pricing_groups").at(name));
  for (std::size_t i = 0; i < file["providers"].size(); ++i)
    if (const json& provider = file["providers"][i]; provider.contains("pricing") && provider["pricing"].is_object())
      check_rule(provider["pricing"], report.at("providers").at(std::to_string(i)).at("pricing"));
}

/// Results name each measure once.
void check_measures(const MarketSpec& market, const Reporter& report) {
  for (std::size_t i = 0; i < market.measures.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (market.measures[j].name == market.measures[i].name)
        report.at("measures")
            .at(std::to_string(i))
            .at("name")
            .add(json(market.measures[i].name).dump(), "a name that stands once: it stands here again");
}

}  // namespace

void check_market(const MarketSpec& market, const json& file, const Reporter& report) {
  check_demand(market, report);
  check_providers(market, file, report);
  check_last_choices(market, report);
  check_events(market, file, report);
  check_rules(file, report);
  check_measures(market, report);
}

void check_draws(const json& file, const Reporter& report, const Catalogue& catalogue) {
  std::size_t index = 0;
  for (const json& number : file.value("uncertain", json::array())) {
    const Reporter at = report.at("uncertain").at(std::to_string(index++));
    for (const char* end : {"low", "high"}) {
      json drawn = file;
      drawn[json::json_pointer(number["pointer"])] = number[end];
      for (const Problem& problem : catalogue.check("market", drawn)) at.at(end).add(number[end].dump(), problem.expected);
    }
  }
}

}  // namespace tokenomics
