#include "tokenomics/study/benchmark.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"
#include "tokenomics/llm/counts.hpp"
#include "tokenomics/roofline/plan_check.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

constexpr std::int64_t kNoLimit = 1'000'000'000;
/// Activations, graphs and communication buffers beside weights and KV where the engine takes its share of what is free.
constexpr double kWorkspaceBytes = 4e9;

/// SGLang's drafts without its overlapped scheduler ("spec v2"): host time per sequence and step. From 30 rows of B200 in
/// FP8 that ran so: their steps are longer than predicted ones by 0.12-0.14 ms a sequence, from 4 to 256 of them.
constexpr double kSerialDraftsUs = 130;

bool is_fp8(const std::string& kv_dtype) { return kv_dtype.starts_with("fp8"); }

/// The weights' format that a benchmark names; empty: as released.
Precisions precisions_of(const MeasuredPoint& point, const Network& network, const Gpu& gpu, const ServerFlags* flags) {
  Network stored = network;
  const auto named = precision_named(point.precision);
  const bool as_released = !named || *named == network.native_experts;
  Precisions precisions = default_precisions(network);
  if (!as_released) {
    stored.native_weights = stored.native_experts = *named;
    precisions = default_precisions(stored);
    precisions.activations = *named;
    // NVFP4 checkpoints of networks with experts leave attention in 16 bit (modelopt's exclude list of DeepSeek-R1-FP4).
    if (*named == Precision::Fp4 && network.moe() != nullptr) precisions.projections = Precision::Bf16;
  }
  const bool has_fp4 = gpu.peak_fp4.has_value();
  precisions.kv = flags != nullptr && is_fp8(flags->kv_dtype) ? Precision::Fp8 : Precision::Bf16;
  precisions.attention = precisions.kv == Precision::Fp8 && has_fp4 ? Precision::Fp8 : Precision::Bf16;
  precisions.dispatch = precisions.activations == Precision::Bf16 ? Precision::Bf16 : Precision::Fp8;
  return precisions;
}

Parallelism parallelism_of(const MeasuredPool& pool, const std::string& engine, bool has_experts) {
  Parallelism p;
  const int gpus = pool.gpus_per_worker();
  p.attention_dp = std::clamp(pool.dp, 1, gpus);
  p.attention_tp = gpus / p.attention_dp;
  // SGLang's wide expert parallelism (DeepEP) has one expert rank a GPU; exports of it say ep 1.
  const bool is_wide = engine == "sglang" && p.attention_dp > 8 && pool.ep == 1;
  p.ep = has_experts ? (is_wide ? gpus : std::clamp(pool.ep, 1, gpus)) : 1;
  p.moe_tp = has_experts ? gpus / p.ep : 1;
  return p;
}

int drafts_of(const MeasuredPoint& point, const ServerFlags* flags) {
  if (!point.drafts) return 0;
  if (flags != nullptr && flags->draft_steps) return *flags->draft_steps;
  // Launch scripts: TensorRT-LLM 3, or 1 with attention data parallelism; SGLang 2.
  if (point.engine() == "trtllm") return point.decode.dp > 1 ? 1 : 3;
  return 2;
}

// Engines' own rules. Defaults where a script is silent: sgl-project/sglang server_args.py, NVIDIA/TensorRT-LLM
// TorchLlmArgs, vllm-project/vllm arg_utils.py, ROCm/ATOM arg_utils.py.

BatchingSpec sglang_batching(const ServerFlags& flags, const InstancePlan& plan) {
  BatchingSpec batching;
  batching.policy = BatchPolicy::PrefillFirst;
  const double memory = plan.gpu.require_hbm_capacity().value();
  const std::int64_t chunk = flags.chunk_tokens.value_or(memory >= 160e9 ? 16384 : memory >= 35e9 ? 8192 : 2048);
  batching.max_tokens_per_step = std::min(chunk, std::max(flags.prefill_limit.value_or(16384), std::int64_t{1}));
  if (flags.chunk_tokens && !flags.prefill_limit) batching.max_tokens_per_step = std::min<std::int64_t>(chunk, 16384);
  batching.max_sequences = flags.max_running.value_or(4096);
  batching.poll_steps = flags.poll_steps.value_or(1);
  batching.schedules_ahead = batching.releases_late = true;
  return batching;
}

BatchingSpec trtllm_batching(const ServerFlags& flags, const InstancePlan& plan) {
  BatchingSpec batching;
  const int ranks = plan.parallelism.attention_dp;
  batching.policy = BatchPolicy::ChunkedMixed;
  batching.chunked_prefill = false;
  batching.max_tokens_per_step = flags.step_tokens.value_or(8192) * ranks;
  batching.max_sequences = flags.max_running.value_or(2048) * ranks;
  batching.schedules_ahead = batching.releases_late = true;
  return batching;
}

BatchingSpec vllm_batching(const ServerFlags& flags, const InstancePlan& plan) {
  BatchingSpec batching;
  const int ranks = plan.parallelism.attention_dp;
  const bool is_large = plan.gpu.require_hbm_capacity().value() >= 75.2e9;
  batching.policy = BatchPolicy::ChunkedMixed;
  batching.max_tokens_per_step = flags.step_tokens.value_or(is_large ? 8192 : 2048) * ranks;
  batching.max_sequences = flags.max_running.value_or(is_large ? 1024 : 256) * ranks;
  batching.schedules_ahead = true;
  return batching;
}

BatchingSpec atom_batching(const ServerFlags& flags, const InstancePlan& plan) {
  BatchingSpec batching;
  const int ranks = plan.parallelism.attention_dp;
  batching.policy = BatchPolicy::PrefillFirst;
  batching.max_tokens_per_step = flags.step_tokens.value_or(16384) * ranks;
  batching.max_sequences = flags.max_running.value_or(512) * ranks;
  return batching;
}

BatchingSpec batching_of(const std::string& engine, const ServerFlags& flags, const InstancePlan& plan) {
  if (engine == "sglang") return sglang_batching(flags, plan);
  if (engine == "trtllm") return trtllm_batching(flags, plan);
  return engine == "atom" ? atom_batching(flags, plan) : vllm_batching(flags, plan);
}

/// TensorRT-LLM's holds of prompts, where the launch script asks for them.
void add_start_waits(BatchingSpec& batching, const EngineFlags& flags, int ranks) {
  if (flags.balances_ranks && ranks > 1) {
    batching.rank_balance_wait =
        RankBalanceWait{flags.rank_wait_steps.value_or(50), flags.rank_wait_extra_steps.value_or(10)};
  }
  if (flags.batch_wait_steps && ranks == 1) {
    batching.batch_wait = BatchWait{*flags.batch_wait_steps, flags.batch_wait_ratio.value_or(1)};
  }
}

/// Copies that the script asks for; where it is silent, as few as let the experts divide over the ranks.
int redundant_experts(const Network& network, int ep, const ServerFlags& flags) {
  if (ep <= 1 || network.moe() == nullptr) return 0;
  const int experts = network.moe()->routed_experts;
  return flags.redundant_experts.value_or((ep - experts % ep) % ep);
}

/// Share of HBM for weights and KV. TensorRT-LLM takes its share of what weights leave free, the others of all memory; where
/// a script is silent they leave what they need for graphs and activations, which is less on a server that is nearly full.
double memory_share(const InstancePlan& plan, const std::string& engine, const ServerFlags& flags) {
  constexpr double kUsual = 0.88, kFull = 0.96;
  InstancePlan sized = plan;
  if (engine == "trtllm") {
    sized.hbm_utilization = 1;
    const MemoryPlan whole = plan_memory(sized);
    const double free = whole.capacity.value() - whole.weights().value() - kWorkspaceBytes;
    const double kept = free * flags.memory_fraction.value_or(0.9);
    return (whole.weights().value() + std::max(0.0, kept)) / whole.capacity.value();
  }
  if (flags.memory_fraction) return *flags.memory_fraction;
  sized.hbm_utilization = 1;
  const MemoryPlan whole = plan_memory(sized);
  return whole.weights().value() < 0.8 * whole.capacity.value() ? kUsual : kFull;
}

/// KV tokens of an instance.
std::int64_t kv_tokens_of(const InstancePlan& plan, const std::string& engine, const ServerFlags& flags) {
  InstancePlan sized = plan;
  sized.hbm_utilization = memory_share(plan, engine, flags);
  std::int64_t tokens = plan_memory(sized).kv_tokens_per_instance;
  // The cap is of one data-parallel rank.
  if (flags.kv_token_cap) tokens = std::min(tokens, *flags.kv_token_cap * plan.parallelism.attention_dp);
  return tokens;
}

std::string key_of(const BenchmarkPoint& point, const InstancePlan& plan) {
  const Parallelism& p = plan.parallelism;
  const Precisions& f = plan.precisions;
  const auto name = [](Precision precision) { return name_of(precision); };
  return fmt::format("{}|{}|tp{} dp{} ep{} mtp{}|{} {} {} {} {} {}|{} {} {}", point.network, point.hardware, p.attention_tp,
                     p.attention_dp, p.ep, p.moe_tp, name(f.weights), name(f.experts), name(f.activations), name(f.kv),
                     name(f.attention), name(f.attention_weights()), plan.draft_tokens, plan.routing.redundant_experts,
                     plan.all_to_all == AllToAll::Normal ? "normal" : "low latency");
}

BenchmarkPool pool_of(const BenchmarkPoint& point, const MeasuredPool& layout, PoolRole role, const Network& network,
                      const Gpu& gpu, const BenchmarkRules& rules) {
  const MeasuredPoint& m = *point.measured;
  const std::string engine = m.engine();
  const ServerFlags silent;
  const ServerFlags& flags = !m.flags ? silent : role == PoolRole::Prefill ? m.flags->prefill : m.flags->server;
  BenchmarkPool pool;
  pool.plan.network = network;
  pool.plan.gpu = gpu;
  pool.plan.parallelism = parallelism_of(layout, engine, network.moe() != nullptr);
  pool.plan.precisions = precisions_of(m, network, gpu, m.flags ? &flags : nullptr);
  pool.plan.all_to_all = role == PoolRole::Prefill ? AllToAll::Normal : AllToAll::LowLatency;
  pool.plan.routing.redundant_experts = redundant_experts(network, pool.plan.parallelism.ep, flags);
  pool.plan.balance.dispatch = RankDispatch::LeastSequences;
  pool.plan.balance.context_cv = 0.15;  // lengths between 0.8 and 1 of nominal, at any age
  pool.plan.balance.sequences_max_over_mean = pool.plan.balance.context_max_over_mean = 0;
  pool.plan.draft_tokens = role == PoolRole::Prefill ? 0 : drafts_of(m, m.flags ? &flags : nullptr);
  if (pool.plan.draft_tokens > 0 && engine == "sglang" && !(m.flags && m.flags->overlapped_drafts)) {
    pool.plan.draft_module.host_us_per_sequence = kSerialDraftsUs;
  }
  require_sound(pool.plan);
  pool.config.role = role;
  pool.config.instances = layout.workers;
  pool.config.ranks = pool.plan.parallelism.attention_dp;
  pool.config.batching = batching_of(engine, flags, pool.plan);
  if (m.flags && role == PoolRole::Mixed) add_start_waits(pool.config.batching, *m.flags, pool.config.ranks);
  pool.config.block_tokens = 64;
  pool.config.kv_tokens = kv_tokens_of(pool.plan, engine, flags) / 64 * 64;
  pool.config.mtp.draft_tokens = pool.plan.draft_tokens;
  for (int i = 0; i < pool.plan.draft_tokens; ++i) {
    pool.config.mtp.acceptance.push_back(rules.acceptance[std::min<std::size_t>(i, rules.acceptance.size() - 1)]);
  }
  pool.key = key_of(point, pool.plan) + fmt::format("|{}", pool.plan.draft_module.host_us_per_sequence);
  return pool;
}

KvTransfer transfer_of(const BenchmarkPoint& point, const InstancePlan& prefill) {
  KvTransfer transfer;
  transfer.start = KvTransfer::Start::OnDecodePlace;
  const bool in_domain = prefill.gpu.require_scale_up_domain() >= point.measured->gpus;
  const BytesPerSecond link =
      in_domain ? prefill.gpu.require_scale_up_bandwidth() : prefill.gpu.require_scale_out_bandwidth();
  const BytesPerToken bytes = kv_bytes_per_token(prefill.network, prefill.precisions.kv);
  transfer.per_token = bytes * Tokens{1} / (link * prefill.parallelism.attention_tp);
  return transfer;
}

void set_up(BenchmarkPoint& point, const Catalogue& catalogue, const BenchmarkRules& rules) {
  const MeasuredPoint& m = *point.measured;
  const Gpu gpu = load_gpu(m.gpu, catalogue);
  const Network network = load_network(m.model, catalogue);
  if (!network.not_modelled.empty())
    throw ScenarioError(Problem{m.file, "model", m.model, "a network whose layers are modelled", ""});
  point.hardware = gpu.name;
  point.network = network.name;
  point.calibration = served_calibration(gpu, m.engine(), m.date, catalogue);
  if (m.prefill) point.pools.push_back(pool_of(point, *m.prefill, PoolRole::Prefill, network, gpu, rules));
  const PoolRole role = m.prefill ? PoolRole::Decode : PoolRole::Mixed;
  point.pools.push_back(pool_of(point, m.decode, role, network, gpu, rules));
  if (m.prefill) point.kv_transfer = transfer_of(point, point.pools.front().plan);
}

/// Every request of a run.
class Latencies final : public Observer {
 public:
  /// Latencies of requests before `first_measured` are not kept.
  explicit Latencies(std::uint64_t first_measured) : first_measured_(first_measured) {}
  void request_ended(const RequestRecord& record) override {
    if (record.outcome != Outcome::Completed) {
      ++lost_;
      return;
    }
    const double n = static_cast<double>(record.request.output_tokens);
    tokens += n;
    last = std::max(last, record.end);
    if (record.request.id < first_measured_) return;
    ttft_s.push_back(to_seconds(record.first_token - record.request.arrival).value());
    if (n > 1) tpot_ms.push_back(1e3 * to_seconds(record.end - record.first_token).value() / (n - 1));
  }
  [[nodiscard]] std::size_t lost() const { return lost_; }
  std::vector<double> ttft_s, tpot_ms;
  double tokens = 0;
  SimTime last = 0;

 private:
  std::uint64_t first_measured_;
  std::size_t lost_ = 0;
};

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

WorkloadSpec workload_of(const MeasuredPoint& m, double latency_s) {
  WorkloadSpec workload;
  workload.name = "benchmark";
  // A request reaches the engine some time after it was sent; the next one of its user is sent when it has its answer.
  workload.arrivals = ClosedLoopArrivals{m.concurrency, latency_s};
  const auto law = [&](std::int64_t nominal) {
    const auto high = static_cast<double>(nominal);
    return LengthMarginal{UniformLaw{std::max(1.0, high * m.shortest_share), high}, 1, kNoLimit};
  };
  workload.lengths = IndependentLengths{law(m.input_tokens), law(m.output_tokens)};
  return workload;
}

}  // namespace

BenchmarkPoint benchmark_point(const MeasuredPoint& measured, const Catalogue& catalogue, const BenchmarkRules& rules) {
  BenchmarkPoint point;
  point.measured = &measured;
  if (!measured.invalid.empty()) {
    point.cannot_run = measured.invalid;
    return point;
  }
  try {
    set_up(point, catalogue, rules);
  } catch (const ScenarioError& error) {
    point.cannot_run = error.what();
  } catch (const Infeasible& error) {
    point.cannot_run = error.what();
  }
  return point;
}

Prediction predict(const BenchmarkPoint& point, const std::vector<const StepTimer*>& timers, const Calibration& calibration,
                   const BenchmarkRules& rules) {
  const MeasuredPoint& m = *point.measured;
  ServiceConfig config;
  for (std::size_t i = 0; i < point.pools.size(); ++i) {
    config.pools.push_back(point.pools[i].config);
    config.pools.back().timer = timers[i];
  }
  config.router = point.router;
  config.kv_transfer = point.kv_transfer;
  config.measure.requests = static_cast<std::uint64_t>(m.concurrency) * static_cast<std::uint64_t>(rules.prompts_per_user);
  config.measure.drain = true;
  // InferenceX's clock starts with all users at once; others measure in a running loop.
  const auto users = static_cast<std::uint64_t>(m.concurrency);
  Latencies seen(m.origin == "inferencex" ? 0 : 2 * users);
  config.observer = &seen;
  const double latency_s = calibration.request_latency_ms.value * 1e-3;
  const auto source = make_request_source(workload_of(m, latency_s), 1, 0);
  simulate(config, *source);
  if (seen.lost() > 0) throw Infeasible(fmt::format("{} requests do not fit", seen.lost()));
  Prediction prediction;
  prediction.tok_s_per_gpu = seen.tokens / (latency_s + to_seconds(seen.last).value()) / m.gpus;
  prediction.ttft_s_mean = latency_s + mean_of(seen.ttft_s);
  prediction.ttft_s_median = latency_s + median_of(seen.ttft_s);
  prediction.tpot_ms_mean = mean_of(seen.tpot_ms);
  prediction.tpot_ms_median = median_of(seen.tpot_ms);
  return prediction;
}

}  // namespace tokenomics
