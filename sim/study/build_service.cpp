#include "tokenomics/study/build_service.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "tokenomics/base/random.hpp"
#include "tokenomics/llm/counts.hpp"
#include "tokenomics/study/fleet_control.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kLengthDraws = 16384;

/// Whole blocks. Uneven ranks do not shrink the memory: as it fills up, requests go to the ranks that have room.
std::int64_t usable_kv_tokens(const BuiltPool& pool) {
  return pool.memory.kv_tokens_per_instance / pool.spec->block_tokens * pool.spec->block_tokens;
}

/// Standard deviation over mean of the contexts of sequences in decode: each request is found there for its output
/// length, E[X] = E[o (i + o/2)] / E[o], E[X^2] = E[o (i^2 + i o + o^2/3)] / E[o].
double context_cv_of(const LengthLaw& law, std::int64_t limit, std::uint64_t seed) {
  RandomStream random(seed, "length statistics");
  double weight = 0, first = 0, second = 0;
  for (const Lengths& lengths : TruncatedLaw(law, limit).representative(kLengthDraws, random)) {
    const double in = static_cast<double>(lengths.input), out = static_cast<double>(lengths.output);
    weight += out;
    first += out * (in + out / 2);
    second += out * (in * in + in * out + out * out / 3);
  }
  if (first <= 0) return 0;
  return std::sqrt(std::max(0.0, second * weight / (first * first) - 1));
}

BuiltPool build_pool(const PoolSpec& spec, const std::function<double()>& context_cv) {
  BuiltPool pool;
  pool.spec = &spec;
  InstancePlan plan = spec.plan;
  plan.draft_tokens = spec.mtp.draft_tokens;
  if (plan.balance.dispatch && !plan.balance.context_cv) plan.balance.context_cv = context_cv();
  pool.memory = plan_memory(plan);
  pool.timer = std::make_unique<StepModel>(std::move(plan), spec.calibration);
  pool.config.role = spec.role;
  pool.config.instances = spec.instances;
  pool.config.ranks = spec.plan.parallelism.attention_dp;
  pool.config.timer = pool.timer.get();
  pool.config.batching = spec.batching;
  pool.config.mtp = spec.mtp;
  pool.config.block_tokens = spec.block_tokens;
  pool.config.kv_tokens = usable_kv_tokens(pool);
  pool.config.batching.swap = swap_of(spec);
  if (spec.prefix_cache && spec.role != PoolRole::Decode) pool.config.prefix_cache = prefix_cache_of(spec);
  return pool;
}

/// Closed loops and all at once, every part of a mix.
bool sends_so_many(const WorkloadSpec& workload) {
  if (!workload.mix.empty()) return std::all_of(workload.mix.begin(), workload.mix.end(), sends_so_many);
  return std::holds_alternative<ClosedLoopArrivals>(workload.arrivals) ||
         std::holds_alternative<AllAtOnceArrivals>(workload.arrivals);
}

Measurement measurement(const Scenario& scenario) {
  Measurement m;
  m.warm_up_s = scenario.measure.warm_up_s;
  m.warm_up_requests = static_cast<std::uint64_t>(scenario.measure.warm_up_requests);
  m.duration_s =
      scenario.measure.windows_per_day > 0 ? std::optional(scenario.measure.window_s) : scenario.measure.duration_s;
  if (scenario.measure.requests) m.requests = static_cast<std::uint64_t>(*scenario.measure.requests);
  // Load generators stop when they have sent their prompts; an open service goes on.
  m.drain = sends_so_many(scenario.workload);
  if (scenario.slo.ttft_s) m.slo_ttft_s = scenario.slo.ttft_s->value;
  if (scenario.pricing.card && scenario.pricing.card->off_peak && scenario.measure.windows_per_day == 0) {
    const PriceCard::OffPeak& off_peak = *scenario.pricing.card->off_peak;
    if (const auto hour = hour_at_start(scenario)) m.hours = {*hour, off_peak.from_hour, off_peak.to_hour};
  }
  if (scenario.slo.interactivity_tok_s_user) m.slo_interactivity_tok_s = scenario.slo.interactivity_tok_s_user->value;
  return m;
}

LengthStatistics statistics_of_law(const LengthLaw& law, std::int64_t limit, std::uint64_t seed) {
  RandomStream random(seed, "length statistics");
  return statistics_of(TruncatedLaw(law, limit).representative(kLengthDraws, random));
}

/// All that the statistics of a workload with given lengths depend on.
struct LengthsKey {
  IndependentLengths lengths;
  double cache_hit_ratio = 0, reasoning_share = 0;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  bool operator==(const LengthsKey&) const = default;
};

/// statistics_of_law(), remembered by each thread for its last few keys: a sweep's points mostly share their lengths, and
/// the draws take longer than simulating some hundred requests.
LengthStatistics length_statistics(const Scenario& scenario, const LengthLaw& law, std::int64_t limit) {
  constexpr std::size_t kRemembered = 8;
  thread_local std::vector<std::pair<LengthsKey, LengthStatistics>> known;
  const WorkloadSpec& workload = scenario.workload;
  if (!workload.lengths) return statistics_of_law(law, limit, scenario.seed);
  LengthsKey key{*workload.lengths, workload.cache_hit_ratio, workload.reasoning_share, limit, scenario.seed};
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == key; });
  if (found != known.end()) return found->second;
  if (known.size() == kRemembered) known.erase(known.begin());
  return known.emplace_back(std::move(key), statistics_of_law(law, limit, scenario.seed)).second;
}

}  // namespace

BuiltService build_service(const Scenario& scenario) {
  BuiltService service;
  service.workload.emplace(scenario.workload);
  service.lengths = service.workload->length_law();
  const std::int64_t context_limit =
      scenario.limits.context_tokens.value_or(scenario.deployment.pools.front().plan.network.max_context_tokens);
  const auto context_cv = [&] { return context_cv_of(*service.lengths, context_limit, scenario.seed); };
  for (const PoolSpec& spec : scenario.deployment.pools) service.pools.push_back(build_pool(spec, context_cv));
  std::stable_sort(service.pools.begin(), service.pools.end(), [](const BuiltPool& a, const BuiltPool& b) {
    return a.config.role == PoolRole::Prefill && b.config.role == PoolRole::Decode;
  });
  for (const BuiltPool& pool : service.pools) service.config.pools.push_back(pool.config);
  service.config.router = scenario.deployment.router;
  service.config.router_rules = scenario.deployment.router_rules;
  service.config.request_latency = {Seconds{scenario.deployment.request_latency_s},
                                    Seconds{scenario.deployment.request_latency_s_per_ktoken}};
  if (scenario.deployment.pools.size() > 1) {
    service.config.kv_transfer = kv_transfer_of(scenario.deployment.kv_transfer, service.pools.front().spec->plan);
  }
  service.config.context_limit_tokens = context_limit;
  service.config.queue_limit_requests = scenario.limits.queue_requests;
  service.config.admission = scenario.limits.admission;
  service.config.priority_classes = priority_classes(scenario.workload);
  service.config.measure = measurement(scenario);
  service.config.seed = scenario.seed;
  service.length_statistics = length_statistics(scenario, *service.lengths, sequence_limit(service.config));
  return service;
}

KvTransfer kv_transfer_of(const KvTransferSpec& spec, const InstancePlan& prefill) {
  const BytesPerSecond link = spec.bandwidth_GBps_per_gpu ? Bytes{*spec.bandwidth_GBps_per_gpu * 1e9} / Seconds{1}
                                                          : prefill.gpu.require_scale_out_bandwidth();
  const BytesPerToken bytes = kv_bytes_per_token(prefill.network, prefill.precisions.kv);
  KvTransfer transfer;
  transfer.latency = Seconds{spec.latency_s};
  transfer.per_token = bytes * Tokens{1} / (link * (prefill.parallelism.attention_tp * prefill.parallelism.cp));
  if (spec.waits_for_place) transfer.start = KvTransfer::Start::OnDecodePlace;
  transfer.tail_share = spec.layerwise_overlap ? 1.0 / prefill.network.layer_count() : 1.0;
  return transfer;
}

PrefillLoad mean_prompts(const PoolConfig& pool, const LengthStatistics& lengths, double tokens) {
  return prompts_of(pool, lengths, tokens / (lengths.mean_input - lengths.mean_cached));
}

Request PromptsOnly::take() {
  Request request = source_.take();
  request.output_tokens = 1;
  request.reasoning_tokens = 0;
  return request;
}

double saturated_prefill_tok_s(const Scenario& scenario, const BuiltService& service, const BuiltPool& pool) {
  constexpr double kPasses = 24, kFirstMeasured = 4, kLastMeasured = 12;  // the queue lasts well beyond the window
  const LengthStatistics& lengths = service.length_statistics;
  const auto full = static_cast<double>(pool.config.batching.max_tokens_per_step);
  const double pass_s = pool.timer->step({}, mean_prompts(pool.config, lengths, full)).value();
  ServiceConfig flood = service.config;
  flood.pools = {pool.config};
  flood.pools[0].role = PoolRole::Mixed;
  flood.pools[0].instances = 1;
  flood.queue_limit_requests.reset();
  flood.request_latency = {};
  flood.admission = {};
  flood.measure = {};
  flood.measure.warm_up_s = kFirstMeasured * pass_s;
  flood.measure.duration_s = (kLastMeasured - kFirstMeasured) * pass_s;
  WorkloadSpec workload = scenario.workload;
  if (!workload.lengths) return full / pass_s;  // a trace's prompts come at its own times
  workload.arrivals =
      AllAtOnceArrivals{static_cast<std::int64_t>(std::ceil(kPasses * full / (lengths.mean_input - lengths.mean_cached)))};
  const auto requests = make_request_source(workload, scenario.seed, 0);
  PromptsOnly prompts(*requests);
  const PoolResult result = simulate(flood, prompts).pools.front();
  return result.prompt_tokens / result.busy_s;
}

}  // namespace tokenomics
