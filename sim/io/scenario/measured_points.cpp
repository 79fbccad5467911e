#include "tokenomics/scenario/measured_points.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "csv_table.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

/// Throughput times mean time in the system over the number in it is at most 1 (Little); medians, rounding and the mean
/// length leave some room.
constexpr double kLittleLimit = 1.1;

/// The cell's count, or `otherwise` where it is empty or zero.
int count_or(const CsvTable& table, std::size_t row, const std::string& column, int otherwise) {
  const auto value = table.whole(row, column);
  return value && *value > 0 ? static_cast<int>(*value) : otherwise;
}

std::int64_t required(const CsvTable& table, std::size_t row, const std::string& column) {
  const auto value = table.whole(row, column);
  if (!value || *value <= 0) table.fail(row, column, "a whole number above 0");
  return *value;
}

MeasuredPool worker_pool(const CsvTable& table, std::size_t row, const std::string& side, bool marks_dp) {
  MeasuredPool pool;
  pool.gpus = count_or(table, row, side + "gpus", 0);
  pool.workers = count_or(table, row, side + "workers", 0);
  pool.tp = count_or(table, row, side + "tp", 0);
  pool.ep = count_or(table, row, side + "ep", 1);
  if (pool.workers == 0 || pool.gpus % pool.workers != 0) return pool;
  const int each = pool.gpus_per_worker();
  // Of InferenceX: a mark; attention is data-parallel over the worker then.
  pool.dp = marks_dp ? (table.text(row, side + "dp_attention") == "1" ? each : 1) : count_or(table, row, side + "dp", 1);
  return pool;
}

std::string layout_problem(const MeasuredPool& pool, const char* side) {
  if (pool.workers == 0 || pool.gpus == 0) return fmt::format("worker counts of {} are missing", side);
  if (pool.gpus % pool.workers != 0) return fmt::format("{} GPUs of {} over {} workers", pool.gpus, side, pool.workers);
  if (pool.tp == 0) return fmt::format("parallelism of {} is missing", side);
  return "";
}

MeasuredPool aggregated_pool(const CsvTable& table, std::size_t row, bool marks_dp, int gpus) {
  MeasuredPool pool;
  pool.gpus = gpus;
  pool.tp = count_or(table, row, "tp", 1);
  pool.ep = count_or(table, row, "ep", 1);
  const int dp = count_or(table, row, "dp", 1);
  const int each = marks_dp ? pool.tp : pool.tp * dp;
  pool.workers = std::max(1, gpus / each);
  pool.dp = marks_dp ? (table.text(row, "dp_attention") == "1" ? each : 1) : dp;
  return pool;
}

void take_latencies(MeasuredPoint& point, const CsvTable& table, std::size_t row) {
  point.tok_s_per_gpu = table.number(row, "output_tok_s_per_gpu");
  point.mean_tpot_ms = table.number(row, "mean_tpot_ms");
  point.tpot_ms = table.number(row, "median_tpot_ms");
  point.ttft_s = table.number(row, "median_ttft_s");
  if (!point.tpot_ms || !table.has("median_ttft_s")) {
    point.tpot_is_mean = table.number(row, "mean_tpot_ms").has_value();
    if (point.tpot_is_mean) point.tpot_ms = table.number(row, "mean_tpot_ms");
  }
  if (!point.ttft_s) {
    point.ttft_s = table.number(row, "mean_ttft_s");
    point.ttft_is_mean = point.ttft_s.has_value();
  }
}

std::string broken_law(const MeasuredPoint& point) {
  if (point.throughput != ThroughputKind::Measured || !point.tok_s_per_gpu || !point.tpot_ms || !point.ttft_s) return "";
  const double tokens = 0.5 * (1 + point.shortest_share) * static_cast<double>(point.output_tokens);
  const double seconds = *point.ttft_s + *point.tpot_ms * 1e-3 * (tokens - 1);
  const double in_system = *point.tok_s_per_gpu * point.gpus / tokens * seconds;
  const double ratio = in_system / static_cast<double>(point.concurrency);
  if (ratio <= kLittleLimit) return "";
  return fmt::format("measured throughput breaks Little's law: it needs {:.2f} times the requests in flight", ratio);
}

std::string what_is_wrong(const MeasuredPoint& point) {
  if (!point.tok_s_per_gpu && !point.tpot_ms && !point.ttft_s) return "nothing was measured";
  if (point.concurrency == 0) return "the concurrency is missing";
  if (const std::string problem = layout_problem(point.decode, "decode"); !problem.empty()) return problem;
  if (point.prefill) {
    if (const std::string problem = layout_problem(*point.prefill, "prefill"); !problem.empty()) return problem;
  }
  return broken_law(point);
}

MeasuredPoint point_of(const CsvTable& table, std::size_t row, bool marks_dp) {
  MeasuredPoint point;
  point.file = table.path();
  point.line = table.line(row);
  point.model = table.text(row, "model");
  point.gpu = table.text(row, "gpu");
  point.framework = table.text(row, "framework");
  point.version = table.text(row, marks_dp ? "framework_image" : "framework_version");
  point.precision = table.text(row, "precision");
  point.date = table.text(row, "date");
  point.source = table.text(row, "source");
  point.flags_id = table.text(row, "flags_id");
  point.origin = table.has("origin") ? table.text(row, "origin") : "inferencex";
  const std::string& spec = table.text(row, "spec_decode");
  point.drafts = !spec.empty() && spec != "none";
  point.input_tokens = required(table, row, "isl");
  point.output_tokens = required(table, row, "osl");
  // `isl_scale` is the mean over nominal; InferenceX draws between 0.8 and 1.
  point.shortest_share = 2 * table.number(row, "isl_scale").value_or(0.9) - 1;
  point.concurrency = count_or(table, row, "concurrency", 0);
  point.gpus = static_cast<int>(required(table, row, "num_gpus"));
  if (table.text(row, "tput_kind").starts_with("derived")) point.throughput = ThroughputKind::DerivedFromLatency;
  if (table.text(row, "disagg") == "1") {
    point.decode = worker_pool(table, row, "decode_", marks_dp);
    point.prefill = worker_pool(table, row, "prefill_", marks_dp);
  } else {
    point.decode = aggregated_pool(table, row, marks_dp, point.gpus);
    if (table.text(row, "flag") == "per_replica_concurrency") point.concurrency *= point.decode.workers;
  }
  take_latencies(point, table, row);
  point.invalid = what_is_wrong(point);
  return point;
}

// Flags -------------------------------------------------------------------------------------------------------------

std::optional<int> small(const CsvTable& table, std::size_t row, const std::string& column) {
  const auto value = table.whole(row, column);
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

ServerFlags server_flags(const CsvTable& table, std::size_t row, const std::string& side) {
  ServerFlags flags;
  flags.kv_dtype = table.text(row, side + "kv_cache_dtype");
  flags.chunk_tokens = table.whole(row, side + "chunk_tokens");
  flags.prefill_limit = table.whole(row, side + "sgl_max_prefill_tokens");
  flags.step_tokens = table.whole(row, side + "max_num_tokens");
  flags.max_running = table.whole(row, side + "max_running");
  flags.memory_fraction = table.number(row, side + "mem_fraction");
  flags.kv_token_cap = table.whole(row, side + "kv_token_cap");
  flags.poll_steps = table.whole(row, side + "recv_interval");
  flags.graph_limit = table.whole(row, side + "cuda_graph_max_bs");
  flags.draft_steps = small(table, row, side + "mtp_steps");
  flags.redundant_experts = small(table, row, side + "eplb_redundant");
  return flags;
}

/// The flags of a run without drafts that one with drafts has too: its limits differ.
ServerFlags common_to_both(const ServerFlags& flags) {
  ServerFlags common;
  common.kv_dtype = flags.kv_dtype;
  common.memory_fraction = flags.memory_fraction;
  return common;
}

EngineFlags flags_of(const CsvTable& table, std::size_t row) {
  EngineFlags flags;
  flags.id = table.text(row, "flags_id");
  flags.server = server_flags(table, row, "");
  flags.prefill = server_flags(table, row, "prefill_");
  flags.overlapped_drafts = table.text(row, "overlap").starts_with("spec v2");
  flags.balances_ranks = table.text(row, "adp_balance") == "1";
  flags.rank_wait_steps = table.whole(row, "adp_timeout_iters");
  flags.rank_wait_extra_steps = table.whole(row, "adp_wait_iters");
  flags.batch_wait_steps = table.whole(row, "batch_wait_iters");
  flags.batch_wait_ratio = table.number(row, "batch_wait_tokens_ratio");
  flags.layout = table.text(row, "recipe_layout");
  flags.images = table.text(row, "framework_images");
  return flags;
}

}  // namespace

namespace {

std::string day_of(const MeasuredPoint& p) {
  return fmt::format("{} {} {} {} {}", p.model, p.gpu, p.engine(), p.precision, p.date);
}

std::string run_of(const MeasuredPoint& p) {
  return fmt::format("{} {} {} {} {:.3f}", day_of(p), p.input_tokens, p.output_tokens, p.concurrency,
                     p.mean_tpot_ms.value_or(0));
}

/// What is known with drafts and what without.
struct Labels {
  std::set<std::string> with, without;
  void add(const std::string& key, bool drafts) { (drafts ? with : without).insert(key); }
};

bool is_derived(const MeasuredPoint& p) { return !p.disaggregated() && p.throughput == ThroughputKind::DerivedFromLatency; }

}  // namespace

std::vector<std::size_t> relabel_drafts(std::vector<MeasuredPoint>& points) {
  Labels days, runs, twins;  // twins: days of derived rows whose run is known elsewhere
  for (const MeasuredPoint& p : points) {
    if (p.disaggregated() || p.tpot_is_mean) continue;
    days.add(day_of(p), p.drafts);
    if (p.mean_tpot_ms) runs.add(run_of(p), p.drafts);
  }
  for (const MeasuredPoint& p : points) {
    if (!is_derived(p) || !p.mean_tpot_ms) continue;
    if (runs.with.contains(run_of(p))) twins.add(day_of(p), true);
    if (runs.without.contains(run_of(p))) twins.add(day_of(p), false);
  }
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < points.size(); ++i) {
    MeasuredPoint& p = points[i];
    if (p.drafts || !is_derived(p)) continue;
    const std::string day = day_of(p);
    const bool has_twin = twins.with.contains(day) && !twins.without.contains(day);
    const bool only_drafts = days.with.contains(day) && !days.without.contains(day);
    if (!has_twin && !only_drafts) continue;
    p.drafts = p.relabelled = true;
    changed.push_back(i);
  }
  return changed;
}

std::string engine_of(const std::string& framework) {
  std::string name = framework;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const auto dash = name.find('-'); dash != std::string::npos && name != "tensorrt-llm") name = name.substr(dash + 1);
  return name == "trt" || name == "tensorrt-llm" || name == "tensorrt_llm" ? "trtllm" : name;
}

std::string MeasuredPoint::engine() const { return engine_of(framework); }

std::vector<MeasuredPoint> read_measured_points(const std::string& path) {
  const CsvTable table(path);
  table.require({"model", "gpu", "num_gpus", "framework", "precision", "isl", "osl", "concurrency", "tp", "ep", "dp",
                 "disagg", "output_tok_s_per_gpu", "mean_tpot_ms"});
  const bool marks_dp = table.has("dp_attention");
  std::vector<MeasuredPoint> points;
  for (std::size_t row = 0; row < table.rows(); ++row) points.push_back(point_of(table, row, marks_dp));
  return points;
}

void join_flags(std::vector<MeasuredPoint>& points, const std::string& path) {
  const CsvTable table(path);
  table.require({"flags_id", "kv_cache_dtype", "max_running", "mem_fraction"});
  std::map<std::string, EngineFlags> known;
  for (std::size_t row = 0; row < table.rows(); ++row) known[table.text(row, "flags_id")] = flags_of(table, row);
  for (MeasuredPoint& point : points) {
    const auto found = known.find(point.flags_id);
    if (found == known.end()) continue;
    point.flags = found->second;
    if (point.relabelled) point.flags->server = common_to_both(found->second.server);
  }
}

}  // namespace tokenomics
