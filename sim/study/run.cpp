#include "tokenomics/study/run.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "summaries.hpp"
#include "tokenomics/llm/counts.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

void add_notes(RunResult& result) {
  for (const PoolSummary& pool : result.pools) {
    if (pool.calibration_is_family_default) {
      result.notes.push_back(fmt::format("pool {}: nobody has calibrated {}; efficiencies are its family's defaults ({})",
                                         pool.name, pool.hardware, pool.calibration));
    }
  }
  if (result.scenario.measure.start == MeasureSpec::Start::Stationary) {
    result.notes.push_back(
        "stationary start: speeds are of requests that complete in a window, first tokens of requests that arrive in it; "
        "end-to-end times are not measured");
  }
  if (!result.fleet.control.empty()) {
    result.notes.push_back(
        "instances come and go: GPU-hours and cost run from the order of an instance until it is off, start-up and draining "
        "included; those on at the start are not charged for a start");
  }
  if (result.scenario.fleet.failures) {
    result.notes.push_back(
        "failures are of whole instances while they are up; a user pays for a prompt once, however often it is computed");
  }
  if (result.fleet.research) {
    result.notes.push_back(
        "prices are made from the GPU-hours that serving holds; the worth of those lent to research is told beside them");
  }
  result.notes.push_back(
      "throughput is given over decode GPUs and over all GPUs; speed percentiles are slow tails: p10 is what nine users of "
      "ten exceed");
}

/// A sequence lies on one data-parallel rank.
double sequences_that_fit(const PoolConfig& pool, std::int64_t context_tokens) {
  const std::int64_t one = context_tokens + pool.kv_tokens_per_sequence;
  return pool.ranks * std::floor(static_cast<double>(pool.kv_tokens / pool.ranks) / static_cast<double>(one));
}

/// The lengths that providers sell: 8K to 164K.
void fit_contexts(RunResult& result, const BuiltPool& pool) {
  for (const std::int64_t context : {8192, 16384, 32768, 65536, 131072, 163840}) {
    if (context > pool.spec->plan.network.max_context_tokens) break;
    const double sequences = sequences_that_fit(pool.config, context);
    result.fits.push_back({context, sequences, sequences / pool.gpus_per_instance()});
  }
}

double represented_seconds(const std::vector<WindowOutcome>& outcomes) {
  double seconds = 0;
  for (const WindowOutcome& outcome : outcomes)
    seconds += outcome.plan.stands_for_s > 0 ? outcome.plan.stands_for_s : outcome.result.measured_s;
  return seconds;
}

}  // namespace

double scale_of(const WindowOutcome& outcome) {
  if (outcome.plan.stands_for_s <= 0 || outcome.result.measured_s <= 0) return 1;
  return outcome.plan.stands_for_s / outcome.result.measured_s;
}

TokenVolume volume_of(const WindowOutcome& outcome) {
  const double scale = scale_of(outcome);
  return {outcome.result.input_computed_tokens * scale, outcome.result.input_cached_tokens * scale,
          outcome.result.output_tokens * scale};
}

RunResult run_scenario(const Scenario& scenario, const RunOptions& options) {
  RunResult result;
  result.scenario = scenario;
  if (options.hash) result.hash = scenario_hash(scenario);
  const BuiltService service = build_service(result.scenario);
  const std::vector<WindowOutcome> outcomes =
      simulate_windows(result.scenario, service, plan_windows(result.scenario, service), options);
  result.represents_s = represented_seconds(outcomes);
  for (const WindowOutcome& outcome : outcomes) {
    result.service.merge(outcome.result);
    const TokenVolume volume = volume_of(outcome);
    result.volume.input_computed += volume.input_computed;
    result.volume.input_cached += volume.input_cached;
    result.volume.output += volume.output;
    result.requests_arrived += scale_of(outcome) * static_cast<double>(outcome.result.requests.arrived);
    result.answers += scale_of(outcome) * static_cast<double>(outcome.result.answers);
  }
  result.scale = result.service.measured_s > 0 ? result.represents_s / result.service.measured_s : 1;
  result.max_context_tokens = sequence_limit(service.config);
  result.sequences_at_context_limit = sequences_that_fit(service.decode().config, result.max_context_tokens);
  fit_contexts(result, service.decode());
  summarise_pools(result, service, outcomes);
  summarise_fleet(result, service, outcomes);
  summarise_control(result, service);
  summarise_money(result, service, outcomes);
  summarise_research(result);
  summarise_windows(result, service, outcomes);
  find_binding_limits(result, service, outcomes);
  add_notes(result);
  return result;
}

ExplainLoad typical_load(const Scenario& scenario, std::size_t index) {
  const BuiltService service = build_service(scenario);
  const BuiltPool& pool = service.pools.at(index);
  const LengthStatistics& lengths = service.length_statistics;
  const auto decode_of = [&](double n) { return decode_load_of(pool.config, n, n * lengths.kv_per_output_token); };
  if (pool.config.role == PoolRole::Prefill) {
    const auto tokens = static_cast<double>(pool.config.batching.max_tokens_per_step);
    return {{},
            mean_prompts(pool.config, lengths, tokens),
            fmt::format("a full prompt step of {:.0f} tokens of the workload's mean prompts", tokens)};
  }
  if (const auto* closed = std::get_if<ClosedLoopArrivals>(&scenario.workload.arrivals)) {
    const double n = std::min(static_cast<double>(closed->concurrency) / pool.config.instances,
                              static_cast<double>(pool.config.batching.max_sequences));
    return {decode_of(n), {}, fmt::format("{:.0f} sequences: the closed loop's concurrency over the instances", n)};
  }
  double rate = service.workload->mean_arrival_rate().value_or(0) / pool.config.instances;
  std::string origin = fmt::format("stationary batch at {:.4g} requests/s per instance", rate);
  if (scenario.fleet.kind == FleetSpec::Kind::HoldService) {
    rate = instance_capacity(scenario, service).decode_rate_per_s;
    origin = fmt::format("stationary batch at the {:.4g} requests/s per instance that hold {:.4g} tok/s/user", rate,
                         scenario.fleet.interactivity_tok_s_user);
  }
  if (rate <= 0) return {decode_of(static_cast<double>(pool.config.batching.max_sequences)), {}, "a full batch"};
  const StationaryBatch batch = stationary_batch(pool.config, lengths, rate);
  return {decode_of(batch.sequences), {}, batch.saturated ? origin + " (saturated)" : origin};
}

}  // namespace tokenomics
