#include <algorithm>

#include "summaries.hpp"
#include "tokenomics/llm/counts.hpp"
#include "tokenomics/study/fleet_control.hpp"

namespace tokenomics {
namespace {

/// What the tiers below HBM cost: their capacity (without one, what they hold on average) and what is loaded from them.
void add_cache_costs(PoolUse& use, const BuiltPool& pool, const std::vector<WindowOutcome>& outcomes, std::size_t index) {
  if (!pool.spec->prefix_cache || use.provisioned <= Seconds{0}) return;
  constexpr double kGiga = 1e9, kTera = 1e12, kMonthS = kHoursPerYear / 12 * kSecondsPerHour;
  const double bytes = kv_bytes_per_token(pool.spec->plan.network, pool.spec->plan.precisions.kv).value();
  double storage_usd = 0;
  for (const WindowOutcome& outcome : outcomes) {
    const PoolResult& r = outcome.result.pools[index];
    const double scale = scale_of(outcome);
    for (std::size_t t = 0; t < pool.spec->prefix_cache->tiers.size() && t + 1 < r.cache.loaded.size(); ++t) {
      const CacheTierSpec& tier = pool.spec->prefix_cache->tiers[t];
      double byte_s = r.cache.held_token_s[t + 1] * bytes;
      if (tier.capacity_GB_per_gpu) byte_s = *tier.capacity_GB_per_gpu * kGiga * pool.gpus_per_instance() * r.provisioned_s;
      if (tier.capacity_TB) byte_s = *tier.capacity_TB * kTera * outcome.result.measured_s;
      storage_usd += scale * byte_s / kGiga / kMonthS * tier.usd_per_GB_month;
      use.kv_loads += Usd{scale * r.cache.loaded[t + 1] * bytes / kTera * tier.usd_per_TB_loaded};
    }
  }
  use.kv_storage += Usd{storage_usd} / use.provisioned;
}

std::vector<PoolUse> pool_uses(const RunResult& result, const BuiltService& service,
                               const std::vector<WindowOutcome>& outcomes) {
  std::vector<PoolUse> uses;
  for (std::size_t i = 0; i < service.pools.size(); ++i) {
    PoolUse use;
    use.gpu = result.scenario.cost.gpu();
    use.kv_storage = result.scenario.cost.kv_storage;
    const double gpus = service.pools[i].gpus_per_instance();
    for (const WindowOutcome& outcome : outcomes) {
      const PoolResult& r = outcome.result.pools[i];
      const double scale = scale_of(outcome) * gpus;
      use.provisioned += Seconds{r.provisioned_s * scale};
      use.busy += Seconds{r.busy_s * scale};
      use.prefill += Seconds{r.prefill_s * scale};
      use.decode += Seconds{r.decode_s * scale};
    }
    add_cache_costs(use, service.pools[i], outcomes, i);
    uses.push_back(use);
  }
  return uses;
}

/// Volumes by hour of the day: a window's tokens spread evenly over the part of the day it stands for.
DailyVolume by_hour(const std::vector<WindowOutcome>& outcomes) {
  DailyVolume day{};
  for (const WindowOutcome& outcome : outcomes) {
    const double hours = outcome.plan.stands_for_s / kSecondsPerHour;
    const TokenVolume volume = volume_of(outcome);
    for (int hour = 0; hour < 24; ++hour) {
      const double from = std::max<double>(hour, outcome.plan.hour - hours / 2),
                   to = std::min(hour + 1.0, outcome.plan.hour + hours / 2);
      const double share = std::max(0.0, to - from) / hours;
      TokenVolume& at = day[static_cast<std::size_t>(hour)];
      at.input_computed += share * volume.input_computed;
      at.input_cached += share * volume.input_cached;
      at.output += share * volume.output;
    }
  }
  return day;
}

/// The other model keeps the card's off-peak prices, where both cost the same (as DeepSeek's V3 and R1 do).
Realisation realisation_of(const PricingSpec& pricing) {
  Realisation realisation{pricing.realised.free_share, pricing.realised.other_model_share, std::nullopt};
  if (pricing.realised.other_model_prices)
    realisation.other_model = PriceCard{*pricing.realised.other_model_prices, pricing.card->off_peak};
  return realisation;
}

/// Revenue at the prices of each hour, and what is realised of it.
template <typename Volume>
void bill(PriceSummary& price, const PricingSpec& pricing, const Volume& volume) {
  price.revenue = revenue(*pricing.card, volume);
  if (pricing.realised.free_share > 0 || pricing.realised.other_model_share > 0)
    price.revenue_realised = realised_revenue(*pricing.card, volume, realisation_of(pricing));
}

/// Windows stand for parts of the day. A run with a clock bills what it served as the requests that ended in it are billed;
/// one without, at standard prices.
void price_by_card(RunResult& result, const std::vector<WindowOutcome>& outcomes) {
  const PricingSpec& pricing = result.scenario.pricing;
  PriceSummary& price = result.price;
  price.prices = pricing.card->standard;
  price.from_card = true;
  price.revenue = price.revenue_list = revenue(pricing.card->standard, result.volume);
  if (result.scenario.measure.windows_per_day > 0) return bill(price, pricing, by_hour(outcomes));
  if (!hour_at_start(result.scenario)) {
    if (pricing.card->off_peak)
      result.notes.push_back("off-peak prices need the time of day, which this run does not have: all at standard prices");
    return;
  }
  bill(price, pricing, split_as(result.service.billed_in_hours, result.service.billed, result.volume));
}

}  // namespace

void summarise_money(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes) {
  result.cost = cost_breakdown(pool_uses(result, service, outcomes), result.volume, result.answers);
  PriceSummary& price = result.price;
  if (result.scenario.pricing.card) {
    price_by_card(result, outcomes);
  } else {
    price.prices = prices_from_costs(result.cost.per_token, result.scenario.pricing.margin_over_revenue);
    if (price.prices) price.revenue = price.revenue_list = revenue(*price.prices, result.volume);
  }
  const double tokens = result.volume.input_computed + result.volume.input_cached + result.volume.output;
  if (price.revenue && tokens > 0) price.own_mix_usd_per_token = price.revenue->value() / tokens;
  if (price.revenue) {
    price.margin_over_revenue = margin_over_revenue(*price.revenue, result.cost.having);
    price.margin_over_cost = margin_over_cost(*price.revenue, result.cost.having);
  }
  if (price.revenue_list) price.margin_over_cost_list = margin_over_cost(*price.revenue_list, result.cost.having);
  const auto& tdp = service.decode().spec->plan.gpu.thermal_design_power;
  if (!tdp) return;
  double joules = 0;
  for (std::size_t i = 0; i < service.pools.size(); ++i) {
    const auto& power = service.pools[i].spec->plan.gpu.thermal_design_power;
    if (!power) return;
    for (const WindowOutcome& outcome : outcomes)
      joules += power->value() * outcome.result.pools[i].busy_s * service.pools[i].gpus_per_instance() * scale_of(outcome);
  }
  EnergySummary energy{joules / 3.6e6, std::nullopt};
  if (result.volume.output > 0) energy.joule_per_output_token = joules / result.volume.output;
  result.energy = energy;
  result.notes.push_back("energy: busy GPU time at thermal design power; idle power, hosts and cooling are not in it");
}

}  // namespace tokenomics
