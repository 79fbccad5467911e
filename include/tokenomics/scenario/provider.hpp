#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/market/strategy.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// A moment in UTC; a date stands for its first minute.
using UtcTime = std::chrono::sys_time<std::chrono::minutes>;

/// Reads "YYYY-MM-DD" or "YYYY-MM-DDTHH:MMZ"; nothing for anything else, such as 30 February.
std::optional<UtcTime> parse_utc_time(std::string_view text);

enum class ProviderKind {
  FirstParty,        ///< serves its own open networks
  Host,              ///< serves others' networks
  Router,            ///< passes requests on to its `buys_from`
  Closed,            ///< known by price and observed service only
  ExportControlled,  ///< serves from a fleet that controls keep small
  Application,       ///< buys tokens from its `buys_from`, sells tasks
};

/// One network at one price as seen on one day. What the source does not say is absent or an empty text.
struct OfferSpec {
  std::string model;            ///< the catalogue's name where the network is in it
  std::string flavour;          ///< the provider's word for one of several services of a network: "turbo"
  std::optional<UtcTime> date;  ///< of the price list
  std::string via;              ///< whose list: "direct", "OpenRouter", "Hugging Face router"
  TokenPrices prices;
  std::optional<std::int64_t> context_tokens;
  std::optional<std::int64_t> max_output_tokens;
  std::optional<Seconds> ttft_p50;           ///< as the source sees it, the way to the provider included
  std::optional<TokensPerSecond> speed_p50;  ///< output tokens of one request
  std::string quantization;
  std::optional<std::int64_t> requests_in_window;  ///< behind the medians; the window is not stated
  std::string source;
  std::string note;
};

/// One model of the provider's API at one list price, from <= t < to.
struct PricePeriod {
  struct OffPeak {
    UtcTime from;              ///< when the discount began
    double from_hour_utc = 0;  ///< [0, 24); the window may wrap midnight
    double to_hour_utc = 0;
    TokenPrices prices;
  };
  std::string model;
  std::string api_name;  ///< what requests call it; the model's name where the file has none
  UtcTime from;
  std::optional<UtcTime> to;  ///< absent: in force when the source was written
  TokenPrices standard;
  std::optional<OffPeak> off_peak;
  std::optional<std::int64_t> context_tokens;
  std::optional<std::int64_t> max_output_tokens;
  std::string source;
};

/// Accelerators for serving.
struct ProviderFleet {
  std::optional<std::int64_t> gpus;  ///< at most; absent: not published
  bool capped = false;               ///< demand cannot be met by renting more
};

/// What a provider serves from and what it wants.
struct StrategySpec {
  std::optional<ProviderObjective> objective;
  std::vector<std::string> models;    ///< networks of the catalogue that it serves itself
  std::vector<std::string> hardware;  ///< accelerators of the catalogue; of hosts, candidates
  std::string engine;
  std::optional<ProviderFleet> fleet;
  std::optional<std::int64_t> context_limit_tokens;  ///< prompt and answer
  std::optional<UsdPerSecond> gpu_price;             ///< of one accelerator; absent: its rental price
  std::string stance;
  std::vector<std::string> assumptions;
};

/// Output tokens of one answer: a count, or a multiple of another model's.
struct AnswerLength {
  std::string model;
  std::string task;
  std::optional<double> tokens;
  std::optional<double> relative;  ///< tokens over those of `relative_to`
  std::string relative_to;
  bool is_lower_bound = false;  ///< the source says "more than"
  std::string source;
};

struct ProviderSpec {
  std::string name;
  std::string description;
  ProviderKind kind = ProviderKind::Host;
  std::vector<std::string> modelled;  ///< "price", "speed", "ttft" ...: what a simulation says something about
  std::vector<OfferSpec> offers;
  std::vector<PricePeriod> price_history;
  StrategySpec strategy;
  std::vector<AnswerLength> tokens_per_answer;
  std::vector<std::string> buys_from;  ///< names of other providers
  std::string sells;
  std::vector<std::string> assumptions;
};

/// A provider by name, alias or path. Throws ScenarioError with every problem of the file: what the schema refuses, dates
/// that do not exist or do not follow each other, overlapping periods of one API name, unknown networks, accelerators and
/// providers.
ProviderSpec load_provider(const std::string& name, const Catalogue& catalogue);

/// List prices of `model` (a network's or an API's name) at a moment, hours in UTC; off-peak hours only once they had
/// begun. Two API names of one network: the first in the file. Nothing when the history has no such period.
std::optional<PriceCard> price_card(const ProviderSpec& provider, std::string_view model, UtcTime when);

}  // namespace tokenomics
