#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tokenomics/market/calendar.hpp"
#include "tokenomics/market/strategy.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

/// Service that follows from a deployment and a strategy: simulated over loads.
struct SimulatedServiceSpec {
  std::shared_ptr<const Scenario> scenario;  ///< deployment, workload and price of GPUs
  ProviderObjective objective = ProviderObjective::MaxResearch;
  double fleet_gpus = 0;             ///< that there are at most
  double least_tok_s = 0;            ///< speed that decode units are packed up to
  std::optional<double> ttft_p90_s;  ///< max_margin and max_share: what prefill units hold
};

/// Service held at what was observed, with as many GPUs as the load asks for: those of the cheapest deployment that the
/// query finds for it.
struct HeldServiceSpec {
  double ttft_s = 0;
  double tok_s = 0;
  std::shared_ptr<const Query> query;
};

/// Service as observed. What it costs is not known, and not made up.
struct ObservedServiceSpec {
  double ttft_s = 0;
  double tok_s = 0;
};

using MarketServiceSpec = std::variant<SimulatedServiceSpec, HeldServiceSpec, ObservedServiceSpec>;

struct MarketProviderSpec {
  std::string name;
  TokenPrices prices;
  double context_tokens = 0;
  std::vector<double> brand;  ///< by segment
  MarketServiceSpec service;
  PricingRule pricing;
  int nest = -1;  ///< providers of one nest are close substitutes
  Date enters{};
};

/// From this date on a provider serves in another way.
struct ServiceEventSpec {
  Date date;
  std::string label;
  std::string provider;
  MarketServiceSpec service;
  std::size_t after = 0;  ///< events of the calendar that stand above it in the file
};

/// What is read off each period.
struct MarketMeasure {
  enum class Kind { TokenShare, TokensPerDay, RequestsPerDay, Ttft, Interactivity };
  std::string name;
  Kind kind = Kind::TokenShare;
  std::string provider;   ///< whose; TokensPerDay and RequestsPerDay: empty for the whole population
  Population population;  ///< among whom
  std::string text;       ///< what the figure counts, for people
};

/// A number of the file that is known as a range only.
struct UncertainNumber {
  std::string pointer;
  double low = 0;
  double high = 0;
  std::string source;
};

/// What was seen of a measure: draws of the uncertain numbers that contradict it are dropped.
struct MarketObservation {
  std::size_t measure = 0;  ///< index
  Date date;
  double low = 0;
  double high = 0;
  std::string source;
};

struct MarketSpec {
  std::string name;
  std::string file;
  std::string description;
  std::vector<std::string> assumptions;
  std::vector<Segment> segments;
  std::vector<std::vector<std::pair<std::string, double>>> last_choices;  ///< at the start, by segment: provider, share
  std::vector<MarketProviderSpec> providers;
  Calendar calendar;  ///< entries of providers and changes of service are not among its events: surfaces come later
  std::vector<ServiceEventSpec> service_events;
  std::vector<MarketMeasure> measures;
  std::vector<UncertainNumber> uncertain;
  std::vector<MarketObservation> observed;
  int ends = 1;  ///< periods that are averaged at each end when a measure's growth is told
  int samples = 0;
  std::uint64_t seed = 1;
  std::string text;  ///< the file with its overrides, for with_numbers()
};

class Catalogue;

/// Reads a market: a path, "-" or a name in markets/. Throws ScenarioError with every problem: unknown providers in events,
/// events of providers who are not there, dates out of order or too late to take effect, a market without demand.
MarketSpec load_market(const std::string& path_or_name, const Catalogue& catalogue,
                       const std::vector<std::string>& sets = {}, std::optional<std::uint64_t> seed = std::nullopt);
MarketSpec load_market_text(const std::string& text, const std::string& file, const Catalogue& catalogue,
                            const std::vector<std::string>& sets = {}, std::optional<std::uint64_t> seed = std::nullopt);

/// The same market with its uncertain numbers set to `values`, in order. Scenarios and queries are shared.
MarketSpec with_numbers(const MarketSpec& market, const std::vector<double>& values);

}  // namespace tokenomics
