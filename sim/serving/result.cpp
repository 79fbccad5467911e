#include "tokenomics/sim/result.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {

void RequestCounts::merge(const RequestCounts& other) {
  arrived += other.arrived;
  completed += other.completed;
  rejected_context_limit += other.rejected_context_limit;
  rejected_queue_full += other.rejected_queue_full;
  rejected_admission += other.rejected_admission;
  cancelled += other.cancelled;
  unfinished += other.unfinished;
  preemptions += other.preemptions;
  truncated += other.truncated;
  lost += other.lost;
  retries += other.retries;
}

void LatencyMetric::add(std::int64_t value_ns, int batch) {
  histogram_.add(value_ns);
  const auto b = static_cast<std::size_t>(std::clamp(batch, 0, kBatches - 1));
  batch_sum_[b] += static_cast<double>(value_ns);
  ++batch_count_[b];
}

void LatencyMetric::add_gaps(std::int64_t low_ns, std::int64_t high_ns, std::uint64_t count) {
  histogram_.add_range(low_ns, high_ns, count);
}

/// Variance of the mean from batch means y_b: s^2(y) / k, batches weighted alike.
void LatencyMetric::close() {
  std::vector<double> means;
  std::uint64_t n = 0;
  for (std::size_t b = 0; b < kBatches; ++b) {
    if (batch_count_[b] > 0) means.push_back(batch_sum_[b] / static_cast<double>(batch_count_[b]));
    n += batch_count_[b];
  }
  if (means.size() >= 2) {
    double mean = 0, squares = 0;
    for (const double m : means) mean += m / static_cast<double>(means.size());
    for (const double m : means) squares += (m - mean) * (m - mean);
    const double k = static_cast<double>(means.size());
    weighted_variance_ = static_cast<double>(n) * static_cast<double>(n) * squares / (k - 1) / k;
    degrees_of_freedom_ = static_cast<int>(means.size()) - 1;
  }
  in_strata_ = n;
  batch_sum_ = {};
  batch_count_ = {};
}

void LatencyMetric::merge(const LatencyMetric& other) {
  histogram_.merge(other.histogram_);
  weighted_variance_ += other.weighted_variance_;
  in_strata_ += other.in_strata_;
  degrees_of_freedom_ += other.degrees_of_freedom_;
}

double LatencyMetric::ci95_of_mean() const {
  if (degrees_of_freedom_ < 1 || in_strata_ == 0) return -1;
  return student_t_975(degrees_of_freedom_) * std::sqrt(weighted_variance_) / static_cast<double>(in_strata_);
}

void PoolResult::merge(const PoolResult& other) {
  provisioned_s += other.provisioned_s;
  busy_s += other.busy_s;
  prefill_s += other.prefill_s;
  decode_s += other.decode_s;
  steps += other.steps;
  decode_steps += other.decode_steps;
  sequence_s += other.sequence_s;
  kv_token_s += other.kv_token_s;
  kv_capacity_token_s += other.kv_capacity_token_s;
  prompt_tokens += other.prompt_tokens;
  output_tokens += other.output_tokens;
  attended_tokens += other.attended_tokens;
  held_s += other.held_s;
  batch_held_s += other.batch_held_s;
  poll_held_s += other.poll_held_s;
  start_held_s += other.start_held_s;
  cache.merge(other.cache);
  serving_s += other.serving_s;
  starting_s += other.starting_s;
  draining_s += other.draining_s;
  down_s += other.down_s;
  starts += other.starts;
  stops += other.stops;
  failures += other.failures;
  if (timeline.empty()) timeline.resize(other.timeline.size());
  for (std::size_t i = 0; i < other.timeline.size(); ++i) timeline[i] += other.timeline[i];
}

void CacheResult::merge(const CacheResult& other) {
  looked_up += other.looked_up;
  found_in_hbm += other.found_in_hbm;
  found_below += other.found_below;
  loads += other.loads;
  load_s += other.load_s;
  const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
    to.resize(std::max(to.size(), from.size()), 0.0);
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  };
  add(loaded, other.loaded);
  add(written, other.written);
  add(evicted, other.evicted);
  add(held_token_s, other.held_token_s);
}

void ClassResult::close() {
  for (LatencyMetric* metric : {&ttft, &ttft_answer, &tpot, &e2e, &queue_wait, &service}) metric->close();
}

void ClassResult::merge(const ClassResult& other) {
  requests.merge(other.requests);
  ttft.merge(other.ttft);
  ttft_answer.merge(other.ttft_answer);
  tpot.merge(other.tpot);
  e2e.merge(other.e2e);
  queue_wait.merge(other.queue_wait);
  service.merge(other.service);
  interactivity_sum += other.interactivity_sum;
  interactivity_count += other.interactivity_count;
  input_computed_tokens += other.input_computed_tokens;
  input_cached_tokens += other.input_cached_tokens;
  answers_tokens += other.answers_tokens;
  answers += other.answers;
  met_ttft += other.met_ttft;
  met_interactivity += other.met_interactivity;
  met_all += other.met_all;
  judged_ttft += other.judged_ttft;
  judged_interactivity += other.judged_interactivity;
  judged_all += other.judged_all;
}

void FleetExtremes::merge(const FleetExtremes& other) {
  if (other.gpus_peak > gpus_peak) {
    gpus_peak = other.gpus_peak;
    at_peak = other.at_peak;
  }
  if (other.gpus_trough < gpus_trough) {
    gpus_trough = other.gpus_trough;
    at_trough = other.at_trough;
  }
}

void ServiceResult::close() {
  ClassResult::close();
  itl.close();
  for (ClassResult& one : classes) one.close();
}

void ServiceResult::merge(const ServiceResult& other) {
  ClassResult::merge(other);
  measured_s += other.measured_s;
  itl.merge(other.itl);
  output_tokens += other.output_tokens;
  billed += other.billed;
  billed_in_hours += other.billed_in_hours;
  if (pools.empty()) pools.resize(other.pools.size());
  TOKENOMICS_CHECK(pools.size() == other.pools.size(), fmt::format("{} pools and {}", pools.size(), other.pools.size()));
  for (std::size_t i = 0; i < pools.size(); ++i) pools[i].merge(other.pools[i]);
  if (classes.empty()) classes.resize(other.classes.size());
  TOKENOMICS_CHECK(classes.size() == other.classes.size(),
                   fmt::format("{} classes and {}", classes.size(), other.classes.size()));
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i].merge(other.classes[i]);
  if (fleet && other.fleet) fleet->merge(*other.fleet);
  else if (other.fleet) fleet = other.fleet;
  events += other.events;
}

}  // namespace tokenomics
