#include <algorithm>
#include <cmath>

#include "summaries.hpp"
#include "tokenomics/llm/counts.hpp"

namespace tokenomics {
namespace {

/// MFU = 2 * active parameters * tokens / (dense peak of the GEMM arithmetic * provisioned GPU time): attention and
/// drafts are left out, as in published figures.
double mfu(const BuiltPool& pool, const PoolResult& r) {
  const InstancePlan& plan = pool.spec->plan;
  const double flops = 2 * active_parameters(plan.network) * (r.prompt_tokens + r.output_tokens);
  const double gpu_s = r.provisioned_s * pool.gpus_per_instance();
  return flops / (plan.gpu.require_peak(plan.precisions.activations).value() * gpu_s);
}

struct StepFigures {
  double mbu = 0;
  double balancedness = 1;
};

/// MBU = HBM bytes of the mean step * steps / (peak bandwidth * provisioned GPU time). A pool that decodes counts its
/// decode steps; what prompts read beyond the weights they share with them is left out (a few percent).
StepFigures step_figures(const BuiltPool& pool, const LengthStatistics& lengths, const PoolResult& r) {
  const DecodeLoad decode = mean_decode_load(pool.config, r);
  const bool decodes = decode.sequences > 0;
  const double tokens = r.prompt_tokens / r.steps;
  if (!decodes && tokens < 1) return {};
  const StepExplanation step =
      pool.timer->explain(decode, decodes ? PrefillLoad{} : mean_prompts(pool.config, lengths, tokens));
  double bytes = 0;
  for (const OperatorTime& op : step.operators) bytes += op.hbm_bytes.value();
  const double steps = decodes ? r.decode_steps : r.steps;
  return {bytes * steps / (pool.spec->plan.gpu.require_hbm_bandwidth().value() * r.provisioned_s), step.balancedness};
}

std::optional<CacheSummary> cache_summary(const BuiltPool& pool, const CacheResult& r, double measured_s) {
  if (!pool.config.prefix_cache || r.loaded.empty()) return std::nullopt;
  CacheSummary cache;
  if (r.looked_up > 0) {
    cache.hit_share = (r.found_in_hbm + r.found_below) / r.looked_up;
    cache.hbm_hit_share = r.found_in_hbm / r.looked_up;
  }
  if (r.loads > 0) cache.load_wait_s_mean = r.load_s / r.loads;
  for (std::size_t i = 0; i < r.loaded.size(); ++i) {
    const std::string name = i == 0 ? "hbm" : pool.config.prefix_cache->tiers[i - 1].name;
    const double held = measured_s > 0 ? r.held_token_s[i] / measured_s : 0;
    cache.places.push_back({name, r.loaded[i], r.written[i], r.evicted[i], held});
  }
  return cache;
}

}  // namespace

DecodeLoad mean_decode_load(const PoolConfig& pool, const PoolResult& r) {
  if (r.decode_steps <= 0 || r.busy_s <= 0) return {};
  return decode_load_of(pool, r.sequence_s / r.busy_s, r.attended_tokens / r.decode_steps);
}

void summarise_pools(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes) {
  for (std::size_t i = 0; i < service.pools.size(); ++i) {
    const BuiltPool& pool = service.pools[i];
    const PoolResult& r = result.service.pools[i];
    PoolSummary summary;
    summary.name = pool.spec->name;
    summary.role = pool.config.role;
    summary.hardware = pool.spec->plan.gpu.name;
    for (const WindowOutcome& outcome : outcomes) {
      const double seconds = scale_of(outcome) * outcome.result.pools[i].provisioned_s;
      summary.gpu_hours += seconds * pool.gpus_per_instance() / kSecondsPerHour;
      summary.instances += result.represents_s > 0 ? seconds / result.represents_s : 0;
    }
    summary.gpus = summary.instances * pool.gpus_per_instance();
    summary.memory = pool.memory;
    summary.kv_bytes_per_token = kv_bytes_per_token(pool.spec->plan.network, pool.spec->plan.precisions.kv).value();
    summary.calibration = pool.spec->calibration.name;
    summary.calibration_is_family_default = pool.spec->calibration.is_family_default;
    if (pool.config.role != PoolRole::Decode && result.service.input_computed_tokens > 0) {
      summary.saturated_tok_s_per_node = saturated_prefill_tok_s(result.scenario, service, pool) / pool.nodes_per_instance();
    }
    summary.cache = cache_summary(pool, r.cache, result.service.measured_s);
    if (r.provisioned_s > 0) {
      summary.busy_fraction = r.busy_s / r.provisioned_s;
      summary.mfu = mfu(pool, r);
      if (pool.config.role != PoolRole::Prefill) summary.kv_occupancy_mean = r.kv_token_s / r.kv_capacity_token_s;
    }
    if (r.busy_s > 0 && r.steps > 0) {
      if (pool.config.role != PoolRole::Prefill) summary.batch_mean = r.sequence_s / r.busy_s;
      summary.step_ms_mean = r.busy_s / r.steps * 1e3;
      const StepFigures figures = step_figures(pool, service.length_statistics, r);
      summary.mbu = figures.mbu;
      if (pool.spec->plan.network.moe() != nullptr) summary.balancedness = figures.balancedness;
    }
    result.pools.push_back(std::move(summary));
  }
  const BuiltPool& first = service.pools.front();
  if (const auto& per_node = result.pools.front().saturated_tok_s_per_node)
    result.rate_match = rate_match(result.scenario, service, *per_node * first.nodes_per_instance());
}

void summarise_fleet(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes) {
  FleetSummary& fleet = result.fleet;
  fleet.nodes_trough = outcomes.front().plan.fleet.nodes;
  for (const WindowOutcome& outcome : outcomes) {
    double gpus = 0;
    for (std::size_t i = 0; i < service.pools.size(); ++i)
      gpus += outcome.plan.fleet.instances[i] * service.pools[i].gpus_per_instance();
    const double share = scale_of(outcome) * outcome.result.measured_s / std::max(1e-300, result.represents_s);
    fleet.gpus_mean += gpus * share;
    fleet.gpus_peak = std::max(fleet.gpus_peak, gpus);
    fleet.nodes_mean += outcome.plan.fleet.nodes * share;
    fleet.nodes_peak = std::max(fleet.nodes_peak, outcome.plan.fleet.nodes);
    fleet.nodes_trough = std::min(fleet.nodes_trough, outcome.plan.fleet.nodes);
  }
  fleet.gpu_hours = fleet.gpus_mean * result.represents_s / kSecondsPerHour;
  const double owned = result.scenario.fleet.owned_gpus.value_or(fleet.gpus_peak);
  fleet.gpu_hours_released = (owned - fleet.gpus_mean) * result.represents_s / kSecondsPerHour;
}

void summarise_windows(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes) {
  if (result.scenario.measure.windows_per_day <= 0) return;
  for (const WindowOutcome& outcome : outcomes) {
    WindowSummary w;
    w.hour = outcome.plan.hour;
    w.rate_per_s = outcome.plan.rate_per_s;
    w.instances = outcome.plan.fleet.instances;
    w.nodes = outcome.plan.fleet.nodes;
    w.capped = outcome.plan.fleet.capped;
    const ServiceResult& r = outcome.result;
    if (r.ttft.histogram().count() > 0) w.ttft_p90_s = r.ttft.histogram().quantile(0.9) * 1e-9;
    if (r.interactivity_count > 0)
      w.interactivity_tok_s_user = r.interactivity_sum / static_cast<double>(r.interactivity_count);
    const PoolResult& decode = r.pools.back();
    if (decode.provisioned_s > 0) w.batch_per_instance = decode.sequence_s / decode.provisioned_s;
    double gpu_s = 0;
    for (std::size_t i = 0; i < service.pools.size(); ++i)
      gpu_s += r.pools[i].provisioned_s * service.pools[i].gpus_per_instance() * scale_of(outcome);
    w.cost = result.scenario.cost.total() * Seconds{gpu_s};
    if (result.price.prices) {
      const TokenPrices& prices = result.price.from_card ? result.scenario.pricing.card->at(w.hour) : *result.price.prices;
      w.revenue = revenue(prices, volume_of(outcome));
    }
    result.windows.push_back(std::move(w));
  }
}

}  // namespace tokenomics
