#include "tokenomics/market/accounts.hpp"

#include <algorithm>

namespace tokenomics {

namespace {

MarketCell cell_of(const Market& market, const Equilibrium& e, std::size_t j, std::size_t s, Seconds length) {
  const SegmentFlow& flow = e.segments[s];
  const Segment& segment = market.segments[s];
  MarketCell cell;
  cell.share = flow.demand.value() > 0.0 ? (flow.sent[j] / flow.demand).value() : 0.0;
  cell.served = flow.served[j] * length;
  cell.refused = flow.refused[j] * length;
  cell.left = flow.left[j] * length;
  cell.tokens = {segment.tokens.input_computed * cell.served, segment.tokens.input_cached * cell.served,
                 segment.tokens.output * cell.served};
  if (!segment.free) cell.revenue = to_micro_usd(revenue(market.providers[j].prices, cell.tokens));
  return cell;
}

void share_cost(ProviderPeriod& provider, const WorkWeights& weights) {
  std::vector<double> done;
  double sum = 0.0;
  for (const MarketCell& cell : provider.segments) {
    done.push_back(work(weights, cell.tokens).value());
    sum += done.back();
  }
  if (sum <= 0.0) {
    provider.idle_cost = provider.cost;
    return;
  }
  const std::vector<MicroUsd> parts = split(provider.cost, done);
  for (std::size_t s = 0; s < parts.size(); ++s) provider.segments[s].cost = parts[s];
}

ProviderPeriod provider_period(const Market& market, const Equilibrium& e, std::size_t j, Seconds length) {
  const MarketProvider& provider = market.providers[j];
  ProviderPeriod result;
  result.name = provider.name;
  result.prices = provider.prices;
  result.load = e.providers[j].load;
  result.service = e.providers[j].service;
  result.cost = to_micro_usd(result.service.point.cost * length);
  for (std::size_t s = 0; s < market.segments.size(); ++s) {
    result.segments.push_back(cell_of(market, e, j, s, length));
    result.revenue += result.segments.back().revenue;
  }
  share_cost(result, provider.work);
  return result;
}

bool listed(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

double tokens_to(const ProviderPeriod& provider, const MarketPeriod& period, const std::vector<std::string>& segments) {
  double sum = 0.0;
  for (std::size_t s = 0; s < provider.segments.size(); ++s) {
    const TokenVolume& t = provider.segments[s].tokens;
    if (listed(segments, period.segments[s].name)) sum += t.input_computed + t.input_cached + t.output;
  }
  return sum;
}

}  // namespace

MarketPeriod account(const Market& market, const Equilibrium& e, Date begin, Seconds length) {
  MarketPeriod period;
  period.begin = begin;
  period.length = length;
  period.convergence = e.convergence;
  for (std::size_t j = 0; j < market.providers.size(); ++j) {
    period.providers.push_back(provider_period(market, e, j, length));
    period.revenue += period.providers.back().revenue;
    period.cost += period.providers.back().cost;
  }
  for (std::size_t s = 0; s < market.segments.size(); ++s) {
    const SegmentFlow& flow = e.segments[s];
    period.segments.push_back({market.segments[s].name, flow.demand * length, flow.outside * length, flow.inclusive_value});
  }
  return period;
}

TokenVolume ProviderPeriod::tokens() const {
  TokenVolume sum;
  for (const MarketCell& cell : segments) {
    sum.input_computed += cell.tokens.input_computed;
    sum.input_cached += cell.tokens.input_cached;
    sum.output += cell.tokens.output;
  }
  return sum;
}

const ProviderPeriod* MarketPeriod::find(const std::string& name) const {
  const auto found = std::find_if(providers.begin(), providers.end(), [&](const auto& p) { return p.name == name; });
  return found == providers.end() ? nullptr : &*found;
}

std::optional<double> token_share(const MarketPeriod& period, const std::string& provider, const Population& population) {
  double own = 0.0;
  double all = 0.0;
  for (const ProviderPeriod& p : period.providers) {
    if (!listed(population.providers, p.name)) continue;
    const double tokens = tokens_to(p, period, population.segments);
    all += tokens;
    if (p.name == provider) own += tokens;
  }
  return all > 0.0 ? std::optional{own / all} : std::nullopt;
}

}  // namespace tokenomics
