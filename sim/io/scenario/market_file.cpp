#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "load_part.hpp"
#include "market_checks.hpp"
#include "market_sections.hpp"
#include "overrides.hpp"
#include "pointer.hpp"
#include "tokenomics/scenario/market_spec.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

bool has_pointer(const json& file, const std::string& pointer) {
  return file.contains(json::json_pointer(pointer)) && file.at(json::json_pointer(pointer)).is_number();
}

bool is_overridden(const Document& document, const std::string& pointer) {
  return std::any_of(document.overrides.begin(), document.overrides.end(),
                     [&](const std::string& place) { return is_within(pointer, place); });
}

std::vector<UncertainNumber> uncertain_from(const json& file, const Reporter& report) {
  std::vector<UncertainNumber> numbers;
  std::size_t index = 0;
  for (const json& one : file.value("uncertain", json::array())) {
    const Reporter at = report.at("uncertain").at(std::to_string(index++));
    // Who sets a number knows it, unless the ranges are set as well.
    const Document& document = report.document();
    if (is_overridden(document, one["pointer"]) && !is_overridden(document, "/uncertain")) continue;
    UncertainNumber number{one["pointer"], one["low"], one["high"], one["source"]};
    const bool is_service = number.pointer.find("/service/") != std::string::npos;
    if (is_service || number.pointer.starts_with("/calendar"))
      at.at("pointer").add(one["pointer"].dump(), "a number that the draws can change: services are simulated once");
    else if (!has_pointer(file, number.pointer))
      at.at("pointer").add(one["pointer"].dump(), "the place of a number of this file");
    else if (const double value = file.at(json::json_pointer(number.pointer)); value < number.low || value > number.high)
      at.add(fmt::format("{:g} to {:g}", number.low, number.high), fmt::format("a range that holds the file's {:g}", value));
    numbers.push_back(std::move(number));
  }
  return numbers;
}

std::vector<std::string> names_in(const std::vector<MarketProviderSpec>& providers) {
  std::vector<std::string> names;
  for (const MarketProviderSpec& provider : providers) names.push_back(provider.name);
  return names;
}

/// Everything but services, which are loaded once.
MarketSpec market_from(const json& file, const Reporter& report) {
  MarketSpec market;
  market.name = file.value("name", std::filesystem::path(report.document().file).stem().string());
  market.file = report.document().file;
  market.description = file.value("description", "");
  market.assumptions = file.value("assumptions", std::vector<std::string>{});
  market.seed = file.value("seed", std::uint64_t{1});
  market.samples = file.value("samples", 0);
  market.segments = segments_from(file, report);
  market.providers = market_providers_from(file, market.segments, report);
  const std::vector<std::string> names = names_in(market.providers);
  market.last_choices = last_choices_from(file, names, report);
  market.calendar = calendar_from(file, names, market.segments, report);
  market.service_events = service_events_from(file, report);
  market.measures = measures_from(file, names, market.segments, report);
  market.uncertain = uncertain_from(file, report);
  market.observed = observations_from(file, market.measures, market.calendar, report);
  market.ends = file.value("growth_over", 1);
  if (market.ends > market.calendar.periods)
    report.at("growth_over").add(json(market.ends).dump(), "at most the calendar's periods");
  return market;
}

/// Scenario or query of a service that has been loaded before.
void share_parts(MarketServiceSpec& service, const MarketServiceSpec& loaded) {
  if (auto* simulated = std::get_if<SimulatedServiceSpec>(&service))
    simulated->scenario = std::get<SimulatedServiceSpec>(loaded).scenario;
  if (auto* held = std::get_if<HeldServiceSpec>(&service)) held->query = std::get<HeldServiceSpec>(loaded).query;
}

MarketSpec load(Document document, const Catalogue& catalogue, const std::vector<std::string>& sets,
                std::optional<std::uint64_t> seed) {
  std::vector<Problem> problems = document.problems;
  if (document.value.is_null()) throw_all(problems);
  for (const std::string& text : sets) apply_override(document, text, catalogue, problems, "market");
  if (seed && document.value.is_object()) document.value["seed"] = *seed;
  const Reporter report(document, problems);
  report.add_beneath(catalogue.check("market", document.value));
  throw_all(problems);
  MarketSpec market = market_from(document.value, report);
  throw_all(problems);
  check_market(market, document.value, report);
  check_draws(document.value, report, catalogue);
  load_services(market, document.value, report, catalogue);
  throw_all(problems);
  market.text = document.value.dump();
  return market;
}

}  // namespace

MarketSpec load_market(const std::string& path_or_name, const Catalogue& catalogue, const std::vector<std::string>& sets,
                       std::optional<std::uint64_t> seed) {
  const std::string path = is_file(path_or_name) ? path_or_name : catalogue.path_of(CatalogueKind::Markets, path_or_name);
  return load(read_document(path), catalogue, sets, seed);
}

MarketSpec load_market_text(const std::string& text, const std::string& file, const Catalogue& catalogue,
                            const std::vector<std::string>& sets, std::optional<std::uint64_t> seed) {
  return load(parse_document(text, file), catalogue, sets, seed);
}

MarketSpec with_numbers(const MarketSpec& market, const std::vector<double>& values) {
  Document document;
  document.file = market.file;
  document.value = json::parse(market.text);
  TOKENOMICS_CHECK(values.size() == market.uncertain.size(), fmt::format("{} values", values.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    document.value[json::json_pointer(market.uncertain[i].pointer)] = values[i];
  document.value.erase("uncertain");  // a drawn value need not lie inside its own range again
  std::vector<Problem> problems;
  MarketSpec drawn = market_from(document.value, Reporter(document, problems));
  throw_all(problems);
  drawn.text = market.text;
  for (std::size_t i = 0; i < drawn.providers.size(); ++i)
    share_parts(drawn.providers[i].service, market.providers[i].service);
  for (std::size_t i = 0; i < drawn.service_events.size(); ++i)
    share_parts(drawn.service_events[i].service, market.service_events[i].service);
  return drawn;
}

}  // namespace tokenomics
