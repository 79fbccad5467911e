#include "tokenomics/study/market_run.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/base/sensitivity.hpp"
#include "tokenomics/base/statistics.hpp"
#include "tokenomics/study/service_surface.hpp"

namespace tokenomics {
namespace {

const char* kind_of(const MarketServiceSpec& spec) {
  if (std::holds_alternative<SimulatedServiceSpec>(spec)) return "simulated";
  return std::holds_alternative<HeldServiceSpec>(spec) ? "held" : "observed";
}

ResponseSurface surface_of(const MarketServiceSpec& spec, unsigned jobs, std::uint64_t seed) {
  if (const auto* simulated = std::get_if<SimulatedServiceSpec>(&spec)) return simulated_surface(*simulated, jobs, seed);
  if (const auto* held = std::get_if<HeldServiceSpec>(&spec)) return held_surface(*held, jobs);
  return observed_surface(std::get<ObservedServiceSpec>(spec));
}

/// Of all providers in order, then of all changes of service.
std::vector<MarketResult::Surface> surfaces_of(const MarketSpec& spec, unsigned jobs) {
  std::vector<MarketResult::Surface> surfaces;
  const auto add = [&](const std::string& provider, const MarketServiceSpec& service) {
    try {
      surfaces.push_back({provider, surface_of(service, jobs, spec.seed), has_known_cost(service), kind_of(service)});
    } catch (const Infeasible& error) {
      throw Infeasible(fmt::format("service of {}: {}", provider, error.what()));
    }
  };
  for (const MarketProviderSpec& provider : spec.providers) add(provider.name, provider.service);
  for (const ServiceEventSpec& event : spec.service_events) add(event.provider, event.service);
  return surfaces;
}

double context_of(const MarketSpec& spec, const std::string& provider) {
  for (const MarketProviderSpec& p : spec.providers)
    if (p.name == provider) return p.context_tokens;
  TOKENOMICS_CHECK(false, "no provider " + provider);
}

/// Providers of the first period are in the market from the start; the others enter by an event.
struct Prepared {
  Market market;
  Calendar calendar;
  PeriodStart before;
};

Prepared prepare(const MarketSpec& spec, const std::vector<MarketResult::Surface>& surfaces) {
  Prepared prepared{{spec.segments, {}}, spec.calendar, {}};
  std::vector<MarketEvent> entries;
  for (std::size_t i = 0; i < spec.providers.size(); ++i) {
    const MarketProviderSpec& p = spec.providers[i];
    MarketProvider provider{p.name,        p.prices, surfaces[i].surface, p.context_tokens,
                            WorkWeights{}, p.brand,  p.pricing,           p.nest};
    if (period_of(spec.calendar, p.enters) == 0) prepared.market.providers.push_back(std::move(provider));
    else entries.push_back({p.enters, p.name + " enters", ProviderEnters{std::move(provider)}});
  }
  for (std::size_t i = 0; i < spec.service_events.size(); ++i) {
    const ServiceEventSpec& event = spec.service_events[i];
    const auto place = prepared.calendar.events.begin() + static_cast<std::ptrdiff_t>(event.after + i);
    prepared.calendar.events.insert(place, {event.date, event.label,
                                            ServiceChange{event.provider, surfaces[spec.providers.size() + i].surface,
                                                          context_of(spec, event.provider)}});
  }
  // Entries stand before the events of the same day: those may concern who has just come.
  prepared.calendar.events.insert(prepared.calendar.events.begin(), entries.begin(), entries.end());
  const bool any = std::any_of(spec.last_choices.begin(), spec.last_choices.end(), [](const auto& c) { return !c.empty(); });
  if (!any) return prepared;
  for (const auto& choices : spec.last_choices) {
    std::vector<double> shares(prepared.market.providers.size(), 0.0);
    for (const auto& [name, share] : choices)
      for (std::size_t j = 0; j < shares.size(); ++j)
        if (prepared.market.providers[j].name == name) shares[j] = share;
    prepared.before.shares.push_back(std::move(shares));
  }
  return prepared;
}

std::vector<MarketPeriod> step(const MarketSpec& spec, const std::vector<MarketResult::Surface>& surfaces) {
  Prepared prepared = prepare(spec, surfaces);
  return run_market(std::move(prepared.market), prepared.calendar, {}, prepared.before);
}

bool listed(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

/// Sum over the population's providers (or one of them) and segments.
template <class Of>
double sum_over(const MarketPeriod& period, const MarketMeasure& measure, const Of& of) {
  double sum = 0;
  for (const ProviderPeriod& provider : period.providers) {
    if (!listed(measure.population.providers, provider.name)) continue;
    if (!measure.provider.empty() && provider.name != measure.provider) continue;
    for (std::size_t s = 0; s < provider.segments.size(); ++s)
      if (listed(measure.population.segments, period.segments[s].name)) sum += of(provider.segments[s]);
  }
  return sum;
}

std::optional<double> read(const MarketPeriod& period, const MarketMeasure& measure) {
  const double days = period.length.value() / kSecondsPerDay;
  const ProviderPeriod* provider = measure.provider.empty() ? nullptr : period.find(measure.provider);
  switch (measure.kind) {
    case MarketMeasure::Kind::TokenShare: return token_share(period, measure.provider, measure.population);
    case MarketMeasure::Kind::TokensPerDay:
      return sum_over(period, measure,
                      [](const MarketCell& cell) {
                        return cell.tokens.input_computed + cell.tokens.input_cached + cell.tokens.output;
                      }) /
             days;
    case MarketMeasure::Kind::RequestsPerDay:
      return sum_over(period, measure, [](const MarketCell& cell) { return cell.served; }) / days;
    case MarketMeasure::Kind::Ttft:
      return provider != nullptr ? std::optional(provider->service.point.ttft.value()) : std::nullopt;
    case MarketMeasure::Kind::Interactivity:
      return provider != nullptr ? std::optional(provider->service.point.interactivity.value()) : std::nullopt;
  }
  TOKENOMICS_CHECK(false, "unnamed measure");
}

std::vector<std::optional<double>> series_of(const std::vector<MarketPeriod>& periods, const MarketMeasure& measure) {
  std::vector<std::optional<double>> series;
  for (const MarketPeriod& period : periods) series.push_back(read(period, measure));
  return series;
}

/// Mean of the last `ends` periods over that of the first.
std::optional<double> ratio(const std::vector<std::optional<double>>& series, int ends) {
  double first = 0, last = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(ends); ++k) {
    const auto& early = series[k];
    const auto& late = series[series.size() - 1 - k];
    if (!early || !late) return std::nullopt;
    first += *early;
    last += *late;
  }
  return first != 0 ? std::optional(last / first) : std::nullopt;
}

/// Whether a draw agrees with everything that was observed.
bool agrees(const MarketSpec& spec, const std::vector<std::vector<std::optional<double>>>& measures) {
  return std::all_of(spec.observed.begin(), spec.observed.end(), [&](const MarketObservation& seen) {
    int k = 0;
    while (k + 1 < spec.calendar.periods && period_begin(spec.calendar, k + 1) <= seen.date) ++k;
    const auto& value = measures[seen.measure][static_cast<std::size_t>(k)];
    return value && *value >= seen.low && *value <= seen.high;
  });
}

MeasureSeries::Interval interval_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {sorted_quantile(values, 0.05), sorted_quantile(values, 0.5), sorted_quantile(values, 0.95)};
}

/// Latin hypercube: each range is cut into as many equal cells as there are draws, each cell is drawn from once (McKay,
/// Beckman, Conover 1979).
std::vector<std::vector<double>> draws_of(const MarketSpec& spec, std::size_t count) {
  std::vector<std::vector<double>> draws(count, std::vector<double>(spec.uncertain.size()));
  for (std::size_t u = 0; u < spec.uncertain.size(); ++u) {
    RandomStream random(spec.seed, "uncertain numbers", u);
    std::vector<std::size_t> cell(count);
    std::iota(cell.begin(), cell.end(), std::size_t{0});
    for (std::size_t i = count; i > 1; --i) std::swap(cell[i - 1], cell[random.below(i)]);
    const UncertainNumber& number = spec.uncertain[u];
    for (std::size_t i = 0; i < count; ++i) {
      const double share = (static_cast<double>(cell[i]) + random.uniform()) / static_cast<double>(count);
      draws[i][u] = number.low + share * (number.high - number.low);
    }
  }
  return draws;
}

/// [draw][measure] series.
using Drawn = std::vector<std::vector<std::vector<std::optional<double>>>>;

Drawn run_draws(const MarketSpec& spec, const std::vector<MarketResult::Surface>& surfaces,
                const std::vector<std::vector<double>>& draws, const MarketOptions& options) {
  Drawn drawn(draws.size());
  std::atomic<std::size_t> done{0};
  parallel_for(options.jobs, draws.size(), [&](std::size_t i) {
    const std::vector<MarketPeriod> periods = step(with_numbers(spec, draws[i]), surfaces);
    for (const MarketMeasure& measure : spec.measures) drawn[i].push_back(series_of(periods, measure));
    if (options.progress) options.progress(static_cast<double>(++done) / static_cast<double>(draws.size()));
  });
  return drawn;
}

/// Fills the intervals of one measure; draws in which it has no value are left out of that period.
void add_intervals(MeasureSeries& series, std::size_t index, const Drawn& drawn,
                   const std::vector<std::vector<double>>& draws, int ends) {
  for (std::size_t k = 0; k < series.values.size(); ++k) {
    std::vector<double> values;
    for (const auto& draw : drawn)
      if (draw[index][k]) values.push_back(*draw[index][k]);
    series.intervals.push_back(interval_of(std::move(values)));
  }
  std::vector<double> ratios, last;
  for (const auto& draw : drawn) {
    if (const auto growth = ratio(draw[index], ends)) ratios.push_back(*growth);
    last.push_back(draw[index].back().value_or(0));
  }
  series.last_over_first_interval = interval_of(std::move(ratios));
  for (std::size_t u = 0; !draws.empty() && u < draws.front().size(); ++u) {
    std::vector<double> inputs;
    for (const auto& draw : draws) inputs.push_back(draw[u]);
    series.driver.push_back(rank_correlation(inputs, last));
  }
}

}  // namespace

MarketResult run_market_spec(const MarketSpec& spec, const MarketOptions& options) {
  MarketResult result;
  result.spec = spec;
  result.surfaces = surfaces_of(spec, options.jobs);
  result.periods = step(spec, result.surfaces);
  for (const MarketPeriod& period : result.periods) result.converged = result.converged && period.convergence.converged;
  Prepared prepared = prepare(spec, result.surfaces);
  result.start_spread = solve_from_starts(prepared.market, prepared.before).spread;
  for (const MarketMeasure& measure : spec.measures) {
    MeasureSeries series{measure, series_of(result.periods, measure), {}, std::nullopt, {}, {}};
    series.last_over_first = ratio(series.values, spec.ends);
    result.measures.push_back(std::move(series));
  }
  const int samples = spec.uncertain.empty() ? 0 : options.samples.value_or(spec.samples);
  if (samples > 0) {
    const auto draws = draws_of(spec, static_cast<std::size_t>(samples));
    const Drawn drawn = run_draws(spec, result.surfaces, draws, options);
    // Rejection sampling: the draws that agree are draws of what is left of the ranges once the observations are known
    // (Rubin, Annals of Statistics 12, 1984).
    Drawn kept;
    std::vector<std::vector<double>> kept_draws;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (!agrees(spec, drawn[i])) continue;
      kept.push_back(drawn[i]);
      kept_draws.push_back(draws[i]);
    }
    result.drawn = drawn.size();
    result.kept = kept.size();
    if (kept.empty()) throw Infeasible("observed: no draw of the uncertain numbers agrees with what was observed");
    for (std::size_t m = 0; m < result.measures.size(); ++m)
      add_intervals(result.measures[m], m, kept, kept_draws, spec.ends);
  }
  return result;
}

}  // namespace tokenomics
