// Planning: which step comes next, and how many of its kind in one leap.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "instance.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

/// Free KV kept back at admission so that the batch can grow before it must preempt (vLLM's watermark, 1%).
constexpr std::int64_t kWatermarkDivisor = 100;

/// sum over tokens t = 1..n of min(done + t, cap); cap 0: none.
double attended(double done, double n, double cap) {
  const double full = n * done + n * (n + 1) / 2;
  if (cap <= 0 || done + n <= cap) return full;
  if (done >= cap) return n * cap;
  const double below = cap - done;  // the first `below` tokens still see everything
  return below * done + below * (below + 1) / 2 + (n - below) * cap;
}

}  // namespace

void Instance::plan(SimTime now) {
  const bool was_idle = mode_ == Mode::Idle;
  if (held_) context_.result->held_s += context_.window->overlap_s(held_since_, now);
  held_ = false;
  make_room_for_growth(now);
  admit_ready(now);
  if (was_idle) clock_.start(now, {}, true);
  if (gather_prompts(now)) return start_prompt_step(now);
  if (!active_.empty()) return start_decode_run(now);
  mode_ = Mode::Idle;
  forget_stall();
  if (!queue_.empty()) hold(now);
  next_event_ = held_ ? std::max(now, gate_opens_at()) : kNever;
  TOKENOMICS_CHECK(!held_ || next_event_ > now, fmt::format("idle with {} admissible waiting", queue_.size()));
}

void Instance::hold(SimTime now) {
  held_ = true;
  held_since_ = now;
}

void Instance::make_room_for_growth(SimTime now) {
  const FixedTokens capacity = config_.kv_tokens * kFixedOne;
  while (charged() + growth_sum_ > capacity && active_.size() + prefilling_.size() > 1) {
    if (active_.size() > 1 || prefilling_.empty()) preempt_last(now);
    else preempt_prompt(now);
  }
}

/// Sequences whose KV is already there (decode pools) join the batch at a step boundary.
void Instance::admit_ready(SimTime now) {
  while (!queue_.empty()) {
    const Slot slot = queue_.front();
    Sequence& head = store_[slot];
    if (head.prompt_done < head.prompt_target) return;
    if (active_.size() + prefilling_.size() >= config_.batching.max_sequences) return;
    if (!fits(rounded_to_blocks(head.prompt_target + 1))) return;
    queue_.remove(store_, slot);
    head.scheduled = std::min(head.scheduled, now);
    join(slot, now);
    if (head.first_token == kNever) context_.listener->first_token(slot, now);
  }
}

bool Instance::gate_open(SimTime now) const {
  const WaitRule& wait = config_.batching.wait;
  return queue_.size() >= wait.until_requests || now >= gate_opens_at();
}

SimTime Instance::gate_opens_at() const {
  const Sequence& head = store_[queue_.front()];
  // A preempted sequence has waited its turn already.
  if (head.preemptions > 0) return head.enqueued;
  return head.enqueued + to_sim_time(Seconds{config_.batching.wait.at_most_s});
}

bool Instance::fits(std::int64_t kv_tokens) const {
  if (active_.empty() && prefilling_.empty()) return true;  // alone: admission checked that it fits
  const std::int64_t watermark = config_.kv_tokens / kWatermarkDivisor;
  const std::int64_t need = kv_tokens + config_.kv_tokens_per_sequence + watermark;
  return charged() + growth_sum_ + need * kFixedOne <= config_.kv_tokens * kFixedOne;
}

bool Instance::head_admissible(SimTime now) const {
  if (queue_.empty() || active_.size() + prefilling_.size() >= config_.batching.max_sequences) return false;
  const Sequence& head = store_[queue_.front()];
  const bool ready = head.prompt_done >= head.prompt_target;
  return (ready || gate_open(now)) && fits(rounded_to_blocks(head.prompt_target + 1));
}

/// Fills prefill_load_ with prompt chunks for the next step; false when there are none.
bool Instance::gather_prompts(SimTime now) {
  shares_.clear();
  if (prefilling_.empty() && queue_.empty()) return false;
  const auto ranks = static_cast<std::size_t>(config_.ranks);
  for (auto* sums : {&rank_work_, &rank_tokens_, &rank_attended_, &rank_capped_, &rank_reexpanded_})
    sums->assign(ranks, 0.0);
  for (Slot slot = prefilling_.front(); slot != kNoSlot; slot = store_[slot].next) {
    if (!add_prompt_share(slot)) break;
  }
  const bool open = !queue_.empty() && gate_open(now);
  while (open && !queue_.empty()) {
    const Slot slot = queue_.front();
    Sequence& head = store_[slot];
    const std::int64_t kv = rounded_to_blocks(head.prompt_target + 1);
    if (head.prompt_done >= head.prompt_target) break;
    if (active_.size() + prefilling_.size() >= config_.batching.max_sequences || !fits(kv)) break;
    if (!add_prompt_share(slot)) break;
    queue_.remove(store_, slot);
    prefilling_.push_back(store_, slot);
    head.charged = kv;
    prompt_kv_ += kv;
    head.scheduled = std::min(head.scheduled, now);
  }
  if (shares_.empty()) return false;
  const auto sum = [](const std::vector<double>& of_ranks) {
    return std::accumulate(of_ranks.begin(), of_ranks.end(), 0.0);
  };
  // The slowest rank sets the time: the one with most work, attention counted.
  const auto slowest = static_cast<std::size_t>(std::max_element(rank_work_.begin(), rank_work_.end()) - rank_work_.begin());
  prefill_load_ = {sum(rank_tokens_),
                   sum(rank_attended_),
                   sum(rank_capped_),
                   sum(rank_reexpanded_),
                   static_cast<std::int64_t>(shares_.size()),
                   0,
                   rank_tokens_[slowest],
                   rank_attended_[slowest]};
  for (const PromptShare& share : shares_) {
    const Sequence& s = store_[share.slot];
    if (s.prompt_done + share.tokens == s.prompt_target) ++prefill_load_.finishing;
  }
  return true;
}

/// Gives a prompt the emptiest rank and as many tokens as its budget leaves; false when it gets none.
bool Instance::add_prompt_share(Slot slot) {
  const Sequence& s = store_[slot];
  const bool shares_step = config_.batching.policy == BatchPolicy::ChunkedMixed;
  const double decode_tokens = shares_step ? static_cast<double>(active_.size() * speculation_.queries()) : 0.0;
  const double budget =
      std::max(1.0, std::floor((static_cast<double>(config_.batching.max_tokens_per_step) - decode_tokens) / config_.ranks));
  const auto rank = static_cast<std::size_t>(std::min_element(rank_work_.begin(), rank_work_.end()) - rank_work_.begin());
  const double done = static_cast<double>(s.prompt_done);
  const double left = static_cast<double>(s.prompt_target - s.prompt_done);
  const double tokens = share_of_prompt(left, done, budget - rank_work_[rank], rank_work_[rank] == 0.0);
  if (tokens < 1.0) return false;
  rank_work_[rank] += tokens + attention_weight_ * attended(done, tokens, 0) + reexpansion_weight_ * done;
  rank_tokens_[rank] += tokens;
  rank_attended_[rank] += attended(done, tokens, 0);
  rank_capped_[rank] += attended(done, tokens, static_cast<double>(cap_));
  rank_reexpanded_[rank] += done;
  shares_.push_back({slot, static_cast<std::int64_t>(tokens)});
  return true;
}

/// Largest n with n + a (n done + n^2 / 2) + r done <= room, with the weights a and r of attention and re-expansion; an
/// empty rank takes at least a sixteenth of its room, so that the longest prompt gets on.
double Instance::share_of_prompt(double left, double done, double room, bool rank_is_empty) const {
  const double linear = 1 + attention_weight_ * done, rest = room - reexpansion_weight_ * done;
  const double root = linear + std::sqrt(std::max(0.0, linear * linear + 2 * attention_weight_ * rest));
  double most = std::floor(std::max(0.0, 2 * rest / root));
  if (rank_is_empty) most = std::max(most, std::max(1.0, std::floor(room / 16)));
  if (config_.batching.chunked_prefill) return std::min(left, most);
  return left <= most || rank_is_empty ? left : 0.0;
}

/// Weights from the timer itself: what a full step costs more per attended and per re-expanded token, over what it
/// costs per token. Measured far out, where attention is not hidden behind communication.
void Instance::weigh_attention() {
  const auto tokens = static_cast<double>(config_.batching.max_tokens_per_step);
  constexpr double kFarTokens = 32768;
  const auto step_s = [&](double attended_tokens, double reexpanded) {
    const double ranks = config_.ranks;
    return config_.timer
        ->step({}, {tokens, attended_tokens, attended_tokens, reexpanded, config_.ranks, config_.ranks, tokens / ranks,
                    attended_tokens / ranks})
        .value();
  };
  const double plain_s = step_s(tokens, 0), per_token_s = plain_s / tokens;
  attention_weight_ = std::max(0.0, step_s(tokens * kFarTokens, 0) - plain_s) / (tokens * kFarTokens) / per_token_s;
  reexpansion_weight_ = std::max(0.0, step_s(tokens, tokens * kFarTokens) - plain_s) / (tokens * kFarTokens) / per_token_s;
}

void Instance::start_prompt_step(SimTime now) {
  mode_ = Mode::PromptStep;
  const bool mixed = config_.batching.policy == BatchPolicy::ChunkedMixed && !active_.empty();
  const DecodeLoad decode = mixed ? decode_load() : DecodeLoad{};
  decode_only_s_ = mixed ? config_.timer->step(decode, {}).value() : 0.0;
  const double step_s = config_.timer->step(decode, prefill_load_).value();
  TOKENOMICS_CHECK(step_s > 0 && std::isfinite(step_s), fmt::format("prompt step takes {} s", step_s));
  clock_.start(now, {step_s, 0, 1}, false);
  run_steps_ = 1;
  next_event_ = clock_.boundary(1);
}

void Instance::start_decode_run(SimTime now) {
  mode_ = Mode::DecodeRun;
  const double scale = static_cast<double>(kFixedOne);
  LinearRun run;
  if (context_.step_by_step) {
    run = {config_.timer->step(decode_load(), {}).value(), 0, 1};
  } else {
    run = config_.timer->run(decode_load(),
                             {static_cast<double>(growth_sum_) / scale, static_cast<double>(capped_growth_sum_) / scale});
  }
  TOKENOMICS_CHECK(
      run.first_s > 0 && run.steps >= 1 && std::isfinite(run.first_s),
      fmt::format("decode step of {} sequences takes {} s for {} steps", active_.size(), run.first_s, run.steps));
  double steps = std::floor(run.steps);
  if (!context_.step_by_step) {
    const std::uint64_t never = ~std::uint64_t{0};
    const std::uint64_t next = std::min(finishes_.next_step(store_, never), crossings_.next_step(store_, never));
    steps = std::min(steps, static_cast<double>(next - step_));
    const FixedTokens headroom = config_.kv_tokens * kFixedOne - charged();
    if (growth_sum_ > 0 && active_.size() > 1)
      steps = std::min(steps, std::max(1.0, std::floor(static_cast<double>(headroom / growth_sum_))));
  }
  clock_.start(now, run, false);
  run_steps_ = steps;
  if (!queue_.empty() && run_steps_ > 1 && !gate_open(now)) run_steps_ = clock_.steps_until(gate_opens_at(), run_steps_);
  next_event_ = clock_.boundary(run_steps_);
}

/// An arrival may join: the run ends at the first boundary at or after `at`.
void Instance::cut_run(SimTime at) {
  if (mode_ != Mode::DecodeRun || run_steps_ <= 1 || at >= next_event_) return;
  run_steps_ = clock_.steps_until(at, run_steps_);
  next_event_ = clock_.boundary(run_steps_);
}

}  // namespace tokenomics
