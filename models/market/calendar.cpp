#include "tokenomics/market/calendar.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

MarketProvider& provider_named(Market& market, const std::string& name) {
  const auto found = std::find_if(market.providers.begin(), market.providers.end(), [&](auto& p) { return p.name == name; });
  TOKENOMICS_CHECK(found != market.providers.end(), "no provider " + name);
  return *found;
}

/// Calls `change` with the segment of that name, with all for an empty name.
template <typename Change>
void change_segments(Market& market, const std::string& name, Change change) {
  bool found = false;
  for (Segment& s : market.segments) {
    if (!name.empty() && s.name != name) continue;
    change(s);
    found = true;
  }
  TOKENOMICS_CHECK(found, "no segment " + name);
}

void apply(Market& market, const ProviderEnters& e) {
  for (const MarketProvider& p : market.providers) TOKENOMICS_CHECK(p.name != e.provider.name, p.name + " is there");
  market.providers.push_back(e.provider);
}
void apply(Market& market, const ProviderLeaves& e) {
  const auto at = &provider_named(market, e.provider) - market.providers.data();
  market.providers.erase(market.providers.begin() + at);
}
void apply(Market& market, const PriceChange& e) { provider_named(market, e.provider).prices = e.prices; }
void apply(Market& market, const ServiceChange& e) {
  MarketProvider& p = provider_named(market, e.provider);
  p.service = e.service;
  p.context_tokens = e.context_tokens;
}
void apply(Market& market, const FleetChange& e) {
  MarketProvider& p = provider_named(market, e.provider);
  p.service = p.service.scaled(e.factor);
}
void apply(Market& market, const DemandChange& e) {
  TOKENOMICS_CHECK(e.factor >= 0.0, "factor = " + std::to_string(e.factor));
  change_segments(market, e.segment, [&](Segment& s) { s.requests *= e.factor; });
}
void apply(Market& market, const GrowthChange& e) {
  change_segments(market, e.segment, [&](Segment& s) { s.growth = e.growth; });
}

void grow(Market& market) {
  for (Segment& s : market.segments) {
    TOKENOMICS_CHECK(s.growth > -1.0, "growth = " + std::to_string(s.growth));
    s.requests *= 1.0 + s.growth;
  }
}

/// What the next period needs of one that has been solved.
struct Solved {
  Market market;
  Equilibrium equilibrium;
};

const ProviderOutcome* outcome_of(const Solved& last, const std::string& name) {
  for (std::size_t j = 0; j < last.market.providers.size(); ++j) {
    if (last.market.providers[j].name == name) return &last.equilibrium.providers[j];
  }
  return nullptr;
}

double last_share(const Solved& last, std::size_t segment, const std::string& provider) {
  const SegmentFlow& flow = last.equilibrium.segments[segment];
  if (flow.demand.value() <= 0.0) return 0.0;
  for (std::size_t j = 0; j < last.market.providers.size(); ++j) {
    if (last.market.providers[j].name == provider) return flow.sent[j] / flow.demand;
  }
  return 0.0;
}

/// Last choices as shares of today's users: growth brings users who have none.
std::vector<std::vector<double>> last_shares(const Solved& last, const Market& market) {
  std::vector<std::vector<double>> shares;
  for (std::size_t s = 0; s < market.segments.size(); ++s) {
    const double now = market.segments[s].requests.value();
    const double old = now > 0.0 ? std::min(1.0, last.market.segments[s].requests.value() / now) : 1.0;
    shares.emplace_back();
    for (const MarketProvider& p : market.providers) shares.back().push_back(old * last_share(last, s, p.name));
  }
  return shares;
}

std::vector<TokensPerSecond> last_loads(const Solved& last, const Market& market) {
  std::vector<TokensPerSecond> loads;
  for (const MarketProvider& p : market.providers) {
    const ProviderOutcome* outcome = outcome_of(last, p.name);
    loads.push_back(outcome ? outcome->load : TokensPerSecond{0});
  }
  return loads;
}

/// Labels of the events that take effect in period k, applied by date.
std::vector<std::string> apply_events(Market& market, const Calendar& calendar, int k) {
  std::vector<const MarketEvent*> due;
  for (const MarketEvent& event : calendar.events) {
    if (period_of(calendar, event.date) == k) due.push_back(&event);
  }
  std::stable_sort(due.begin(), due.end(), [](const auto* a, const auto* b) { return a->date < b->date; });
  std::vector<std::string> labels;
  for (const MarketEvent* event : due) {
    std::visit([&](const auto& action) { apply(market, action); }, event->action);
    labels.push_back(event->label);
  }
  return labels;
}

/// Growth and the answers of the pricing rules between two periods.
void advance(Market& market, const Solved& last) {
  const std::vector<TokenPrices> prices = reprice(last.market, last.equilibrium);
  for (std::size_t j = 0; j < prices.size(); ++j) market.providers[j].prices = prices[j];
  grow(market);
}

/// Where demand counts as the reference: the first finite value of each segment.
void keep_reference(std::vector<double>& reference, const Equilibrium& e) {
  reference.resize(e.segments.size(), -std::numeric_limits<double>::infinity());
  for (std::size_t s = 0; s < reference.size(); ++s) {
    if (!std::isfinite(reference[s])) reference[s] = e.segments[s].inclusive_value;
  }
}

}  // namespace

Date period_begin(const Calendar& calendar, int k) {
  using namespace std::chrono;
  if (calendar.length == PeriodLength::Week) return calendar.start + weeks{k};
  const year_month_day first{calendar.start};
  TOKENOMICS_CHECK(first.day() <= day{28}, "months that start on a day that some months do not have");
  return sys_days{first + months{k}};
}

int period_of(const Calendar& calendar, Date date) {
  int k = 0;
  while (k < calendar.periods && date >= period_begin(calendar, k + 1)) ++k;
  if (k == calendar.periods) return k;
  const Date begin = period_begin(calendar, k);
  return date - begin > period_begin(calendar, k + 1) - date ? k + 1 : k;
}

std::vector<MarketPeriod> run_market(Market market, const Calendar& calendar, const FixedPointOptions& options,
                                     const PeriodStart& before) {
  std::vector<MarketPeriod> periods;
  std::optional<Solved> last;
  PeriodStart start = before;
  for (int k = 0; k < calendar.periods; ++k) {
    if (last) advance(market, *last);
    std::vector<std::string> labels = apply_events(market, calendar, k);
    std::vector<TokensPerSecond> from;
    if (last) {
      start.shares = last_shares(*last, market);
      from = last_loads(*last, market);
    }
    Equilibrium equilibrium = solve_period(market, start, options, from);
    keep_reference(start.reference_inclusive, equilibrium);
    const Date begin = period_begin(calendar, k);
    const Seconds length{static_cast<double>((period_begin(calendar, k + 1) - begin).count()) * kSecondsPerDay};
    periods.push_back(account(market, equilibrium, begin, length));
    periods.back().events = std::move(labels);
    last = Solved{market, std::move(equilibrium)};
  }
  return periods;
}

}  // namespace tokenomics
