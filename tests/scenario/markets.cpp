#include "support/catch.hpp"

#include <functional>

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "tokenomics/scenario/market_spec.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// Two providers seen from outside, one segment, four weeks. One thing a line: a message names its line.
constexpr const char* kMarket = R"({
  "calendar": {"start": "2025-01-06", "period": "week", "periods": 4},
  "weights": {"log_price": -1},
  "pricing_groups": {"hosts": {"rule": "hold"}},
  "segments": [{"name": "chat", "requests_per_s": 10, "tokens": {"input": 1000, "cached": 400, "output": 500}, "last_choices": {"alpha": 0.5}}],
  "providers": [
    {"name": "alpha", "usd_per_mtok": {"input": 1, "output": 2}, "context": 64000, "service": {"kind": "observed", "ttft_s": 1, "tok_s": 50}},
    {"name": "beta", "usd_per_mtok": {"input": 2, "output": 4}, "context": 64000, "service": {"kind": "observed", "ttft_s": 1, "tok_s": 50}}
  ],
  "events": [],
  "measures": [{"name": "share", "kind": "token_share", "provider": "alpha"}]
})";

/// What is wrong with the market above after these changes, a line each, without the file's name and line.
std::vector<std::string> refusals(const std::vector<std::string>& sets) {
  std::vector<std::string> lines;
  try {
    load_market_text(kMarket, "market.json", shipped(), sets);
  } catch (const ScenarioError& error) {
    for (const Problem& problem : error.problems()) {
      const std::string line = to_string(problem);
      lines.push_back(line.substr(line.find(": /") + 2));
    }
  }
  return lines;
}

MarketSpec loaded(const std::vector<std::string>& sets) { return load_market_text(kMarket, "market.json", shipped(), sets); }

struct Broken {
  const char* what;
  std::vector<std::string> sets;
  std::vector<std::string> messages;
};

const std::string kAlphaCheaper =
    R"({"date": "2025-01-13", "label": "l", "provider": "alpha", "usd_per_mtok": {"input": 1, "output": 1}})";
const std::string kBetaEnters = "providers.1.enters=2025-01-20";

// clang-format off
const std::vector<Broken> kBroken{
    {"an event of somebody unknown", {R"(events=[{"date": "2025-01-13", "label": "l", "provider": "alpah", "leaves": true}])"},
     {R"(/events/0/provider: "alpah"; expected the name of a provider of this market; did you mean alpha?)"}},
    {"an event of an unknown segment", {R"(events=[{"date": "2025-01-13", "label": "l", "segment": "chta", "growth": 0.1}])"},
     {R"(/events/0/segment: "chta"; expected the name of a segment; did you mean chat?)"}},
    {"dates out of order", {R"(events=[{"date": "2025-01-14", "label": "l", "growth": 0}, )" + kAlphaCheaper + "]"},
     {R"(/events/1/date: "2025-01-13"; expected a date not before the event above it)"}},
    {"days that do not exist",
     {"calendar.start=2025-02-30", R"(events=[{"date": "2025-02-29", "label": "l", "growth": 0}, {"date": "2025-03-00", "label": "l", "provider": "alpha", "service": {"kind": "observed", "ttft_s": 1, "tok_s": 9}}])"},
     {R"(/calendar/start: "2025-02-30"; expected a date that exists)",
      R"(/events/0/date: "2025-02-29"; expected a date that exists)",
      R"(/events/1/date: "2025-03-00"; expected a date that exists)"}},
    {"text that is no date", {"calendar.start=january"}, {R"(/calendar/start: "january"; expected a date, YYYY-MM-DD)"}},
    {"months from a day that February does not have", {"calendar.start=2025-01-29", "calendar.period=month"},
     {R"(/calendar/start: "2025-01-29"; expected a day up to the 28th: months start on it)"}},
    {"events too late to take effect", {R"(events=[{"date": "2025-01-31", "label": "l", "growth": 0}])", "providers.1.enters=2025-02-03"},
     {R"(/providers/1/enters: "2025-02-03"; expected a date nearer to the beginning of a period than to the calendar's end)",
      R"(/events/0/date: "2025-01-31"; expected a date nearer to the beginning of a period than to the calendar's end)"}},
    {"nobody asks", {"segments.0.requests_per_s=0"},
     {R"(/segments: 0 requests/s; expected demand: a segment with requests_per_s above 0)"}},
    {"nobody is there", {"providers.0.enters=2025-01-13", "providers.1.enters=2025-01-13", "segments.0.last_choices={}"},
     {R"(/providers; expected a provider that is there from the start)"}},
    {"more users than there are", {R"(segments.0.last_choices={"alpha": 0.7, "beta": 0.4})"},
     {R"(/segments/0/last_choices: 1.1; expected shares that add up to at most 1)"}},
    {"last choices of somebody unknown", {R"(segments.0.last_choices={"alpa": 0.7})"},
     {R"(/segments/0/last_choices/alpa: "alpa"; expected the name of a provider of this market; did you mean alpha?)"}},
    {"last choices of somebody not there yet", {R"(segments.0.last_choices={"beta": 0.7})", kBetaEnters},
     {R"(/segments/0/last_choices/beta: 0.7; expected the share of a provider that is there from the start)"}},
    {"one name for two", {"providers.1.name=alpha", R"(segments=[{"name": "chat", "requests_per_s": 1, "tokens": {"input": 1, "output": 1}}, {"name": "chat", "requests_per_s": 1, "tokens": {"input": 1, "output": 1}}])"},
     {R"(/segments/1/name: "chat"; expected a name that stands once: it stands here again)",
      R"(/providers/1/name: "alpha"; expected a name that stands once: it stands here again)"}},
    {"one name for two measures", {R"(measures=[{"name": "n", "kind": "requests_per_day"}, {"name": "n", "kind": "tokens_per_day"}])"},
     {R"(/measures/1/name: "n"; expected a name that stands once: it stands here again)"}},
    {"an unknown pricing group", {"providers.1.pricing=host"},
     {R"(/providers/1/pricing: "host"; expected the name of a pricing group; did you mean hosts?)"}},
    {"a rival that is not there", {R"(providers.1.pricing={"rule": "follow", "rival": "alhpa"})"},
     {R"(/providers/1/pricing: "alhpa"; expected a rival of this market to follow; did you mean alpha?)"}},
    {"keys of another rule", {R"(providers.1.pricing={"rule": "target_margin", "ratio": 2})", R"(pricing_groups.hosts={"rule": "hold", "margin_over_revenue": 0.2})"},
     {R"(/pricing_groups/hosts/margin_over_revenue: 0.2; expected nothing: it is a key of target_margin)",
      R"(/providers/1/pricing/ratio: 2; expected nothing: it is a key of follow)"}},
    {"keys of another service", {"providers.0.service.query=r1-host", R"(providers.1.service={"kind": "held", "ttft_s": 1, "tok_s": 50, "query": "r1-host", "fleet_gpus": 8})"},
     {R"(/providers/0/service/query: "r1-host"; expected a key of observed service)",
      R"(/providers/1/service/fleet_gpus: 8; expected a key of held service)"}},
    {"a simulated service without a fleet", {R"(providers.0.service={"kind": "simulated", "scenario": "llama-70b-h100"})"},
     {R"(/providers/0/service/fleet_gpus; expected what simulated service needs (missing))"}},
    {"a service that holds no first token, or one that cannot", {R"(providers.0.service={"kind": "simulated", "scenario": "llama-70b-h100", "fleet_gpus": 8, "objective": "max_share"})", R"(providers.1.service={"kind": "simulated", "scenario": "llama-70b-h100", "fleet_gpus": 8, "ttft_p90_s": 2})"},
     {R"(/providers/0/service/ttft_p90_s; expected what prefill units hold (missing))",
      R"(/providers/1/service/ttft_p90_s; expected nothing: max_research holds no TTFT)"}},
    {"an unknown measure", {R"(observed=[{"measure": "shar", "date": "2025-01-13", "low": 0, "high": 1, "source": "s"}])"},
     {R"(/observed/0/measure: "shar"; expected the name of a measure; did you mean share?)"}},
    {"an observation outside the calendar, upside down", {R"(observed=[{"measure": "share", "date": "2025-02-03", "low": 1, "high": 0, "source": "s"}])"},
     {R"(/observed/0/date: "2025-02-03"; expected a date inside the calendar)",
      R"(/observed/0/low: 1; expected at most high)"}},
    {"a measure of nobody", {R"(measures=[{"name": "n", "kind": "ttft_s"}])"},
     {R"(/measures/0/provider; expected whose figure it is (missing))"}},
    {"uncertain numbers that the draws cannot change", {R"(uncertain=[{"pointer": "/providers/0/service/tok_s", "low": 1, "high": 90, "source": "s"}, {"pointer": "/calendar/periods", "low": 1, "high": 9, "source": "s"}])"},
     {R"(/uncertain/0/pointer: "/providers/0/service/tok_s"; expected a number that the draws can change: services are simulated once)",
      R"(/uncertain/1/pointer: "/calendar/periods"; expected a number that the draws can change: services are simulated once)"}},
    {"a pointer at nothing, and at text", {R"(uncertain=[{"pointer": "/weights/log_prise", "low": -2, "high": -1, "source": "s"}, {"pointer": "/providers/0/name", "low": 1, "high": 9, "source": "s"}])"},
     {R"(/uncertain/0/pointer: "/weights/log_prise"; expected the place of a number of this file)",
      R"(/uncertain/1/pointer: "/providers/0/name"; expected the place of a number of this file)"}},
    {"a range beside the file's number", {R"(uncertain=[{"pointer": "/weights/log_price", "low": -3, "high": -2, "source": "s"}])"},
     {R"(/uncertain/0: -3 to -2; expected a range that holds the file's -1)"}},
    {"a range of numbers that the file may not have", {R"(uncertain=[{"pointer": "/segments/0/last_choices/alpha", "low": 0, "high": 1.5, "source": "s"}])"},
     {R"(/uncertain/0/high: 1.5; expected a number of at least 0 and at most 1)"}},
    {"two things at once", {R"(events=[{"date": "2025-01-13", "label": "l", "provider": "alpha", "leaves": true, "fleet_factor": 2}, {"date": "2025-01-13", "label": "l"}, {"date": "2025-01-13", "label": "l", "provider": "beta", "fleet_factor": 2, "service": {"kind": "observed", "ttft_s": 1, "tok_s": 9}}])"},
     {R"(/events/0; expected one of usd_per_mtok, fleet_factor, leaves, demand_factor and growth)",
      R"(/events/1; expected one of usd_per_mtok, fleet_factor, leaves, demand_factor and growth)",
      R"(/events/2/fleet_factor: 2; expected nothing beside service: one event changes one thing)"}},
    {"whom it does not concern", {R"(events=[{"date": "2025-01-13", "label": "l", "provider": "alpha", "demand_factor": 2}, {"date": "2025-01-13", "label": "l", "leaves": true}, {"date": "2025-01-13", "label": "l", "provider": "beta", "segment": "chat", "fleet_factor": 2}])"},
     {R"(/events/0/provider: "alpha"; expected nothing: it concerns a segment)",
      R"(/events/1/provider; expected the provider that it concerns (missing))",
      R"(/events/2/segment: "chat"; expected nothing: it concerns a provider)"}},
    {"before it comes and after it goes", {kBetaEnters, R"(events=[{"date": "2025-01-13", "label": "l", "provider": "beta", "fleet_factor": 2}, {"date": "2025-01-20", "label": "l", "provider": "alpha", "leaves": true}, {"date": "2025-01-20", "label": "l", "provider": "alpha", "fleet_factor": 2}])"},
     {R"(/events/0/date: "2025-01-13"; expected a date from that on which beta enters)",
      R"(/events/2/provider: "alpha"; expected a provider that is there: it left on 2025-01-20)"}},
    {"more cached than sent", {"segments.0.tokens.cached=1001"},
     {R"(/segments/0/tokens/cached: 1001.0; expected at most the input)"}},
    {"a law of lengths that falls", {R"(segments.0.context_need={"probability": [0, 1], "tokens": [9, 8]})"},
     {R"(/segments/0/context_need; expected as many probabilities as tokens, both rising)"}},
    {"the brand of an unknown segment", {R"(providers.0.brand={"chatt": 1})"},
     {R"(/providers/0/brand/chatt: "chatt"; expected the name of a segment; did you mean chat?)"}},
    {"averages over more than there is", {"growth_over=5"},
     {R"(/growth_over: 5; expected at most the calendar's periods)"}},
    {"an unknown key", {"weights.log_prize=1"},
     {R"(/weights/log_prize; expected a known key; did you mean log_price?)"}}};
// clang-format on

}  // namespace

TEST_CASE("a broken market says where, what it holds and what it should", "[scenario]") {
  REQUIRE(refusals({}).empty());
  for (const Broken& broken : kBroken) {
    INFO(broken.what);
    CHECK(refusals(broken.sets) == broken.messages);
  }
}

TEST_CASE("a message about a market has the file and the line", "[scenario]") {
  const std::string text = R"({
  "calendar": {"start": "2025-01-06", "periods": 1}, "weights": {"log_price": -1},
  "segments": [{"name": "a", "requests_per_s": 1, "tokens": {"input": 1, "output": 1}}],
  "providers": [{"name": "p", "usd_per_mtok": {"input": 1, "output": 1}, "context": 9,
                 "service": {"kind": "held", "ttft_s": 1, "tok_s": 9}}]})";
  CHECK_THROWS_WITH(load_market_text(text, "m.json", shipped()),
                    "m.json:5: /providers/0/service/query; expected what held service needs (missing)");
}

TEST_CASE("an unknown scenario of a service is named with the nearest known one", "[scenario]") {
  const std::string set = R"(providers.0.service={"kind": "simulated", "scenario": "llama-70b-h10", "fleet_gpus": 8})";
  CHECK_THROWS_WITH(loaded({set}),
                    Catch::Contains("\"llama-70b-h10\"; expected a known scenario; did you mean llama-70b-h100?"));
}

TEST_CASE("the shipped market loads, with each scenario and query once", "[scenario]") {
  const MarketSpec market = load_market("deepseek-2025", shipped());
  CHECK(market.name == "deepseek-2025");
  CHECK(market.calendar.periods == 23);
  CHECK(market.providers.size() == 19);
  CHECK(market.segments.size() == 5);
  CHECK(market.samples == 200);
  const auto& first = std::get<HeldServiceSpec>(market.providers[1].service);
  const auto& second = std::get<HeldServiceSpec>(market.providers[2].service);
  CHECK(first.query == second.query);
  CHECK(market.providers[1].nest == market.providers[2].nest);
  CHECK(market.providers[0].nest == -1);
  // Brand {"app": 0, "other": 1}; TTFT's weight -0.7 x 0.3 in the segment where nobody waits.
  CHECK(market.providers[0].brand == std::vector<double>{0, 1, 1, 1, 1});
  CHECK(market.segments[3].weights.log_ttft == Approx(-0.21));
  // 20,000 tokens of prompt of which 12,000 are cached.
  CHECK(market.segments[2].tokens.input_computed == 8000);
  CHECK(market.segments[2].tokens.input_cached == 12000);
}

TEST_CASE("the defaults that the market's schema states are those of the types", "[scenario]") {
  const MarketSpec market = loaded({"calendar={\"start\": \"2025-01-06\", \"periods\": 4}"});
  const json& schema = shipped().schema("market");
  const auto stated = [&](const std::string& pointer) { return schema.at(json::json_pointer(pointer))["default"]; };
  const std::string segment = "/properties/segments/items/properties/", weight = "/properties/weights/properties/",
                    pricing = "/definitions/pricing/properties/";
  const Segment& chat = market.segments[0];
  CHECK(chat.elasticity == stated(segment + "elasticity"));
  CHECK(chat.switching_share == stated(segment + "switching_share"));
  CHECK(chat.growth == stated(segment + "growth"));
  CHECK(chat.free == stated(segment + "free"));
  CHECK(chat.weights.log_seconds == stated(weight + "log_seconds"));
  CHECK(chat.weights.log_ttft == stated(weight + "log_ttft"));
  CHECK(chat.weights.log_context_fit == stated(weight + "log_context_fit"));
  CHECK(chat.dissimilarity == stated(weight + "dissimilarity"));
  CHECK(market.seed == stated("/properties/seed"));
  CHECK(market.samples == stated("/properties/samples"));
  CHECK(market.ends == stated("/properties/growth_over"));
  CHECK(stated("/properties/calendar/properties/period") == "month");
  CHECK(market.calendar.length == PeriodLength::Month);
  CHECK(stated(segment + "tokens/properties/cached") == 0);
  CHECK(loaded({R"(segments.0.tokens={"input": 7, "output": 1})"}).segments[0].tokens.input_cached == 0);
  // Factors of 1 leave a weight as it is.
  for (const char* key : {"service_factor", "price_factor"}) CHECK(stated(segment + key) == 1);
  CHECK(stated(weight + "service_factor") == 1);
  CHECK(chat.weights.log_price == -1);

  const PricingRule rule;
  CHECK(rule.damping == stated(pricing + "damping"));
  CHECK(TargetMargin{}.margin_over_revenue == stated(pricing + "margin_over_revenue"));
  CHECK(FollowRival{}.ratio == stated(pricing + "ratio"));
  const SimulatedServiceSpec simulated;
  CHECK(simulated.least_tok_s == stated("/definitions/service/properties/least_tok_s"));
  CHECK(simulated.objective == ProviderObjective::MaxResearch);
  CHECK(stated("/definitions/service/properties/objective") == "max_research");
}

TEST_CASE("a market with its uncertain numbers at the file's own values is that market", "[scenario]") {
  const MarketSpec market = load_market("deepseek-2025", shipped());
  std::vector<double> own;
  for (const UncertainNumber& number : market.uncertain)
    own.push_back(json::parse(market.text).at(json::json_pointer(number.pointer)));
  const MarketSpec same = with_numbers(market, own);
  CHECK(same.text == market.text);
  REQUIRE(same.providers.size() == market.providers.size());
  for (std::size_t i = 0; i < same.providers.size(); ++i) {
    CHECK(same.providers[i].brand == market.providers[i].brand);
    const auto* held = std::get_if<HeldServiceSpec>(&same.providers[i].service);
    if (held != nullptr) CHECK(held->query == std::get<HeldServiceSpec>(market.providers[i].service).query);
  }
  for (std::size_t s = 0; s < same.segments.size(); ++s) {
    CHECK(same.segments[s].weights.log_price == market.segments[s].weights.log_price);
    CHECK(same.segments[s].growth == market.segments[s].growth);
  }
  own[0] = -1.3;  // /weights/log_price
  CHECK(with_numbers(market, own).segments[1].weights.log_price == Approx(-1.3));
  CHECK(with_numbers(market, own).segments[1].growth == market.segments[1].growth);
}

}  // namespace tokenomics
