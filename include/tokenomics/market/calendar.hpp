#pragma once

#include <string>
#include <variant>
#include <vector>

#include "tokenomics/market/accounts.hpp"
#include "tokenomics/market/equilibrium.hpp"

/// A market over the calendar: each period an equilibrium, between periods growth, events and new prices.
namespace tokenomics {

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

/// The market stepped over the calendar. Each period: growth (not in the first), events, new prices of those with a rule
/// (from the last period's outcome; an event's price comes after), fixed point from the last period's loads. Users who do
/// not reconsider keep their last share; requests that are new and users whose provider left choose freely. Demand is a
/// segment's reference at the choice of the first period; elasticity counts from there. Names of events that are not in the
/// market, and a name that enters twice, are a broken contract: check input before. `before`: last choices of users at the
/// start, by segment and by the providers of the first period; empty: nobody has any.
std::vector<MarketPeriod> run_market(Market market, const Calendar& calendar, const FixedPointOptions& options = {},
                                     const PeriodStart& before = {});

}  // namespace tokenomics
