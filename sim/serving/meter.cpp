#include "meter.hpp"

#include <algorithm>
#include <cmath>

namespace tokenomics {

Meter::Meter(const ServiceConfig& config) : config_(config), measure_(config.measure) {
  result_.pools.resize(config.pools.size());
  if (config.priority_classes > 1) result_.classes.resize(static_cast<std::size_t>(config.priority_classes));
  if (measure_.duration_s) {
    window_.from = to_sim_time(Seconds{measure_.warm_up_s});
    window_.to = window_.from + to_sim_time(Seconds{*measure_.duration_s});
  }
}

void Meter::arrived(Sequence& s, bool truncated, SimTime now) {
  const std::uint64_t index = arrivals_++;
  if (measure_.duration_s) {
    s.measured = window_.contains(now);
  } else if (measure_.requests) {
    s.measured = index >= measure_.warm_up_requests && index < measure_.warm_up_requests + *measure_.requests;
    if (s.measured && window_.from == kNever) window_.from = now;
    if (index + 1 == measure_.warm_up_requests + *measure_.requests) {
      all_arrived_ = true;
      if (!measure_.drain) window_.to = std::max(now, window_.from + 1);
    }
  } else {
    s.measured = true;
    if (window_.from == kNever) window_.from = now;
  }
  if (!s.measured) return;
  ++measured_left_;
  count(s.request.priority, [&](auto& r) {
    ++r.requests.arrived;
    r.requests.truncated += truncated ? 1 : 0;
  });
}

/// Prompt tokens are counted when the prefill ends, whoever sent them: they pair with the busy time of the window. Once:
/// a user is not charged for what a failure made the service compute again.
void Meter::prefilled(Sequence& s, SimTime now) {
  const bool counts = !s.prompt_counted && window_.contains(now);
  s.prompt_counted = true;
  if (!counts) return;
  count(s.request.priority, [&](auto& r) {
    r.input_cached_tokens += static_cast<double>(s.request.cached_tokens);
    r.input_computed_tokens += static_cast<double>(s.request.input_tokens - s.request.cached_tokens);
  });
}

int Meter::batch_of(const Sequence& s, SimTime now) const {
  double place = 0;  // in the window, as a share of it
  if (measure_.duration_s) {
    const SimTime at = config_.stationary ? now : s.request.arrival;
    place = static_cast<double>(at - window_.from) / static_cast<double>(window_.to - window_.from);
  } else if (measure_.requests) {
    place = (static_cast<double>(s.request.id) - static_cast<double>(measure_.warm_up_requests)) /
            static_cast<double>(*measure_.requests);
  }
  return static_cast<int>(std::clamp(place, 0.0, 1.0) * LatencyMetric::kBatches);  // ids of residents lie far beyond
}

void Meter::first_token(Sequence& s, SimTime now) {
  s.first_token = now;
  if (config_.pools.size() == 1) prefilled(s, now);  // mixed pools: the prompt ends with its first token
  if (window_.contains(now)) result_.output_tokens += 1;
  if (!s.measured) return;
  const int batch = batch_of(s, now);
  count(s.request.priority, [&](auto& r) {
    r.ttft.add(now - s.request.arrival, batch);
    r.queue_wait.add(s.scheduled - s.request.arrival, batch);
  });
}

void Meter::gaps(std::int64_t low_ns, std::int64_t high_ns, double count) {
  const auto whole = static_cast<std::uint64_t>(std::llround(std::max(0.0, count)));
  if (whole > 0) result_.itl.add_gaps(low_ns, high_ns, whole);
}

void Meter::preempted(const Sequence& s) {
  if (s.measured) count(s.request.priority, [](auto& r) { ++r.requests.preemptions; });
}

void Meter::retried(const Sequence& s) {
  if (s.measured) count(s.request.priority, [](auto& r) { ++r.requests.retries; });
}

void Meter::ended(const Sequence& s, Outcome outcome, SimTime now) {
  const bool let_go = outcome == Outcome::Completed && s.first_token == kNever;  // before a stationary run's residents
  if (config_.observer != nullptr && !let_go) {
    config_.observer->request_ended(
        {s.request, outcome, s.scheduled, s.first_token, now, s.instance, s.preemptions, s.measured, s.retries});
  }
  const bool counts = config_.stationary ? window_.contains(now) : s.measured;
  // With a duration, answers are those that end in the window, as its tokens and its cost are the window's.
  const bool answers = measure_.duration_s ? window_.contains(now) : counts;
  if (outcome == Outcome::Completed && answers) {
    count(s.request.priority, [&](auto& r) {
      ++r.answers;
      r.answers_tokens += static_cast<double>(s.request.output_tokens);
    });
  }
  if (outcome == Outcome::Completed && measure_.hours && window_.contains(now)) bill(s, *measure_.hours, now);
  if (outcome == Outcome::Completed && counts) completed(s, now);
  if (!s.measured) return;
  --measured_left_;
  count(s.request.priority, [&](auto& r) {
    if (outcome == Outcome::Completed) ++r.requests.completed;
    if (outcome == Outcome::RejectedContextLimit) ++r.requests.rejected_context_limit;
    if (outcome == Outcome::RejectedQueueFull) ++r.requests.rejected_queue_full;
    if (outcome == Outcome::RejectedAdmission) ++r.requests.rejected_admission;
    if (outcome == Outcome::LostToFailure) ++r.requests.lost;
  });
  if (outcome != Outcome::Completed) judge(s, false, -1, -1);
}

void Meter::bill(const Sequence& s, const Measurement::Hours& hours, SimTime now) {
  const auto cached = static_cast<double>(s.request.cached_tokens);
  const TokenVolume tokens{static_cast<double>(s.request.input_tokens) - cached, cached,
                           static_cast<double>(s.request.output_tokens)};
  const double hour = std::fmod(hours.start_hour + to_seconds(now).value() / kSecondsPerHour, 24.0);
  result_.billed += tokens;
  if (is_in_hours(hours.from_hour, hours.to_hour, hour)) result_.billed_in_hours += tokens;
}

void Meter::completed(const Sequence& s, SimTime now) {
  const int batch = batch_of(s, now);
  const auto gaps = static_cast<double>(s.request.output_tokens - 1);
  const double decode_ns = static_cast<double>(now - s.first_token);
  double tok_s = -1;
  if (gaps > 0) {
    tok_s = gaps / std::max(decode_ns, 1.0) * 1e9;
    count(s.request.priority, [&](auto& r) {
      r.tpot.add(std::llround(decode_ns / gaps), batch);
      r.interactivity_sum += tok_s;
      ++r.interactivity_count;
    });
  }
  const double ttft_ns = static_cast<double>(s.first_token - s.request.arrival);
  if (!s.resident) {
    // The first token after the reasoning ones, at the request's own mean gap.
    const double answer_ns = ttft_ns + (gaps > 0 ? decode_ns / gaps * static_cast<double>(s.request.reasoning_tokens) : 0.0);
    if (!config_.stationary) {
      count(s.request.priority, [&](auto& r) {
        r.ttft_answer.add(std::llround(answer_ns), batch);
        r.e2e.add(now - s.request.arrival, batch);
        r.service.add(now - s.scheduled, batch);
      });
    }
  }
  judge(s, true, s.resident ? -1 : ttft_ns * 1e-9, tok_s);
}

/// A bound that a request cannot be judged by (a resident's first token, the speed of a one-token answer) is left out.
void Meter::judge(const Sequence& s, bool completed, double ttft_s, double tok_s) {
  const bool bounds_ttft = measure_.slo_ttft_s > 0 && !s.resident;
  const bool bounds_speed = measure_.slo_interactivity_tok_s > 0 && (!completed || tok_s >= 0);
  const bool ttft_ok = completed && ttft_s <= measure_.slo_ttft_s;
  const bool speed_ok = completed && tok_s >= measure_.slo_interactivity_tok_s;
  count(s.request.priority, [&](auto& r) {
    if (bounds_ttft) {
      ++r.judged_ttft;
      r.met_ttft += ttft_ok ? 1 : 0;
    }
    if (bounds_speed) {
      ++r.judged_interactivity;
      r.met_interactivity += speed_ok ? 1 : 0;
    }
    if (bounds_ttft || bounds_speed) {
      ++r.judged_all;
      r.met_all += (!bounds_ttft || ttft_ok) && (!bounds_speed || speed_ok) ? 1 : 0;
    }
  });
}

bool Meter::over(SimTime next) const {
  if (measure_.duration_s) return next >= window_.to;
  return measure_.requests && all_arrived_ && measured_left_ == 0;
}

SimTime Meter::end_time(SimTime last_event) const { return measure_.duration_s ? window_.to : last_event; }

/// Unfinished requests miss every bound: a service must not look better for what it never answered.
void Meter::judge_unfinished() {
  Sequence unfinished;
  const std::size_t classes = std::max<std::size_t>(1, result_.classes.size());
  for (std::size_t c = 0; c < classes; ++c) {
    std::uint64_t left = measured_left_;
    if (!result_.classes.empty()) {
      RequestCounts& requests = result_.classes[c].requests;
      left = requests.unfinished = requests.arrived - requests.completed - requests.rejected() - requests.lost;
    }
    unfinished.request.priority = static_cast<std::int32_t>(c);
    for (std::uint64_t i = 0; i < left && !config_.stationary; ++i) judge(unfinished, false, -1, -1);
  }
}

ServiceResult Meter::close(SimTime end, std::uint64_t events) {
  if (window_.from == kNever) window_.from = end;
  if (window_.to == kNever || window_.to > end) window_.to = end;
  result_.measured_s = window_.overlap_s(0, end);
  result_.requests.unfinished = measured_left_;
  judge_unfinished();
  for (std::size_t i = 0; i < result_.pools.size(); ++i) {
    PoolResult& pool = result_.pools[i];
    if (!result_.fleet) pool.provisioned_s = result_.measured_s * config_.pools[i].instances;
    pool.kv_capacity_token_s =
        (result_.fleet ? pool.serving_s : pool.provisioned_s) * static_cast<double>(config_.pools[i].kv_tokens);
    result_.output_tokens += pool.output_tokens;
  }
  result_.close();
  result_.events = events;
  return result_;
}

}  // namespace tokenomics
