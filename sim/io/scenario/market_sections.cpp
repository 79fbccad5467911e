#include "market_sections.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "sections.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

json object_at(const json& file, const char* key) { return file.contains(key) ? file[key] : json::object(); }

int number_in(const std::string& text, std::size_t from, std::size_t length) {
  int number = 0;
  std::from_chars(text.data() + from, text.data() + from + length, number);
  return number;
}

template <typename Value, std::size_t N>
Value named(const std::array<std::pair<const char*, Value>, N>& table, const std::string& name) {
  for (const auto& [known, value] : table)
    if (name == known) return value;
  TOKENOMICS_CHECK(false, name + " passed the schema");
}

constexpr std::array<std::pair<const char*, MarketMeasure::Kind>, 5> kMeasures{
    {{"token_share", MarketMeasure::Kind::TokenShare},
     {"tokens_per_day", MarketMeasure::Kind::TokensPerDay},
     {"requests_per_day", MarketMeasure::Kind::RequestsPerDay},
     {"ttft_s", MarketMeasure::Kind::Ttft},
     {"interactivity_tok_s_user", MarketMeasure::Kind::Interactivity}}};
constexpr std::array<std::pair<const char*, ProviderObjective>, 3> kObjectives{
    {{"max_margin", ProviderObjective::MaxMargin},
     {"max_share", ProviderObjective::MaxShare},
     {"max_research", ProviderObjective::MaxResearch}}};

void check_known(const std::string& name, const std::vector<std::string>& known, const char* what, const Reporter& at) {
  if (std::find(known.begin(), known.end(), name) == known.end())
    at.add(json(name).dump(), std::string("the name of ") + what, nearest_name(name, known));
}

std::vector<std::string> names_of(const std::vector<Segment>& segments) {
  std::vector<std::string> names;
  for (const Segment& segment : segments) names.push_back(segment.name);
  return names;
}

// Segments ----------------------------------------------------------------------------------------------------------

ChoiceWeights weights_from(const json& file, const json& segment) {
  const json weights = object_at(file, "weights");
  const double service = weights.value("service_factor", 1.0) * segment.value("service_factor", 1.0);
  ChoiceWeights result;
  result.log_price = weights["log_price"].get<double>() * segment.value("price_factor", 1.0);
  result.log_seconds = weights.value("log_seconds", 0.0) * service;
  result.log_ttft = weights.value("log_ttft", 0.0) * service;
  result.log_context_fit = weights.value("log_context_fit", 0.0) * service;
  return result;
}

QuantileLaw context_need_from(const json& segment, const Reporter& report) {
  if (!segment.contains("context_need")) return {};
  const json& need = segment["context_need"];
  QuantileLaw law{need["probability"], need["tokens"]};
  const bool rises =
      std::adjacent_find(law.probability.begin(), law.probability.end(), std::greater_equal<>()) == law.probability.end() &&
      std::adjacent_find(law.value.begin(), law.value.end(), std::greater<>()) == law.value.end();
  if (law.probability.size() != law.value.size() || !rises)
    report.at("context_need").add("", "as many probabilities as tokens, both rising");
  return law;
}

Segment segment_from(const json& file, const json& one, const Reporter& report) {
  Segment segment;
  segment.name = one["name"];
  segment.requests = PerSecond{one["requests_per_s"].get<double>()};
  const json& tokens = one["tokens"];
  const double input = tokens["input"], cached = tokens.value("cached", 0.0);
  if (cached > input) report.at("tokens").at("cached").add(json(cached).dump(), "at most the input");
  segment.tokens = {input - cached, cached, tokens["output"]};
  segment.weights = weights_from(file, one);
  segment.dissimilarity = object_at(file, "weights").value("dissimilarity", 1.0);
  segment.context_need = context_need_from(one, report);
  const json patience = object_at(one, "patience");
  if (one.contains("patience")) segment.patience = {Seconds{patience["limit_s"].get<double>()}, patience["share_leaving"]};
  segment.elasticity = one.value("elasticity", segment.elasticity);
  segment.switching_share = one.value("switching_share", segment.switching_share);
  segment.growth = one.value("growth", segment.growth);
  segment.free = one.value("free", segment.free);
  segment.outside_utility = one.value("outside_utility", segment.outside_utility);
  return segment;
}

// Providers ---------------------------------------------------------------------------------------------------------

PricingRule pricing_rule_from(const json& file, const json& reference, const Reporter& report) {
  json rule = reference;
  if (reference.is_string()) {
    const json groups = object_at(file, "pricing_groups");
    if (!groups.contains(reference.get<std::string>())) {
      std::vector<std::string> known;
      for (const auto& [name, group] : groups.items()) known.push_back(name);
      check_known(reference, known, "a pricing group", report);
      return {};
    }
    rule = groups[reference.get<std::string>()];
  }
  PricingRule result;
  result.damping = rule.value("damping", result.damping);
  if (rule["rule"] == "target_margin") result.rule = TargetMargin{rule.value("margin_over_revenue", 0.0)};
  if (rule["rule"] == "follow") result.rule = FollowRival{rule.value("rival", ""), rule.value("ratio", 1.0)};
  return result;
}

MarketServiceSpec service_from(const json& file, const Reporter& report) {
  const std::string kind = file["kind"];
  const auto need = [&](const char* key) {
    if (!file.contains(key)) report.at(key).add("", fmt::format("what {} service needs (missing)", kind));
    return file.contains(key) && file[key].is_number() ? file[key].get<double>() : 0.0;
  };
  const std::vector<std::string> own =
      kind == "simulated" ? std::vector<std::string>{"scenario", "objective", "fleet_gpus", "least_tok_s", "ttft_p90_s"}
      : kind == "held"    ? std::vector<std::string>{"ttft_s", "tok_s", "query"}
                          : std::vector<std::string>{"ttft_s", "tok_s"};
  for (const auto& [key, value] : file.items())
    if (key != "kind" && std::find(own.begin(), own.end(), key) == own.end())
      report.at(key).add(value.dump(), fmt::format("a key of {} service", kind));
  if (kind == "observed") return ObservedServiceSpec{need("ttft_s"), need("tok_s")};
  if (kind == "held") {
    need("query");
    return HeldServiceSpec{need("ttft_s"), need("tok_s"), nullptr};
  }
  need("scenario");
  SimulatedServiceSpec simulated;
  simulated.objective = named(kObjectives, file.value("objective", "max_research"));
  simulated.fleet_gpus = need("fleet_gpus");
  simulated.least_tok_s = file.value("least_tok_s", 0.0);
  if (file.contains("ttft_p90_s")) simulated.ttft_p90_s = file["ttft_p90_s"].get<double>();
  const bool holds = simulated.objective != ProviderObjective::MaxResearch;
  if (holds != simulated.ttft_p90_s.has_value())
    report.at("ttft_p90_s").add("", holds ? "what prefill units hold (missing)" : "nothing: max_research holds no TTFT");
  return simulated;
}

std::vector<double> brand_from(const json& provider, const std::vector<Segment>& segments, const Reporter& report) {
  const json brand = provider.value("brand", json(0));
  if (brand.is_number()) return std::vector<double>(segments.size(), brand.get<double>());
  std::vector<std::string> known = names_of(segments);
  known.emplace_back("other");
  for (const auto& [name, value] : brand.items()) check_known(name, known, "a segment", report.at("brand").at(name));
  std::vector<double> values;
  for (const Segment& segment : segments) values.push_back(brand.value(segment.name, brand.value("other", 0.0)));
  return values;
}

/// Nests are numbered as they first appear.
int nest_index(std::vector<std::string>& nests, const std::string& name) {
  const auto found = std::find(nests.begin(), nests.end(), name);
  const auto index = static_cast<int>(found - nests.begin());
  if (found == nests.end()) nests.push_back(name);
  return index;
}

// Events ------------------------------------------------------------------------------------------------------------

MarketAction action_from(const json& event, const Reporter& report) {
  std::vector<MarketAction> actions;
  const std::string provider = event.value("provider", ""), segment = event.value("segment", "");
  if (event.contains("usd_per_mtok")) actions.push_back(PriceChange{provider, prices_from(event["usd_per_mtok"])});
  if (event.contains("fleet_factor")) actions.push_back(FleetChange{provider, event["fleet_factor"]});
  if (event.contains("leaves")) actions.push_back(ProviderLeaves{provider});
  const bool is_of_provider = !actions.empty();
  if (event.contains("demand_factor")) actions.push_back(DemandChange{segment, event["demand_factor"]});
  if (event.contains("growth")) actions.push_back(GrowthChange{segment, event["growth"]});
  if (actions.size() != 1) report.add("", "one of usd_per_mtok, fleet_factor, leaves, demand_factor and growth");
  if (is_of_provider && provider.empty()) report.at("provider").add("", "the provider that it concerns (missing)");
  const char* other = is_of_provider ? "segment" : "provider";
  if (actions.size() == 1 && event.contains(other))
    report.at(other).add(event[other].dump(),
                         fmt::format("nothing: it concerns a {}", is_of_provider ? "provider" : "segment"));
  return actions.empty() ? MarketAction{DemandChange{"", 1}} : actions.front();
}

}  // namespace

Date date_from(const std::string& text, const Reporter& report) {
  using namespace std::chrono;
  const year_month_day date{year{number_in(text, 0, 4)}, month{static_cast<unsigned>(number_in(text, 5, 2))},
                            day{static_cast<unsigned>(number_in(text, 8, 2))}};
  if (!date.ok()) report.add(json(text).dump(), "a date that exists");
  return date.ok() ? sys_days{date} : Date{};
}

std::vector<Segment> segments_from(const json& file, const Reporter& report) {
  std::vector<Segment> segments;
  for (const json& one : file["segments"]) {
    const Reporter at = report.at("segments").at(std::to_string(segments.size()));
    const std::vector<std::string> known = names_of(segments);
    if (std::find(known.begin(), known.end(), one["name"]) != known.end())
      at.at("name").add(one["name"].dump(), "a name that stands once: it stands here again");
    segments.push_back(segment_from(file, one, at));
  }
  return segments;
}

std::vector<MarketProviderSpec> market_providers_from(const json& file, const std::vector<Segment>& segments,
                                                      const Reporter& report) {
  std::vector<MarketProviderSpec> providers;
  std::vector<std::string> nests;
  for (const json& one : file["providers"]) {
    const Reporter at = report.at("providers").at(std::to_string(providers.size()));
    MarketProviderSpec provider;
    provider.name = one["name"];
    const bool is_twice =
        std::any_of(providers.begin(), providers.end(), [&](const auto& p) { return p.name == provider.name; });
    if (is_twice) at.at("name").add(one["name"].dump(), "a name that stands once: it stands here again");
    provider.prices = prices_from(one["usd_per_mtok"]);
    provider.context_tokens = one["context"];
    provider.brand = brand_from(one, segments, at);
    provider.service = service_from(one["service"], at.at("service"));
    if (one.contains("pricing")) provider.pricing = pricing_rule_from(file, one["pricing"], at.at("pricing"));
    // A fleet that follows its load is never nearly empty.
    const bool follows_load = std::holds_alternative<HeldServiceSpec>(provider.service);
    if (auto* target = std::get_if<TargetMargin>(&provider.pricing.rule); target != nullptr && follows_load)
      target->least_load = 0;
    if (one.contains("nest")) provider.nest = nest_index(nests, one["nest"]);
    if (one.contains("enters")) provider.enters = date_from(one["enters"], at.at("enters"));
    providers.push_back(std::move(provider));
  }
  return providers;
}

std::vector<std::vector<std::pair<std::string, double>>> last_choices_from(const json& file,
                                                                           const std::vector<std::string>& providers,
                                                                           const Reporter& report) {
  std::vector<std::vector<std::pair<std::string, double>>> all;
  for (const json& segment : file["segments"]) {
    const Reporter at = report.at("segments").at(std::to_string(all.size())).at("last_choices");
    all.emplace_back();
    double sum = 0;
    const json choices = object_at(segment, "last_choices");
    for (const auto& [name, share] : choices.items()) {
      check_known(name, providers, "a provider of this market", at.at(name));
      all.back().emplace_back(name, share);
      sum += share.get<double>();
    }
    if (sum > 1 + 1e-9) at.add(json(sum).dump(), "shares that add up to at most 1");
  }
  return all;
}

Calendar calendar_from(const json& file, const std::vector<std::string>& providers, const std::vector<Segment>& segments,
                       const Reporter& report) {
  Calendar calendar;
  const json& given = file["calendar"];
  calendar.start = date_from(given["start"], report.at("calendar").at("start"));
  calendar.length = given.value("period", "month") == "week" ? PeriodLength::Week : PeriodLength::Month;
  calendar.periods = given["periods"];
  const std::chrono::year_month_day first{calendar.start};
  if (calendar.length == PeriodLength::Month && first.day() > std::chrono::day{28})
    report.at("calendar").at("start").add(given["start"].dump(), "a day up to the 28th: months start on it");
  std::optional<Date> before;
  std::size_t index = 0;
  for (const json& event : file.value("events", json::array())) {
    const Reporter at = report.at("events").at(std::to_string(index++));
    const Date date = date_from(event["date"], at.at("date"));
    if (before && date < *before) at.at("date").add(event["date"].dump(), "a date not before the event above it");
    before = date;
    if (event.contains("provider"))
      check_known(event["provider"], providers, "a provider of this market", at.at("provider"));
    if (event.contains("segment")) check_known(event["segment"], names_of(segments), "a segment", at.at("segment"));
    if (!event.contains("service")) calendar.events.push_back({date, event["label"], action_from(event, at)});
  }
  return calendar;
}

std::vector<ServiceEventSpec> service_events_from(const json& file, const Reporter& report) {
  std::vector<ServiceEventSpec> events;
  std::size_t index = 0, others = 0;
  for (const json& event : file.value("events", json::array())) {
    const Reporter at = report.at("events").at(std::to_string(index++));
    if (!event.contains("service")) {
      ++others;
      continue;
    }
    for (const char* other : {"usd_per_mtok", "fleet_factor", "leaves", "segment", "demand_factor", "growth"})
      if (event.contains(other))
        at.at(other).add(event[other].dump(), "nothing beside service: one event changes one thing");
    if (!event.contains("provider")) at.at("provider").add("", "the provider that it concerns (missing)");
    const Date date = date_from(event["date"], at.at("date"));
    events.push_back(
        {date, event["label"], event.value("provider", ""), service_from(event["service"], at.at("service")), others});
  }
  return events;
}

std::vector<MarketMeasure> measures_from(const json& file, const std::vector<std::string>& providers,
                                         const std::vector<Segment>& segments, const Reporter& report) {
  std::vector<MarketMeasure> measures;
  for (const json& one : file.value("measures", json::array())) {
    const Reporter at = report.at("measures").at(std::to_string(measures.size()));
    MarketMeasure measure{
        one["name"],
        named(kMeasures, one["kind"]),
        one.value("provider", ""),
        {one.value("providers", std::vector<std::string>{}), one.value("segments", std::vector<std::string>{})},
        one.value("text", "")};
    if (!measure.provider.empty()) check_known(measure.provider, providers, "a provider of this market", at.at("provider"));
    const bool needs_provider =
        measure.kind != MarketMeasure::Kind::TokensPerDay && measure.kind != MarketMeasure::Kind::RequestsPerDay;
    if (needs_provider && measure.provider.empty()) at.at("provider").add("", "whose figure it is (missing)");
    for (const std::string& name : measure.population.providers)
      check_known(name, providers, "a provider of this market", at.at("providers"));
    for (const std::string& name : measure.population.segments)
      check_known(name, names_of(segments), "a segment", at.at("segments"));
    measures.push_back(std::move(measure));
  }
  return measures;
}

std::vector<MarketObservation> observations_from(const json& file, const std::vector<MarketMeasure>& measures,
                                                 const Calendar& calendar, const Reporter& report) {
  std::vector<MarketObservation> observed;
  for (const json& one : file.value("observed", json::array())) {
    const Reporter at = report.at("observed").at(std::to_string(observed.size()));
    std::vector<std::string> names;
    for (const MarketMeasure& measure : measures) names.push_back(measure.name);
    check_known(one["measure"], names, "a measure", at.at("measure"));
    const auto found = std::find(names.begin(), names.end(), one["measure"]);
    MarketObservation seen{static_cast<std::size_t>(found - names.begin()), date_from(one["date"], at.at("date")),
                           one["low"], one["high"], one["source"]};
    if (seen.date < calendar.start || seen.date >= period_begin(calendar, calendar.periods))
      at.at("date").add(one["date"].dump(), "a date inside the calendar");
    if (seen.low > seen.high) at.at("low").add(one["low"].dump(), "at most high");
    observed.push_back(std::move(seen));
  }
  return observed;
}

namespace {

/// Reads what a service names; each file once.
class ServiceLoader {
 public:
  ServiceLoader(const Catalogue& catalogue, const Reporter& report) : catalogue_(catalogue), report_(report) {}

  void load(MarketServiceSpec& service, const json& file) {
    try {
      if (auto* simulated = std::get_if<SimulatedServiceSpec>(&service)) {
        auto& scenario = scenarios_[file["scenario"]];
        if (!scenario) scenario = std::make_shared<const Scenario>(load_scenario(file["scenario"], catalogue_));
        simulated->scenario = scenario;
      } else if (auto* held = std::get_if<HeldServiceSpec>(&service)) {
        auto& query = queries_[file["query"]];
        if (!query) query = std::make_shared<const Query>(load_query(file["query"], catalogue_));
        held->query = query;
      }
    } catch (const ScenarioError& error) {
      report_.problems().insert(report_.problems().end(), error.problems().begin(), error.problems().end());
    }
  }

 private:
  const Catalogue& catalogue_;
  const Reporter& report_;
  std::map<std::string, std::shared_ptr<const Scenario>> scenarios_;
  std::map<std::string, std::shared_ptr<const Query>> queries_;
};

}  // namespace

void load_services(MarketSpec& market, const json& file, const Reporter& report, const Catalogue& catalogue) {
  ServiceLoader loader(catalogue, report);
  for (std::size_t i = 0; i < market.providers.size(); ++i)
    loader.load(market.providers[i].service, file["providers"][i]["service"]);
  std::size_t i = 0;
  for (const json& event : file.value("events", json::array()))
    if (event.contains("service")) loader.load(market.service_events[i++].service, event["service"]);
}

}  // namespace tokenomics
