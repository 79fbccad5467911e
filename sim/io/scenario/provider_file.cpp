#include <algorithm>
#include <type_traits>

#include "load_part.hpp"
#include "provider_checks.hpp"
#include "sections.hpp"
#include "tokenomics/scenario/provider.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

ProviderKind kind_from(const std::string& word) {
  if (word == "first_party") return ProviderKind::FirstParty;
  if (word == "host") return ProviderKind::Host;
  if (word == "router") return ProviderKind::Router;
  if (word == "closed") return ProviderKind::Closed;
  if (word == "export_controlled") return ProviderKind::ExportControlled;
  TOKENOMICS_CHECK(word == "application", word);
  return ProviderKind::Application;
}

ProviderObjective objective_from(const std::string& word) {
  if (word == "max_margin") return ProviderObjective::MaxMargin;
  if (word == "max_share") return ProviderObjective::MaxShare;
  TOKENOMICS_CHECK(word == "max_research", word);
  return ProviderObjective::MaxResearch;
}

std::string text(const json& object, const char* key) { return object.value(key, std::string()); }

std::vector<std::string> texts(const json& object, const char* key) { return object.value(key, std::vector<std::string>()); }

/// Absent keys stay absent. `Value` is a number or a quantity in the file's unit.
template <typename Value>
void read(std::optional<Value>& field, const json& object, const char* key) {
  using Number = std::conditional_t<std::is_integral_v<Value>, Value, double>;
  if (object.contains(key)) field = Value{object[key].template get<Number>()};
}

/// Reports what is not a time and then returns nothing.
std::optional<UtcTime> time_at(const json& object, const char* key, const Reporter& report) {
  if (!object.contains(key)) return std::nullopt;
  const auto time = parse_utc_time(object[key].get<std::string>());
  if (!time) report.at(key).add(object[key].dump(), "a date, YYYY-MM-DD, or a time, YYYY-MM-DDTHH:MMZ");
  return time;
}

/// "16:30" -> 16.5; nothing for what is not a time of day.
std::optional<double> hour_of_day(std::string_view clock) {
  const auto time = parse_utc_time("1970-01-01T" + std::string(clock) + "Z");
  if (!time) return std::nullopt;
  return static_cast<double>(time->time_since_epoch().count()) / 60;
}

OfferSpec offer_from(const json& file, const Reporter& report) {
  OfferSpec offer;
  offer.model = file["model"];
  offer.flavour = text(file, "flavour");
  offer.date = time_at(file, "date", report);
  offer.via = text(file, "via");
  offer.prices = prices_from(file["usd_per_mtok"]);
  read(offer.context_tokens, file, "context_tokens");
  read(offer.max_output_tokens, file, "max_output_tokens");
  read(offer.ttft_p50, file, "ttft_s_p50");
  read(offer.speed_p50, file, "tok_s_p50");
  offer.quantization = text(file, "quantization");
  read(offer.requests_in_window, file, "requests_in_window");
  offer.source = file["source"];
  offer.note = text(file, "note");
  return offer;
}

PricePeriod::OffPeak off_peak_from(const json& file, const Reporter& report) {
  PricePeriod::OffPeak off_peak;
  if (const auto from = time_at(file, "from", report)) off_peak.from = *from;
  const std::string window = file["utc_window"];
  const auto from_hour = hour_of_day(window.substr(0, 5));
  const auto to_hour = hour_of_day(window.substr(std::min<std::size_t>(6, window.size())));
  if (window.size() != 11 || window[5] != '-' || !from_hour || !to_hour || *from_hour == *to_hour) {
    report.at("utc_window").add(json(window).dump(), "two different times of the day, HH:MM-HH:MM");
  } else {
    off_peak.from_hour_utc = *from_hour;
    off_peak.to_hour_utc = *to_hour;
  }
  off_peak.prices = prices_from(file["usd_per_mtok"]);
  return off_peak;
}

PricePeriod period_from(const json& file, const Reporter& report) {
  PricePeriod period;
  period.model = file["model"];
  period.api_name = file.value("api_name", period.model);
  if (const auto from = time_at(file, "from", report)) period.from = *from;
  period.to = time_at(file, "to", report);
  period.standard = prices_from(file["standard"]);
  if (file.contains("off_peak")) period.off_peak = off_peak_from(file["off_peak"], report.at("off_peak"));
  read(period.context_tokens, file, "context_tokens");
  read(period.max_output_tokens, file, "max_output_tokens");
  period.source = file["source"];
  return period;
}

StrategySpec strategy_from(const json& file) {
  StrategySpec strategy;
  if (file.contains("objective")) strategy.objective = objective_from(file["objective"]);
  strategy.models = texts(file, "models");
  strategy.hardware = texts(file, "hardware");
  strategy.engine = text(file, "engine");
  if (file.contains("fleet")) {
    strategy.fleet = ProviderFleet{.gpus = std::nullopt, .capped = file["fleet"]["capped"]};
    read(strategy.fleet->gpus, file["fleet"], "gpus");
  }
  read(strategy.context_limit_tokens, file, "context_limit_tokens");
  if (file.contains("usd_per_gpu_hour")) strategy.gpu_price = usd_per_hour(file["usd_per_gpu_hour"]);
  strategy.stance = text(file, "stance");
  strategy.assumptions = texts(file, "assumptions");
  return strategy;
}

AnswerLength answer_length_from(const json& file) {
  AnswerLength length;
  length.model = file["model"];
  length.task = text(file, "task");
  read(length.tokens, file, "tokens");
  read(length.relative, file, "relative");
  length.relative_to = text(file, "relative_to");
  length.is_lower_bound = text(file, "bound") == "lower";
  length.source = file["source"];
  return length;
}

ProviderSpec provider_from(const json& file, const Reporter& report, const Catalogue& catalogue) {
  ProviderSpec provider;
  provider.name = file["name"];
  provider.description = file["description"];
  provider.kind = kind_from(file["kind"]);
  provider.modelled = texts(file, "modelled");
  std::size_t at = 0;
  for (const json& offer : file["offers"])
    provider.offers.push_back(offer_from(offer, report.at("offers").at(std::to_string(at++))));
  at = 0;
  for (const json& period : file.value("price_history", json::array()))
    provider.price_history.push_back(period_from(period, report.at("price_history").at(std::to_string(at++))));
  provider.strategy = strategy_from(file.value("strategy", json::object()));
  for (const json& length : file.value("tokens_per_answer", json::array()))
    provider.tokens_per_answer.push_back(answer_length_from(length));
  provider.buys_from = texts(file, "buys_from");
  provider.sells = text(file, "sells");
  provider.assumptions = texts(file, "assumptions");
  check_provider(provider, file, report, catalogue);
  return provider;
}

}  // namespace

ProviderSpec load_provider(const std::string& name, const Catalogue& catalogue) {
  return load_part<ProviderSpec>(kProviderPart, name, catalogue,
                                 [&](const Part& part) { return provider_from(*part.value, part.report, catalogue); });
}

std::optional<PriceCard> price_card(const ProviderSpec& provider, std::string_view model, UtcTime when) {
  for (const PricePeriod& period : provider.price_history) {
    const bool is_named = period.model == model || period.api_name == model;
    if (!is_named || when < period.from || (period.to && when >= *period.to)) continue;
    PriceCard card{.standard = period.standard, .off_peak = std::nullopt};
    if (const auto& night = period.off_peak; night && when >= night->from) {
      card.off_peak =
          PriceCard::OffPeak{.from_hour = night->from_hour_utc, .to_hour = night->to_hour_utc, .prices = night->prices};
    }
    return card;
  }
  return std::nullopt;
}

}  // namespace tokenomics
