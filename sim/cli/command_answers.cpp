#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/market/token_efficiency.hpp"
#include "tokenomics/scenario/provider.hpp"

namespace tokenomics::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kMostTokens = 10'000'000;

struct KnownAnswer {
  double relative = 1;
  bool is_lower_bound = false;
};

/// Models whose tokens per answer somebody published, over those of the model that others are compared with.
std::map<std::string, KnownAnswer> known_answers(const std::vector<ProviderSpec>& providers) {
  std::map<std::string, KnownAnswer> known;
  for (const ProviderSpec& provider : providers)
    for (const AnswerLength& answer : provider.tokens_per_answer)
      if (answer.relative) known.emplace(answer.model, KnownAnswer{*answer.relative, answer.is_lower_bound});
  return known;
}

/// Offers with a price, a first token and a speed, of models whose answers are known.
std::vector<AnswerOffer> offers_of(const std::vector<ProviderSpec>& providers,
                                   const std::map<std::string, KnownAnswer>& known, double input, double output) {
  std::vector<AnswerOffer> offers;
  for (const ProviderSpec& provider : providers)
    for (const OfferSpec& offer : provider.offers) {
      const auto answer = known.find(offer.model);
      if (answer == known.end() || !offer.ttft_p50 || !offer.speed_p50) continue;
      offers.push_back({fmt::format("{} at {}", offer.model, provider.name), offer.prices, *offer.ttft_p50, *offer.speed_p50,
                        Tokens{input}, Tokens{output * answer->second.relative}});
    }
  std::stable_sort(offers.begin(), offers.end(),
                   [](const AnswerOffer& a, const AnswerOffer& b) { return seconds_per_answer(a) < seconds_per_answer(b); });
  return offers;
}

ordered_json json_of(const std::vector<AnswerOffer>& offers, const std::vector<OrderFlip>& flips,
                     const ReportOptions& report) {
  ordered_json rows = ordered_json::array(), turned = ordered_json::array();
  for (const AnswerOffer& offer : offers)
    rows.push_back({{"offer", offer.name},
                    {"output_usd_per_mtok", in_usd_per_mtok(offer.prices.output)},
                    {"ttft_s", offer.ttft.value()},
                    {"interactivity_tok_s_user", offer.interactivity.value()},
                    {"output_tokens", offer.output.value()},
                    {"seconds_per_answer", seconds_per_answer(offer).value()},
                    {"usd_per_answer", usd_per_answer(offer).value()}});
  for (const OrderFlip& flip : flips)
    turned.push_back({{"offer", offers[flip.first].name},
                      {"against", offers[flip.second].name},
                      {"of", flip.of_time ? "time" : "price"}});
  return {{"schema", "tokenomics.answers/1"}, {"version", report.version}, {"offers", rows}, {"flips", turned}};
}

std::string table_of(const std::vector<AnswerOffer>& offers, const std::vector<OrderFlip>& flips) {
  std::string text = fmt::format("{:<36}{:>10}{:>10}{:>12}{:>10}{:>12}{:>14}\n", "", "out, USD/M", "TTFT, s", "tok/s/user",
                                 "tokens", "s/answer", "USD/answer");
  for (const AnswerOffer& offer : offers)
    text += fmt::format("{:<36}{:>10.3g}{:>10.3g}{:>12.3g}{:>10.0f}{:>12.3g}{:>14.3g}\n", offer.name,
                        in_usd_per_mtok(offer.prices.output), offer.ttft.value(), offer.interactivity.value(),
                        offer.output.value(), seconds_per_answer(offer).value(), usd_per_answer(offer).value());
  const auto count = [&](bool of_time) {
    return std::count_if(flips.begin(), flips.end(), [&](const OrderFlip& flip) { return flip.of_time == of_time; });
  };
  return text +
         fmt::format(
             "\n{} pairs turn round in time (slower by the token, sooner with the answer), {} in price.\n"
             "Tokens per answer are published as multiples of Claude Sonnet 4's; \"more than 3 times\" counts as 3.\n",
             count(true), count(false));
}

int answers(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  if (format == Format::Csv) throw UsageError("answers: --format csv is not made; table or json");
  const auto output_tokens = static_cast<double>(options.whole("output", 1, kMostTokens).value_or(1000));
  const auto input_tokens = static_cast<double>(options.whole("input", 1, kMostTokens).value_or(1000));
  const Catalogue catalogue = open_catalogue(options);
  std::vector<ProviderSpec> providers;
  for (const CatalogueEntry& entry : catalogue.list(CatalogueKind::Providers))
    providers.push_back(load_provider(entry.name, catalogue));
  const std::vector<AnswerOffer> offers = offers_of(providers, known_answers(providers), input_tokens, output_tokens);
  const std::vector<OrderFlip> flips = order_flips(offers);
  ResultOutput output(options);
  output.finish(format == Format::Json ? json_text(json_of(offers, flips, report)) : table_of(offers, flips));
  return 0;
}

}  // namespace

Command answers_command() {
  return {"answers",
          "price and seconds of an answer beside those of a token, and whose order turns round",
          {"tokenomics answers", "tokenomics answers --output 2000 --input 500 --format json"},
          {},
          {{"output", "N", "tokens of the model with the fewest (default 1000)"},
           {"input", "N", "tokens of the prompt (default 1000)"},
           kCatalogue,
           kFormat,
           kOut,
           kColor,
           kQuiet,
           kHelp},
          answers};
}

}  // namespace tokenomics::cli
