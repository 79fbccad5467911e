#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tokenomics/market/equilibrium.hpp"
#include "tokenomics/market/money.hpp"

/// A market over the calendar: each period an equilibrium, between periods growth, events and new prices.
namespace tokenomics {

using Date = std::chrono::sys_days;

struct ProviderEnters {
  MarketProvider provider;
};
struct ProviderLeaves {
  std::string provider;
};
struct PriceChange {
  std::string provider;
  TokenPrices prices;
};
struct ServiceChange {
  std::string provider;
  ResponseSurface service;
  double context_tokens = 0;
};
/// The fleet becomes `factor` of what it is: see ResponseSurface::scaled.
struct FleetChange {
  std::string provider;
  double factor = 1;
};
/// Requests of a segment (of all, when its name is empty) become `factor` of what they are.
struct DemandChange {
  std::string segment;
  double factor = 1;
};
/// From here on the segment (all, when empty) grows by this share each period.
struct GrowthChange {
  std::string segment;
  double growth = 0;
};
using MarketAction =
    std::variant<ProviderEnters, ProviderLeaves, PriceChange, ServiceChange, FleetChange, DemandChange, GrowthChange>;

struct MarketEvent {
  Date date;
  std::string label;  ///< for reports
  MarketAction action;
};

enum class PeriodLength { Week, Month };

/// Periods from `start` on. An event takes effect at the boundary of periods nearest to its date, the earlier of two equally
/// near ones; events of the same boundary by date, then in the order given. Months need a start day up to the 28th.
struct Calendar {
  Date start;
  PeriodLength length = PeriodLength::Month;
  int periods = 0;
  std::vector<MarketEvent> events;
};

/// First day of period k >= 0; of k = periods: the day after the end.
Date period_begin(const Calendar& calendar, int k);
/// Period in which an event takes effect: 0 for early dates; the calendar's number of periods (never) for late ones.
int period_of(const Calendar& calendar, Date date);

/// One provider's business with one segment in one period.
struct MarketCell {
  double share = 0;    ///< of the segment's demand, sent here
  double served = 0;   ///< requests
  double refused = 0;  ///< above capacity
  double left = 0;     ///< gave up waiting
  TokenVolume tokens;  ///< of the served
  MicroUsd revenue;
  MicroUsd cost;  ///< its part of the provider's cost, in the ratio of the work served
};

struct ProviderPeriod {
  std::string name;
  TokenPrices prices;
  TokensPerSecond load{0};
  ServiceAt service;
  std::vector<MarketCell> segments;
  MicroUsd revenue;    ///< of all segments
  MicroUsd cost;       ///< of having the fleet: the segments' parts and `idle_cost`
  MicroUsd idle_cost;  ///< the whole cost when nothing was served, else 0

  [[nodiscard]] MicroUsd margin() const { return revenue - cost; }
  [[nodiscard]] TokenVolume tokens() const;
};

struct SegmentPeriod {
  std::string name;
  double demand = 0;   ///< requests: served + refused + left + outside
  double outside = 0;  ///< requests not sent to anybody
  double inclusive_value = 0;
};

struct MarketPeriod {
  Date begin;
  Seconds length{0};
  std::vector<std::string> events;  ///< labels of what took effect at the beginning
  std::vector<ProviderPeriod> providers;
  std::vector<SegmentPeriod> segments;
  MicroUsd revenue;
  MicroUsd cost;
  Convergence convergence;

  /// The provider of that name, or nothing when it is not in the market.
  [[nodiscard]] const ProviderPeriod* find(const std::string& name) const;
};

/// The market stepped over the calendar. Each period: growth (not in the first), events, new prices of those with a rule
/// (from the last period's outcome; an event's price comes after), fixed point from the last period's loads. Users who do
/// not reconsider keep their last share; requests that are new and users whose provider left choose freely. Demand is a
/// segment's reference at the choice of the first period; elasticity counts from there. Names of events that are not in the
/// market, and a name that enters twice, are a broken contract: check input before. `before`: last choices of users at the
/// start, by segment and by the providers of the first period; empty: nobody has any.
std::vector<MarketPeriod> run_market(Market market, const Calendar& calendar, const FixedPointOptions& options = {},
                                     const PeriodStart& before = {});

/// Whose tokens are counted. Empty lists: all.
struct Population {
  std::vector<std::string> providers;
  std::vector<std::string> segments;
};

/// Tokens (input, cached input and output) that a provider served to these segments, over what these providers served to
/// them: "DeepSeek's share of DeepSeek-model tokens". Absent when the population served none.
std::optional<double> token_share(const MarketPeriod& period, const std::string& provider, const Population& population);

}  // namespace tokenomics
