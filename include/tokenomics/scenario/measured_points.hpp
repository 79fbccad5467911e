#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tokenomics {

/// Settings of one server of a benchmark, where its launch script gave them (empty: the engine's default, or unknown).
struct ServerFlags {
  std::string kv_dtype;                       ///< "fp8", "fp8_e4m3", "auto"
  std::optional<std::int64_t> chunk_tokens;   ///< SGLang: of a prompt step, all data-parallel ranks together
  std::optional<std::int64_t> prefill_limit;  ///< SGLang: max-prefill-tokens
  std::optional<std::int64_t> step_tokens;    ///< token budget of a step; TensorRT-LLM and vLLM: of each data-parallel rank
  std::optional<std::int64_t> max_running;    ///< SGLang: of the server; TensorRT-LLM and vLLM: of each data-parallel rank
  std::optional<double> memory_fraction;      ///< SGLang, vLLM: of all memory; TensorRT-LLM: of what weights leave free
  std::optional<std::int64_t> kv_token_cap;
  std::optional<std::int64_t> poll_steps;  ///< SGLang's scheduler-recv-interval
  std::optional<std::int64_t> graph_limit;
  std::optional<int> draft_steps;
  std::optional<int> redundant_experts;
};

/// A row of an engine_flags.csv.
struct EngineFlags {
  std::string id;
  ServerFlags server;   ///< the aggregated server, or a decode worker
  ServerFlags prefill;  ///< a prefill worker
  bool balances_ranks = false;
  bool overlapped_drafts = false;                     ///< SGLang's "spec v2"
  std::optional<std::int64_t> rank_wait_steps;        ///< at most
  std::optional<std::int64_t> rank_wait_extra_steps;  ///< after every rank has a prompt
  std::optional<std::int64_t> batch_wait_steps;
  std::optional<double> batch_wait_ratio;
  std::string layout;  ///< "P 1 x [tp4 dp4 ep4], D 1 x [tp8 dp8 ep8]"; empty where no recipe said so
  std::string images;
};

/// Workers that are alike and how each is cut.
struct MeasuredPool {
  int gpus = 0;  ///< all workers together
  int workers = 1;
  int tp = 1;
  int dp = 1;  ///< attention data parallelism
  int ep = 1;
  [[nodiscard]] int gpus_per_worker() const { return gpus / workers; }
};

enum class ThroughputKind { Measured, DerivedFromLatency };

/// One measured serving point: a closed loop at one concurrency. Latencies are medians where the file has them.
struct MeasuredPoint {
  std::string file;
  int line = 0;
  std::string model, gpu, framework, version, precision, date, source, flags_id;
  std::string origin;  ///< who measured: "inferencex", "nvidia_internal"
  bool drafts = false;
  bool relabelled = false;                           ///< by relabel_drafts()
  std::int64_t input_tokens = 0, output_tokens = 0;  ///< nominal
  double shortest_share = 0.8;                       ///< lengths are uniform between this share of nominal and all of it
  std::int64_t concurrency = 0;                      ///< of everything together
  int gpus = 0;
  MeasuredPool decode;                  ///< or the aggregated servers
  std::optional<MeasuredPool> prefill;  ///< disaggregated
  std::optional<double> tok_s_per_gpu;  ///< output tokens over all GPUs
  ThroughputKind throughput = ThroughputKind::Measured;
  std::optional<double> tpot_ms, ttft_s;
  bool tpot_is_mean = false, ttft_is_mean = false;
  std::optional<double> mean_tpot_ms;  ///< tells the same run in two exports
  std::string invalid;                 ///< why the row says nothing; empty: it is sound
  std::optional<EngineFlags> flags;

  [[nodiscard]] bool disaggregated() const { return prefill.has_value(); }
  /// "sglang", "trtllm", "vllm", "atom": without what routes in front of it.
  [[nodiscard]] std::string engine() const;
};

/// Reads end-to-end points with the columns of InferenceX exports (median latencies, dp_attention) or of AIConfigurator's
/// silicon tables (mean latencies, tput_kind): told apart by their columns. Rows with measured throughput that concurrency
/// and latency cannot give (Little's law), without worker counts, or without any measured quantity are kept and marked
/// invalid. Throws ScenarioError with file, line and column of what cannot be read.
std::vector<MeasuredPoint> read_measured_points(const std::string& path);

/// Reads engine flags and gives each point those of its flags_id.
void join_flags(std::vector<MeasuredPoint>& points, const std::string& path);

/// Exports disagree on what ran. Rows of one day, GPU, engine and format that derive their throughput and say "no drafts"
/// are runs with drafts when another export has the same run (to the last digit of its mean TPOT) with drafts, or knows only
/// runs with drafts of that day. Marks them so and returns their places.
std::vector<std::size_t> relabel_drafts(std::vector<MeasuredPoint>& points);

/// "sglang" of "dynamo-sglang", "trtllm" of "trt" and "tensorrt-llm".
std::string engine_of(const std::string& framework);

}  // namespace tokenomics
