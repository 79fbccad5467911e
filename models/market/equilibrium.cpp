#include "tokenomics/market/equilibrium.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

using Loads = std::vector<TokensPerSecond>;

double brand_of(const MarketProvider& provider, std::size_t segment) {
  return provider.brand.empty() ? 0.0 : provider.brand.at(segment);
}

std::vector<double> brands_for(const Market& market, std::size_t segment) {
  std::vector<double> brands;
  for (const MarketProvider& p : market.providers) brands.push_back(brand_of(p, segment));
  return brands;
}

/// Flow of a segment; without a reference, demand is the reference wherever the choice stands.
SegmentFlow flow_of(const Market& market, const PeriodStart& start, const std::vector<ProviderTerms>& terms, std::size_t s) {
  Segment segment = market.segments[s];
  const bool referenced = !start.reference_inclusive.empty() && std::isfinite(start.reference_inclusive[s]);
  if (!referenced) segment.elasticity = 0.0;
  return segment_flow(segment, terms, brands_for(market, s), start.shares.empty() ? std::vector<double>{} : start.shares[s],
                      referenced ? start.reference_inclusive[s] : 0.0);
}

/// Service at these loads, and the flows that it makes.
Equilibrium respond(const Market& market, const PeriodStart& start, const Loads& loads) {
  Equilibrium result;
  std::vector<ProviderTerms> terms;
  for (std::size_t j = 0; j < loads.size(); ++j) {
    const MarketProvider& p = market.providers[j];
    result.providers.push_back({loads[j], p.service.at(loads[j])});
    terms.push_back({p.prices, result.providers[j].service.point, p.context_tokens, p.nest});
  }
  for (std::size_t s = 0; s < market.segments.size(); ++s) result.segments.push_back(flow_of(market, start, terms, s));
  return result;
}

Loads loads_from(const Market& market, const Equilibrium& response) {
  Loads loads;
  for (std::size_t j = 0; j < market.providers.size(); ++j) {
    loads.push_back(load_of(market.segments, response.segments, market.providers[j].work, j));
  }
  return loads;
}

double sum_of(const Loads& loads) {
  double sum = 0.0;
  for (const TokensPerSecond load : loads) sum += load.value();
  return sum;
}

Loads with_units(const std::vector<double>& values) {
  Loads loads;
  for (const double value : values) loads.emplace_back(value);
  return loads;
}

std::vector<double> values_of(const Loads& loads) {
  std::vector<double> values;
  for (const TokensPerSecond load : loads) values.push_back(load.value());
  return values;
}

void check_market(const Market& market, const PeriodStart& start) {
  for (const MarketProvider& p : market.providers) {
    TOKENOMICS_CHECK(p.brand.empty() || p.brand.size() == market.segments.size(), p.name);
  }
  TOKENOMICS_CHECK(start.shares.empty() || start.shares.size() == market.segments.size(), "last shares of each segment");
  TOKENOMICS_CHECK(start.reference_inclusive.empty() || start.reference_inclusive.size() == market.segments.size(),
                   "inclusive value of each segment");
}

void add(TokenVolume& sum, const TokenVolume& per_answer, PerSecond answers) {
  sum.input_computed += per_answer.input_computed * answers.value();
  sum.input_cached += per_answer.input_cached * answers.value();
  sum.output += per_answer.output * answers.value();
}

/// Tokens per second that anybody in the market pays for: the mix of a provider that sold nothing.
TokenVolume paid_by_all(const Market& market, const Equilibrium& equilibrium) {
  TokenVolume paid;
  for (std::size_t s = 0; s < market.segments.size(); ++s) {
    if (!market.segments[s].free) add(paid, market.segments[s].tokens, equilibrium.segments[s].demand);
  }
  return paid;
}

TokenPrices answer(const Market&, const Equilibrium&, std::size_t, const TokenPrices& prices, const HoldPrices&) {
  return prices;
}

/// target / price = (cost per work / (1 - margin)) / (revenue per work).
TokenPrices answer(const Market& market, const Equilibrium& equilibrium, std::size_t j, const TokenPrices& prices,
                   const TargetMargin& rule) {
  TOKENOMICS_CHECK(rule.margin_over_revenue < 1.0, "margin = " + std::to_string(rule.margin_over_revenue));
  const MarketProvider& provider = market.providers[j];
  ProviderMoney money = money_of(market, equilibrium, j);
  if (money.revenue.value() <= 0.0) money.served = money.paid = paid_by_all(market, equilibrium);
  const double revenue_per_work = (revenue(prices, money.paid) / work(provider.work, money.served)).value();
  if (!(revenue_per_work > 0.0) || money.cost.value() == 0.0) return prices;  // nobody pays, or nothing to pay for
  const ServicePoint& service = equilibrium.providers[j].service.point;
  const TokensPerSecond sold = std::max(service.load * service.served_share, provider.service.capacity() * rule.least_load);
  const double cost_per_work = (money.cost / sold).value();
  const double factor = cost_per_work / (1.0 - rule.margin_over_revenue) / revenue_per_work;
  return step_towards(prices, blended_3_1(prices) * factor, provider.pricing);
}

TokenPrices answer(const Market& market, const Equilibrium&, std::size_t j, const TokenPrices& prices,
                   const FollowRival& rule) {
  for (const MarketProvider& rival : market.providers) {
    if (rival.name != rule.rival || blended_3_1(rival.prices).value() <= 0.0) continue;
    return step_towards(prices, blended_3_1(rival.prices) * rule.ratio, market.providers[j].pricing);
  }
  return prices;
}

double log_move(const TokenPrices& before, const TokenPrices& after) {
  const double ratio = blended_3_1(after) / blended_3_1(before);
  return std::isfinite(ratio) ? std::abs(std::log(ratio)) : 0.0;
}

std::vector<Loads> starts_of(const Market& market, TokensPerSecond all) {
  const std::size_t n = market.providers.size();
  std::vector<Loads> starts = {Loads(n, TokensPerSecond{0})};
  for (std::size_t j = 0; j < n; ++j) {
    starts.emplace_back(n, TokensPerSecond{0});
    starts.back()[j] = all;
  }
  starts.emplace_back();
  for (const MarketProvider& p : market.providers) starts.back().push_back(p.service.capacity());
  return starts;
}

}  // namespace

Equilibrium solve_period(const Market& market, const PeriodStart& start, const FixedPointOptions& options,
                         const std::vector<TokensPerSecond>& from) {
  check_market(market, start);
  const std::size_t n = market.providers.size();
  TOKENOMICS_CHECK(from.empty() || from.size() == n, std::to_string(from.size()) + " loads");
  const LoadMap map = [&](const std::vector<double>& loads) {
    return values_of(loads_from(market, respond(market, start, with_units(loads))));
  };
  const FixedPoint found = solve_fixed_point(map, from.empty() ? std::vector<double>(n, 0.0) : values_of(from), options);
  Equilibrium result = respond(market, start, with_units(found.loads));
  result.convergence = found.convergence;
  return result;
}

StartComparison solve_from_starts(const Market& market, const PeriodStart& start, const FixedPointOptions& options) {
  const Loads at_no_load = loads_from(market, respond(market, start, Loads(market.providers.size(), TokensPerSecond{0})));
  StartComparison result;
  result.all_converged = true;
  for (const Loads& loads : starts_of(market, TokensPerSecond{sum_of(at_no_load)})) {
    result.equilibria.push_back(solve_period(market, start, options, loads));
    const Equilibrium& found = result.equilibria.back();
    result.all_converged = result.all_converged && found.convergence.converged;
    double sum = 0.0;
    double difference = 0.0;
    for (std::size_t j = 0; j < found.providers.size(); ++j) {
      sum += found.providers[j].load.value();
      for (const Equilibrium& other : result.equilibria) {
        difference = std::max(difference, std::abs((found.providers[j].load - other.providers[j].load).value()));
      }
    }
    if (sum > 0.0) result.spread = std::max(result.spread, difference / sum);
  }
  return result;
}

ProviderMoney money_of(const Market& market, const Equilibrium& equilibrium, std::size_t provider) {
  ProviderMoney money;
  for (std::size_t s = 0; s < market.segments.size(); ++s) {
    const Segment& segment = market.segments[s];
    add(money.served, segment.tokens, equilibrium.segments[s].served[provider]);
    if (!segment.free) add(money.paid, segment.tokens, equilibrium.segments[s].served[provider]);
  }
  money.revenue = revenue(market.providers[provider].prices, money.paid) / Seconds{1};
  money.cost = equilibrium.providers[provider].service.point.cost;
  return money;
}

std::vector<TokenPrices> reprice(const Market& market, const Equilibrium& equilibrium) {
  std::vector<TokenPrices> prices;
  for (std::size_t j = 0; j < market.providers.size(); ++j) {
    const MarketProvider& p = market.providers[j];
    prices.push_back(
        std::visit([&](const auto& rule) { return answer(market, equilibrium, j, p.prices, rule); }, p.pricing.rule));
  }
  return prices;
}

PriceEquilibrium solve_prices(Market market, const PeriodStart& start, int max_rounds, double tolerance) {
  PriceEquilibrium result{std::move(market), {}, 0, 0, false};
  Loads from;
  for (;;) {
    result.equilibrium = solve_period(result.market, start, {}, from);
    if (result.converged || result.rounds == max_rounds) return result;
    ++result.rounds;
    const std::vector<TokenPrices> prices = reprice(result.market, result.equilibrium);
    result.last_move = 0.0;
    from.clear();
    for (std::size_t j = 0; j < prices.size(); ++j) {
      result.last_move = std::max(result.last_move, log_move(result.market.providers[j].prices, prices[j]));
      result.market.providers[j].prices = prices[j];
      from.push_back(result.equilibrium.providers[j].load);
    }
    result.converged = result.last_move <= tolerance && result.equilibrium.convergence.converged;
  }
}

}  // namespace tokenomics
