#include "support/catch.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "tokenomics/llm/counts.hpp"
#include "tokenomics/scenario/provider.hpp"

namespace tokenomics {
namespace {

UtcTime at(const char* text) { return parse_utc_time(text).value(); }

/// The provider's offer of a network on one price list.
OfferSpec offer(const ProviderSpec& provider, const std::string& model, const std::string& via) {
  for (const OfferSpec& one : provider.offers)
    if (one.model == model && one.via == via) return one;
  FAIL(provider.name << " has no offer of " << model << " via " << via);
  return {};
}

double blended_usd_per_mtok(const TokenPrices& prices) { return in_usd_per_mtok(blended_3_1(prices)); }

double ratio(UsdPerToken price, UsdPerToken other) { return price / other; }

void check_prices(const TokenPrices& prices, double input, std::optional<double> cached, double output) {
  CHECK(in_usd_per_mtok(prices.input) == Approx(input));
  CHECK(prices.input_cached.has_value() == cached.has_value());
  if (cached && prices.input_cached) CHECK(in_usd_per_mtok(*prices.input_cached) == Approx(*cached));
  CHECK(in_usd_per_mtok(prices.output) == Approx(output));
}

std::vector<ProviderSpec> every(ProviderKind kind) {
  std::vector<ProviderSpec> all;
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Providers)) {
    ProviderSpec provider = load_provider(entry.name, shipped());
    if (provider.kind == kind) all.push_back(std::move(provider));
  }
  return all;
}

}  // namespace

TEST_CASE("every shipped provider loads", "[scenario]") {
  std::set<std::string> names;
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Providers)) {
    INFO(entry.path);
    CHECK_FALSE(entry.description.empty());
    CHECK(std::filesystem::path(entry.path).stem() == entry.name);
    REQUIRE_NOTHROW(load_provider(entry.name, shipped()));
    names.insert(entry.name);
  }
  CHECK(names == std::set<std::string>{"alibaba", "anthropic", "azure", "cursor", "deepinfra", "deepseek", "fireworks",
                                       "friendli", "google", "lambda", "nebius", "novita", "openai", "openrouter",
                                       "parasail", "tencent", "together", "windsurf"});
}

TEST_CASE("DeepSeek's R1 costs 0.55, 0.14 cached and 2.19 USD/M, 0.96 blended", "[scenario]") {
  // Source: DeepSeek's price page; its note on the production day of 2025-02-27. (3 x 0.55 + 2.19) / 4 = 0.96.
  const auto card = price_card(load_provider("deepseek", shipped()), "deepseek-r1", at("2025-02-27"));
  REQUIRE(card);
  check_prices(card->standard, 0.55, 0.14, 2.19);
  CHECK(blended_usd_per_mtok(card->standard) == Approx(0.96));
}

TEST_CASE("Azure charges 1.35 and 5.40 USD/M for R1, 2.46 times DeepSeek's blended price", "[scenario]") {
  // Source: Azure's price list of 2025. (3 x 1.35 + 5.40) / 4 = 2.3625; 2.3625 / 0.96 = 2.461: the article's "2.5x".
  const ProviderSpec azure = load_provider("azure", shipped());
  const TokenPrices own = offer(azure, "deepseek-r1", "direct").prices;
  check_prices(own, 1.35, std::nullopt, 5.40);
  CHECK(blended_usd_per_mtok(own) == Approx(2.3625));
  const auto deepseek = price_card(load_provider("deepseek", shipped()), "deepseek-r1", at("2025-03-01"));
  CHECK(ratio(blended_3_1(own), blended_3_1(deepseek.value().standard)) == Approx(2.461).margin(0.0005));
  // OpenRouter listed 10% more a week before: both lists stand, dated.
  check_prices(offer(azure, "deepseek-r1", "OpenRouter").prices, 1.485, std::nullopt, 5.94);
  CHECK(offer(azure, "deepseek-r1", "OpenRouter").date == at("2025-06-27"));
  CHECK(offer(azure, "deepseek-r1", "direct").date == at("2025-07-03"));
}

TEST_CASE("R1's output is more than 90% cheaper than o1's, and o3's prices fell by 80% in June 2025", "[scenario]") {
  // Source: SemiAnalysis 2025-07-03. 1 - 2.19 / 60 = 96.35%; 1 - 2 / 10 = 1 - 8 / 40 = 80%.
  const ProviderSpec openai = load_provider("openai", shipped());
  const auto r1 = price_card(load_provider("deepseek", shipped()), "deepseek-r1", at("2025-01-20"));
  const auto o1 = price_card(openai, "o1", at("2025-01-20"));
  REQUIRE((r1 && o1));
  check_prices(o1->standard, 15, 7.5, 60);
  CHECK(1 - ratio(r1->standard.output, o1->standard.output) == Approx(0.9635));
  const auto before = price_card(openai, "o3", at("2025-06-09T23:59Z"));
  const auto after = price_card(openai, "o3", at("2025-06-10"));
  REQUIRE((before && after));
  CHECK(1 - ratio(after->standard.input, before->standard.input) == Approx(0.8));
  CHECK(1 - ratio(after->standard.output, before->standard.output) == Approx(0.8));
}

TEST_CASE("at night R1 costs a quarter of its list and V3 half, the same price", "[scenario]") {
  // Source: announcement of 2025-02-26. 0.135 / 0.55 = 24.5%, 0.035 / 0.14 = 25%, 0.55 / 2.19 = 25.1%; V3: 50%. The window
  // is 00:30-08:30 in Beijing.
  const ProviderSpec deepseek = load_provider("deepseek", shipped());
  const auto r1 = price_card(deepseek, "deepseek-r1", at("2025-02-27"));
  const auto v3 = price_card(deepseek, "deepseek-v3", at("2025-02-27"));
  REQUIRE((r1 && r1->off_peak && v3 && v3->off_peak));
  CHECK((r1->off_peak->from_hour == 16.5 && r1->off_peak->to_hour == 0.5));
  const TokenPrices& night = r1->off_peak->prices;
  CHECK(ratio(night.input, r1->standard.input) == Approx(0.25).margin(0.005));
  CHECK(ratio(*night.input_cached, *r1->standard.input_cached) == Approx(0.25).margin(0.005));
  CHECK(ratio(night.output, r1->standard.output) == Approx(0.25).margin(0.005));
  CHECK(ratio(v3->off_peak->prices.output, v3->standard.output) == Approx(0.5));
  CHECK(v3->off_peak->prices.input == night.input);
  CHECK(v3->off_peak->prices.output == night.output);
  CHECK(in_usd_per_mtok(r1->at(20).output) == Approx(0.55));
  CHECK(in_usd_per_mtok(r1->at(12).output) == Approx(2.19));
}

TEST_CASE("a price card is the one in force at that minute", "[scenario]") {
  const ProviderSpec deepseek = load_provider("deepseek", shipped());
  CHECK_FALSE(price_card(deepseek, "deepseek-v3", at("2024-12-25")));
  CHECK(in_usd_per_mtok(price_card(deepseek, "deepseek-v3", at("2025-02-08T15:59Z"))->standard.output) == Approx(0.28));
  CHECK(in_usd_per_mtok(price_card(deepseek, "deepseek-v3", at("2025-02-08T16:00Z"))->standard.output) == Approx(1.10));
  CHECK_FALSE(price_card(deepseek, "deepseek-r1", at("2025-02-26T16:29Z"))->off_peak);
  CHECK(price_card(deepseek, "deepseek-r1", at("2025-02-26T16:30Z"))->off_peak);
  // One network under two API names, at two prices.
  CHECK(in_usd_per_mtok(price_card(deepseek, "deepseek-chat", at("2025-09-01"))->standard.output) == Approx(1.10));
  CHECK(in_usd_per_mtok(price_card(deepseek, "deepseek-reasoner", at("2025-09-01"))->standard.output) == Approx(2.19));
  CHECK_FALSE(price_card(deepseek, "deepseek-reasoner", at("2025-09-05T16:00Z"))->off_peak);
}

TEST_CASE("of a closed provider only price, speed, first token and tokens per answer are modelled", "[scenario]") {
  const std::vector<std::string> known{"price", "speed", "ttft", "tokens_per_answer"};
  const auto closed = every(ProviderKind::Closed);
  CHECK(closed.size() == 3);
  for (const ProviderSpec& provider : closed) {
    INFO(provider.name);
    CHECK(provider.modelled == known);
    CHECK(provider.description.find("Only price, speed, TTFT and tokens per answer are modelled") != std::string::npos);
    CHECK(provider.strategy.models.empty());
  }
}

TEST_CASE("R1-0528 and Gemini 2.5 Pro write at least three times as much as Claude Sonnet 4", "[scenario]") {
  for (const auto& [name, model] : {std::pair("deepseek", "deepseek-r1-0528"), std::pair("google", "gemini-2.5-pro")}) {
    const ProviderSpec provider = load_provider(name, shipped());
    REQUIRE(provider.tokens_per_answer.size() == 1);
    const AnswerLength& length = provider.tokens_per_answer[0];
    CHECK(length.model == model);
    CHECK(length.relative_to == "claude-sonnet-4");
    CHECK(length.relative == 3.0);
    CHECK(length.is_lower_bound);
  }
}

TEST_CASE("DeepSeek serves from at most 278 nodes of H800 and keeps the rest for research", "[scenario]") {
  const StrategySpec strategy = load_provider("deepseek", shipped()).strategy;
  CHECK(strategy.objective == ProviderObjective::MaxResearch);
  CHECK(strategy.hardware == std::vector<std::string>{"h800-sxm"});
  REQUIRE(strategy.fleet);
  CHECK((strategy.fleet->capped && strategy.fleet->gpus == 278 * 8));
  CHECK(in_usd_per_hour(strategy.gpu_price.value()) == Approx(2.0));
}

TEST_CASE("fleets that cannot grow have a cap without an invented size", "[scenario]") {
  for (const char* name : {"anthropic", "tencent", "alibaba"}) {
    const auto fleet = load_provider(name, shipped()).strategy.fleet;
    REQUIRE(fleet);
    CHECK((fleet->capped && !fleet->gpus));
  }
  for (const ProviderSpec& host : every(ProviderKind::Host)) CHECK_FALSE(host.strategy.fleet.value().capped);
}

TEST_CASE("eight of a host's candidate chips hold R1 in FP8 and a cache beside it, eight H100 do not", "[scenario]") {
  const double weights_B = count_parameters(load_network("deepseek-r1", shipped())).total();  // FP8: a byte each
  const auto usable_B = [](const std::string& name) {
    return 8 * 0.9 * load_gpu(name, shipped()).hbm_capacity.value().value();
  };
  for (const ProviderSpec& host : every(ProviderKind::Host)) {
    INFO(host.name);
    CHECK_FALSE(host.strategy.hardware.empty());
    for (const std::string& name : host.strategy.hardware) CHECK(usable_B(name) > weights_B);
  }
  CHECK(usable_B("h100-sxm") < weights_B);
}

TEST_CASE("a host wants share when its cheapest R1 is below 1.5 times DeepSeek's price, else margin", "[scenario]") {
  const auto hosts = every(ProviderKind::Host);
  CHECK(hosts.size() == 9);
  for (const ProviderSpec& host : hosts) {
    INFO(host.name);
    double cheapest = 1e9;
    std::int64_t longest = 0;
    for (const OfferSpec& one : host.offers) {
      if (one.date != at("2025-06-27") || !one.model.starts_with("deepseek")) continue;
      longest = std::max(longest, one.context_tokens.value());
      if (one.model.starts_with("deepseek-r1")) cheapest = std::min(cheapest, blended_usd_per_mtok(one.prices));
    }
    CHECK(host.strategy.objective == (cheapest < 1.5 * 0.96 ? ProviderObjective::MaxShare : ProviderObjective::MaxMargin));
    CHECK(host.strategy.context_limit_tokens == longest);
  }
}

TEST_CASE("whoever serves a network of the catalogue offers it, except where no offer was found", "[scenario]") {
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Providers)) {
    const ProviderSpec provider = load_provider(entry.name, shipped());
    for (const std::string& model : provider.strategy.models) {
      INFO(entry.name << " " << model);
      const bool is_offered = std::any_of(provider.offers.begin(), provider.offers.end(),
                                          [&](const OfferSpec& one) { return one.model == model; });
      const bool is_listed = std::any_of(provider.price_history.begin(), provider.price_history.end(),
                                         [&](const PricePeriod& one) { return one.model == model; });
      CHECK((is_offered || is_listed || entry.name == "tencent"));
    }
  }
}

TEST_CASE("every figure of a strategy has its source, and every fleet a source or an assumption", "[scenario]") {
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Providers)) {
    const nlohmann::json strategy = shipped().raw(CatalogueKind::Providers, entry.name)["strategy"];
    const auto sources = strategy.value("sources", std::vector<std::string>{});
    for (const std::string key : {"context_limit_tokens", "usd_per_gpu_hour"}) {
      INFO(entry.name << " " << key);
      const bool has_source = std::any_of(sources.begin(), sources.end(),
                                          [&](const std::string& source) { return source.starts_with(key + ": "); });
      CHECK(strategy.contains(key) == has_source);
    }
    const nlohmann::json fleet = strategy.value("fleet", nlohmann::json{{"assumption", "none"}});
    CHECK((fleet.contains("source") || (fleet.contains("assumption") && !fleet.contains("gpus"))));
  }
}

TEST_CASE("applications and the router buy from providers of the catalogue, and nobody else does", "[scenario]") {
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Providers)) {
    INFO(entry.name);
    const ProviderSpec provider = load_provider(entry.name, shipped());
    const bool buys = provider.kind == ProviderKind::Router || provider.kind == ProviderKind::Application;
    CHECK(buys == !provider.buys_from.empty());
    CHECK((provider.kind == ProviderKind::Application) == !provider.sells.empty());
  }
}

TEST_CASE("a moment is a date or a date with hour and minute in UTC, and exists", "[scenario]") {
  CHECK(at("1970-01-02").time_since_epoch().count() == 24 * 60);
  CHECK(at("1970-01-01T01:02Z").time_since_epoch().count() == 62);
  CHECK(at("2024-02-29") - at("2024-02-28") == std::chrono::hours(24));
  for (const char* text : {"", "2025", "2025-02-29", "2025-13-01", "2025-1-01", "2025-01-01T24:00Z", "2025-01-01T10:60Z",
                           "2025-01-01T10:00", "2025-01-01 10:00Z", "-025-01-01", "2025-01-0x", "2025-01-01T1:000Z"}) {
    INFO(text);
    CHECK_FALSE(parse_utc_time(text));
  }
}

}  // namespace tokenomics
