#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include <rapidcheck.h>

#include "support/trivial_service.hpp"

namespace tokenomics::test {

/// A pool, a router and rules of admission with any combination of policies.
struct AnyService {
  LinearTimer prompt_timer, decode_timer;
  ServiceConfig config;
  double rate = 1;

  /// Timers live here: to be called where this has come to rest.
  void bind() {
    for (PoolConfig& pool : config.pools) pool.timer = pool.role == PoolRole::Decode ? &decode_timer : &prompt_timer;
  }
};

inline int pick(int low, int high) { return *rc::gen::inRange(low, high + 1); }

inline RouterPolicy any_router() { return static_cast<RouterPolicy>(pick(0, 5)); }

inline PoolConfig any_pool(const StepTimer& timer) {
  PoolConfig p = mixed_pool(timer);
  p.instances = pick(1, 5);
  p.ranks = pick(1, 3);
  BatchingSpec& b = p.batching;
  b.policy = pick(0, 1) == 1 ? BatchPolicy::PrefillFirst : BatchPolicy::ChunkedMixed;
  b.max_sequences = pick(1, 40);
  b.max_tokens_per_step = pick(3, 2000);
  b.chunked_prefill = pick(0, 1) == 1;
  b.wait = {pick(1, 6), 0.01 * pick(0, 1) * pick(0, 20)};
  b.queue = static_cast<QueueOrder>(pick(0, 3));
  b.priority_aging_s = 0.1 * pick(0, 10);
  if (pick(0, 1) == 1) b.batch_tier = BatchTier{pick(1, 3), 0.1 * pick(1, 10), pick(0, 1) == 1};
  p.block_tokens = pick(1, 64);
  p.kv_tokens = static_cast<std::int64_t>(p.ranks) * (1500 + pick(0, 4000));
  p.mtp.draft_tokens = pick(0, 2);
  p.mtp.acceptance = {0.01 * pick(0, 100), 0.01 * pick(0, 100)};
  return p;
}

inline TokenBucketRule any_bucket() {
  return {pick(0, 1) == 1 ? BucketUnit::PromptTokens : BucketUnit::Requests, 0.1 * pick(1, 5000), 1.0 * pick(1, 500)};
}

inline AdmissionRules any_admission() {
  AdmissionRules rules;
  if (pick(0, 1) == 1) rules.default_bucket = any_bucket();
  if (pick(0, 1) == 1) rules.tenants = {{0, any_bucket()}, {2, any_bucket()}};
  if (pick(0, 2) == 0) rules.shed.wait_s = 0.01 * pick(0, 100);
  if (pick(0, 2) == 0) rules.shed.waiting_requests_per_instance = pick(0, 20);
  if (pick(0, 2) == 0) rules.shed.kv_share = 0.1 * pick(1, 10);
  rules.shed.class_factor = 0.1 * pick(1, 10);
  return rules;
}

inline AnyService any_service() {
  AnyService s;
  for (LinearTimer* timer : {&s.prompt_timer, &s.decode_timer}) {
    timer->fixed_s = 1e-4 * pick(1, 50);
    timer->per_sequence_s = 1e-6 * pick(0, 50);
    timer->per_context_s = 1e-9 * pick(0, 50);
    timer->per_prompt_token_s = 1e-7 * pick(0, 100);
    timer->cap = pick(0, 1) * pick(1, 500);
    timer->longest_run = pick(1, 1000);
  }
  s.config.pools = {any_pool(s.prompt_timer)};
  if (pick(0, 1) == 1) {
    s.config.pools[0].role = PoolRole::Prefill;
    s.config.pools.push_back(any_pool(s.decode_timer));
    s.config.pools[1].role = PoolRole::Decode;
    s.config.kv_transfer = {Seconds{1e-3 * pick(0, 50)}, Seconds{1e-6 * pick(0, 10)}};
  }
  s.config.router = any_router();
  if (pick(0, 1) == 1) s.config.router_rules.decode = any_router();
  s.config.router_rules.cache_aware = {0.1 * pick(1, 9), pick(0, 20), 1.0 + 0.1 * pick(0, 10), pick(1, 30)};
  s.config.router_rules.remembered_sessions = pick(1, 30);
  if (pick(0, 1) == 1) s.config.admission = any_admission();
  if (pick(0, 3) == 0) s.config.queue_limit_requests = pick(1, 20);
  s.config.context_limit_tokens = pick(0, 1) * pick(500, 4000);
  s.config.priority_classes = pick(1, 4);
  s.config.seed = static_cast<std::uint64_t>(pick(1, 1000));
  s.rate = 0.5 * pick(1, 400);
  return s;
}

/// Conversations of several calls and lone requests, tenants and classes, all known by the seed: Poisson starts, each call
/// after the end of the one before it and a pause. Prompts grow, and the prompt tree says so.
class SessionsSource final : public RequestSource {
 public:
  SessionsSource(std::uint64_t seed, double rate_per_s, std::uint64_t requests)
      : random_(seed, "sessions"), rate_(rate_per_s), left_(requests) {
    start();
  }
  ~SessionsSource() override {
    for (const Call& call : due_) tree_.release(call.request.segment);
  }

  SimTime next_arrival() const override { return left_ == 0 ? kNever : std::min(soonest(), next_start_); }
  Request take() override {
    if (next_start_ <= soonest()) start();
    const auto at = std::min_element(due_.begin(), due_.end(), before);
    Call call = *at;
    due_.erase(at);
    call.request.id = id_++;
    --left_;
    calls_left_[call.request.session] = call.left;
    return call.request;
  }
  void ended(const Request& request, SimTime now) override {
    const int left = calls_left_.at(request.session);
    calls_left_.erase(request.session);
    if (left == 0) return tree_.release(request.segment);
    Request next = request;
    next.input_tokens += request.output_tokens + 1 + static_cast<std::int64_t>(random_for(request).below(60));
    next.cached_tokens = 0;
    next.arrival = now + 1'000'000;
    due_.push_back({next, left - 1});
  }
  PromptTree* prompts() override { return &tree_; }

 private:
  struct Call {
    Request request;
    int left;
  };
  static bool before(const Call& a, const Call& b) {
    return a.request.arrival != b.request.arrival ? a.request.arrival < b.request.arrival
                                                  : a.request.session < b.request.session;
  }
  static RandomStream random_for(const Request& r) {
    return RandomStream(static_cast<std::uint64_t>(r.session), "call", static_cast<std::uint64_t>(r.input_tokens));
  }
  SimTime soonest() const {
    SimTime soonest = kNever;
    for (const Call& call : due_) soonest = std::min(soonest, call.request.arrival);
    return soonest;
  }
  void start() {
    if (next_start_ != kNever) {
      Request r;
      r.arrival = next_start_;
      r.session = session_++;
      r.tenant = static_cast<std::int32_t>(random_.below(4));
      r.priority = static_cast<std::int32_t>(random_.below(4));
      r.input_tokens = 1 + static_cast<std::int64_t>(300 * random_.exponential());
      r.output_tokens = 1 + static_cast<std::int64_t>(50 * random_.exponential());
      r.segment = tree_.add(kNoSegment, 0);
      due_.push_back({r, static_cast<int>(random_.below(6))});
    }
    clock_s_ += random_.exponential() / rate_;
    next_start_ = to_sim_time(Seconds{clock_s_});
  }

  PromptTree tree_;
  RandomStream random_;
  double rate_, clock_s_ = 0;
  std::uint64_t left_, id_ = 0;
  SimTime next_start_ = kNever;
  std::int64_t session_ = 0;
  std::vector<Call> due_;
  std::map<std::int64_t, int> calls_left_;
};

}  // namespace tokenomics::test
