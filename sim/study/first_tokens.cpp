#include <algorithm>
#include <cmath>
#include <numeric>

#include "tokenomics/sim/prompt_packer.hpp"
#include "tokenomics/study/steady_state.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kLeastArrivals = 1024;
constexpr double kPasses = 40;  ///< steps that a run of arrivals spans at least, if there are arrivals enough
constexpr double kWarmUpShare = 0.125;
constexpr double kGrowingSteps = 1;  ///< by which prompts begin later at the end of a run than at its start: overload
constexpr double kHopeless = 8;      ///< a queue this many times longer than its warm-up grows without end

/// A prompt that waits or is being computed.
struct Waiting {
  double arrival_s;
  std::int64_t done;
  std::int64_t target;
  bool is_begun = false;
};

/// The recursion's state. Prompts wait in order of arrival in `queue_` from `head_` on.
class PromptQueue {
 public:
  PromptQueue(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s, const DecodeState* decode)
      : pool_(pool), workload_(workload), rate_(rate_per_s), packer_(pool) {
    const bool mixes = pool.batching.policy == BatchPolicy::ChunkedMixed;
    if (decode == nullptr || decode->sequences < 1e-9) return;
    const double n = decode->sequences;
    batch_ = decode_load_of(pool, n, n * workload.mean.kv_per_output_token);
    decode_s_ = pool.timer->step(batch_, {}).value();
    decoding_share_ = -std::expm1(-n);  // Poisson: somebody is there
    if (mixes) shared_ = batch_;
    decode_tokens_ = mixes ? n * (1 + pool.mtp.draft_tokens) : 0;
  }

  FirstTokens run() {
    const double passes = rate_ * kPasses * std::max(decode_s_, one_prompt_s());
    const std::size_t arrivals = std::clamp(static_cast<std::size_t>(passes), kLeastArrivals, workload_.prompts.size());
    arrivals_ = std::min(arrivals, workload_.prompts.size());
    queue_.reserve(workload_.prompts.size());
    next_arrival_s_ = workload_.gaps[0] / rate_;
    while (head_ < queue_.size() || arrived_ < arrivals_) advance();
    return result();
  }

 private:
  [[nodiscard]] double one_prompt_s() const {
    const auto& prompt = workload_.mean_prompt;
    return pool_.timer->step({}, {prompt.computed, prompt.attended, prompt.attended, 0, 1, 1, 0, 0}).value();
  }

  void take_arrivals() {
    while (arrived_ < arrivals_ && next_arrival_s_ <= now_s_) {
      const Lengths& lengths = workload_.prompts[arrived_];
      queue_.push_back({next_arrival_s_, lengths.cached, lengths.input});
      ++arrived_;
      const bool is_short = arrived_ == arrivals_ && prompt_steps_ < kPasses;  // prompts that go together make long steps
      if (is_short) arrivals_ = std::min(2 * arrivals_, workload_.prompts.size());
      if (arrived_ < arrivals_) next_arrival_s_ += workload_.gaps[arrived_] / rate_;
    }
  }

  void advance() {
    take_arrivals();
    if (head_ < queue_.size() && gate_open()) return prompt_step();
    const double until_s = next_prompt_step_s();
    // Until then the batch decodes, in whole steps; or, as often as it is empty, nothing happens.
    decoding_credit_ += decoding_share_;
    if (decoding_credit_ >= 1) {
      decoding_credit_ -= 1;
      const double steps = std::max(1.0, std::ceil((until_s - now_s_) / decode_s_));
      decode_time_s_ += steps * decode_s_;
      now_s_ += steps * decode_s_;
    } else {
      now_s_ = std::max(now_s_ + 1e-12, until_s);
    }
  }

  /// When the next prompt can be computed: it arrives, or the gate opens for those that wait.
  [[nodiscard]] double next_prompt_step_s() const {
    if (head_ == queue_.size()) return next_arrival_s_;
    return arrived_ < arrivals_ ? std::min(next_arrival_s_, gate_opens_s()) : gate_opens_s();
  }

  [[nodiscard]] double gate_opens_s() const { return queue_[head_].arrival_s + pool_.batching.wait.at_most_s; }
  [[nodiscard]] bool gate_open() const {
    const auto waiting = static_cast<std::int64_t>(queue_.size() - head_);
    return queue_[head_].is_begun || waiting >= pool_.batching.wait.until_requests || now_s_ >= gate_opens_s();
  }

  void prompt_step() {
    packer_.begin(decode_tokens_);
    shares_.clear();
    std::int64_t finishing = 0;
    for (std::size_t i = head_; i < queue_.size(); ++i) {
      const std::int64_t tokens = packer_.add(queue_[i].done, queue_[i].target - queue_[i].done);
      if (tokens == 0) break;
      shares_.push_back(tokens);
      if (queue_[i].done + tokens == queue_[i].target) ++finishing;
    }
    const double step_s = pool_.timer->step(shared_, packer_.load(finishing)).value();
    now_s_ += step_s;
    prompt_steps_ += 1;
    prompt_time_s_ += step_s;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      if (!queue_[head_ + i].is_begun) begin_delays_.push_back(now_s_ - step_s - queue_[head_ + i].arrival_s);
      queue_[head_ + i].done += shares_[i];
      queue_[head_ + i].is_begun = true;
    }
    // Prompts end in order but for those on other ranks: one that ended early waits in place with nothing left.
    for (std::size_t i = head_; i < head_ + shares_.size(); ++i)
      if (queue_[i].done == queue_[i].target && queue_[i].arrival_s >= 0) end(i);
    compact();
  }

  void end(std::size_t i) {
    times_.push_back(now_s_ - queue_[i].arrival_s);
    queue_[i].arrival_s = -1;
  }

  /// Moves what is left to the front, in order.
  void compact() {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(head_ + shares_.size());
    const auto begin = queue_.begin() + static_cast<std::ptrdiff_t>(head_);
    const auto kept = std::stable_partition(begin, end, [](const Waiting& w) { return w.arrival_s < 0; });
    head_ = static_cast<std::size_t>(kept - queue_.begin());
  }

  FirstTokens result() {
    FirstTokens first;
    const double last_arrival_s = next_arrival_s_;
    times_.erase(times_.begin(),
                 times_.begin() + static_cast<std::ptrdiff_t>(kWarmUpShare * static_cast<double>(arrivals_)));
    first.busy_share = (prompt_time_s_ + decode_time_s_) / std::max(now_s_, 1e-12);
    const std::size_t quarter = times_.size() / 4;
    const double early = mean_of(times_, 0, quarter), late = mean_of(times_, 3 * quarter, times_.size());
    first.saturated = late > kHopeless * early + 0.25 * last_arrival_s || does_not_keep_up(last_arrival_s);
    first.mean_s = mean_of(times_, 0, times_.size());
    std::sort(times_.begin(), times_.end());
    first.sorted_s = std::move(times_);
    return first;
  }
  /// A pool of prompts alone that does not keep up: it computes for longer than the arrivals take, and the wait until a
  /// prompt is begun grows. The first alone does not tell, since long prompts take many steps after the last arrival, nor
  /// the second, since queues come and go.
  [[nodiscard]] bool does_not_keep_up(double last_arrival_s) const {
    if (pool_.role != PoolRole::Prefill || prompt_time_s_ <= last_arrival_s) return false;
    const std::size_t quarter = begin_delays_.size() / 4;
    const double early = mean_of(begin_delays_, 0, quarter);
    const double late = mean_of(begin_delays_, 3 * quarter, begin_delays_.size());
    return late > 2 * early && late - early > kGrowingSteps * prompt_time_s_ / prompt_steps_;
  }

  [[nodiscard]] static double mean_of(const std::vector<double>& values, std::size_t from, std::size_t to) {
    const auto at = [&](std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
    return to > from ? std::accumulate(at(from), at(to), 0.0) / static_cast<double>(to - from) : 0;
  }

  const PoolConfig& pool_;
  const WorkloadSample& workload_;
  double rate_;
  PromptPacker packer_;
  DecodeLoad batch_, shared_;
  double decode_s_ = 0, decoding_share_ = 0, decoding_credit_ = 0, decode_tokens_ = 0;
  std::size_t arrivals_ = 0, arrived_ = 0, head_ = 0;
  double now_s_ = 0, next_arrival_s_ = 0, prompt_time_s_ = 0, decode_time_s_ = 0, prompt_steps_ = 0;
  std::vector<Waiting> queue_;
  std::vector<std::int64_t> shares_;
  std::vector<double> times_;
  std::vector<double> begin_delays_;  ///< from arrival to the first step with a part of the prompt
};

}  // namespace

double FirstTokens::quantile_s(double p) const {
  if (sorted_s.empty()) return 0;
  const double at = p * static_cast<double>(sorted_s.size()) - 0.5;
  const double low = std::clamp(std::floor(at), 0.0, static_cast<double>(sorted_s.size() - 1));
  const auto i = static_cast<std::size_t>(low);
  const std::size_t next = std::min(i + 1, sorted_s.size() - 1);
  return sorted_s[i] + std::clamp(at - low, 0.0, 1.0) * (sorted_s[next] - sorted_s[i]);
}

FirstTokens first_tokens(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s,
                         const DecodeState* decode) {
  return PromptQueue(pool, workload, rate_per_s, decode).run();
}

}  // namespace tokenomics
