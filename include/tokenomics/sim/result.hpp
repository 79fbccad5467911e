#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/base/histogram.hpp"
#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/sim/prefix_cache.hpp"

namespace tokenomics {

/// Requests that arrived in the measured window, by what became of them: arrived = completed + rejected_* + lost +
/// unfinished. Preemptions and retries are counted apart (a request may have several and still complete).
struct RequestCounts {
  std::uint64_t arrived = 0;
  std::uint64_t completed = 0;
  std::uint64_t rejected_context_limit = 0;
  std::uint64_t rejected_queue_full = 0;
  std::uint64_t rejected_admission = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t preemptions = 0;
  std::uint64_t lost = 0;       ///< with an instance that failed
  std::uint64_t retries = 0;    ///< sent to another instance after a failure
  std::uint64_t truncated = 0;  ///< of arrived: their answers end at the context limit

  [[nodiscard]] std::uint64_t rejected() const { return rejected_context_limit + rejected_queue_full + rejected_admission; }
  void merge(const RequestCounts& other);
};

/// A latency in nanoseconds, with batch means for the confidence interval of its mean.
class LatencyMetric {
 public:
  static constexpr int kBatches = 20;

  void add(std::int64_t value_ns, int batch);
  /// Observations without batches (inter-token gaps): no confidence interval.
  void add_gaps(std::int64_t low_ns, std::int64_t high_ns, std::uint64_t count);
  [[nodiscard]] const Histogram& histogram() const { return histogram_; }
  /// Closes the batch means of this run; call once before merge().
  void close();
  /// Adds another run (a window of the day or a replication) as a stratum of its own.
  void merge(const LatencyMetric& other);
  /// Half-width of the 95% confidence interval of the mean in ns, from batch means inside each stratum (Student t);
  /// negative when fewer than two batches hold anything.
  [[nodiscard]] double ci95_of_mean() const;

 private:
  Histogram histogram_;
  std::array<double, kBatches> batch_sum_{};
  std::array<std::uint64_t, kBatches> batch_count_{};
  double weighted_variance_ = 0;  ///< sum over strata of n^2 * variance of the stratum's mean
  std::uint64_t in_strata_ = 0;
  int degrees_of_freedom_ = 0;
};

/// What one pool did inside the measured window. Seconds are summed over instances.
struct PoolResult {
  double provisioned_s = 0;  ///< instance-seconds
  double busy_s = 0;         ///< instance-seconds in a step
  double prefill_s = 0;      ///< of busy_s, caused by prompt tokens
  double decode_s = 0;       ///< the rest
  double steps = 0;
  double decode_steps = 0;
  double sequence_s = 0;  ///< integral of decoding sequences
  double kv_token_s = 0;  ///< integral of KV tokens held
  double kv_capacity_token_s = 0;
  double prompt_tokens = 0;    ///< computed
  double output_tokens = 0;    ///< emitted by decode steps, and by prompt steps that compute a preempted sequence again
  double attended_tokens = 0;  ///< context read by decode steps, summed over steps and sequences
  double held_s = 0;           ///< idle instance-seconds in which the waiting rule held requests back
  CacheResult cache;           ///< empty without a prefix cache
  double batch_held_s = 0;     ///< busy instance-seconds in which nothing but the batch tier's rule held a request back
  double poll_held_s = 0;      ///< ... in which one had come for which there was room, and the engine did not look
  double start_held_s = 0;     ///< ... in which nothing but rank_balance_wait or batch_wait held a prompt back
  // Of provisioned_s, where instances come and go (zero in a fixed fleet).
  double serving_s = 0;   ///< on or draining
  double starting_s = 0;  ///< ordered, not up yet
  double draining_s = 0;  ///< finishing what they have, taking nothing new
  double down_s = 0;      ///< failed and under repair; in provisioned_s only where that is paid for
  std::uint64_t starts = 0, stops = 0, failures = 0;
  std::vector<double> timeline;  ///< provisioned_s by part of the window; empty in a fixed fleet

  void merge(const PoolResult& other);
};

/// What is measured of requests: of one priority class, or of all. Of a class, output is that of answers which ended in
/// the window: a step's tokens are not told apart by class.
struct ClassResult {
  RequestCounts requests;
  LatencyMetric ttft, ttft_answer, tpot, e2e, queue_wait, service;
  double interactivity_sum = 0;  ///< tok/s/user over completed requests of two tokens or more
  std::uint64_t interactivity_count = 0;
  double input_computed_tokens = 0;  ///< of prompts whose prefill ended in the window
  double input_cached_tokens = 0;
  double answers_tokens = 0;  ///< output tokens of the measured requests that completed
  std::uint64_t answers = 0;
  std::uint64_t met_ttft = 0, met_interactivity = 0, met_all = 0, judged_ttft = 0, judged_interactivity = 0, judged_all = 0;

  void close();
  void merge(const ClassResult& other);
};

/// Most and fewest GPUs held at one time, and the instances of each pool at that time.
struct FleetExtremes {
  double gpus_peak = 0, gpus_trough = 0;
  std::vector<int> at_peak, at_trough;

  void merge(const FleetExtremes& other);
};

/// One simulated window, or several merged in a fixed order.
struct ServiceResult : ClassResult {
  double measured_s = 0;
  LatencyMetric itl;
  double output_tokens = 0;  ///< emitted in the window, first tokens included
  /// Tokens of the requests that completed in the window; of those that did so in Measurement::hours. A user pays for a
  /// request when it is done, so that its end decides which prices it has. Empty where no hours are told apart.
  TokenVolume billed, billed_in_hours;
  std::vector<PoolResult> pools;
  std::vector<ClassResult> classes;    ///< by priority; empty where classes are not told apart
  std::optional<FleetExtremes> fleet;  ///< where instances come and go
  std::uint64_t events = 0;            ///< handled by the engine, measured or not

  void close();
  void merge(const ServiceResult& other);
};

}  // namespace tokenomics
