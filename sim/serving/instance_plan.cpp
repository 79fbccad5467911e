// Planning: which step comes next, and how many of its kind in one leap.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "instance.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

/// Free KV kept back at admission so that the batch can grow before it must preempt (vLLM's watermark, 1%).
constexpr std::int64_t kWatermarkDivisor = 100;

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

/// The coming step was decided when the last one began: whoever came since waits for one more. Nothing is decided ahead
/// of an empty engine.
bool Instance::head_came_too_late() const {
  if (!config_.batching.schedules_ahead || queue_.empty() || (active_.empty() && prefilling_.empty())) return false;
  return store_[queue_.front()].enqueued > last_step_start_;
}

/// Fills prefill_load_ with prompt chunks for the next step; false when there are none.
bool Instance::gather_prompts(SimTime now) {
  shares_.clear();
  if (prefilling_.empty() && queue_.empty()) return false;
  const bool shares_step = config_.batching.policy == BatchPolicy::ChunkedMixed;
  packer_.begin(shares_step ? static_cast<double>(active_.size() * speculation_.queries()) : 0.0);
  for (Slot slot = prefilling_.front(); slot != kNoSlot; slot = store_[slot].next) {
    if (!add_prompt_share(slot)) break;
  }
  const bool open = !queue_.empty() && gate_open(now);
  const bool was_empty = active_.empty() && prefilling_.empty();
  while (open && !queue_.empty()) {
    if (!was_empty && head_came_too_late()) break;
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
  std::int64_t finishing = 0;
  for (const PromptShare& share : shares_) {
    const Sequence& s = store_[share.slot];
    if (s.prompt_done + share.tokens == s.prompt_target) ++finishing;
  }
  prefill_load_ = packer_.load(finishing);
  return true;
}

/// False when the step is full.
bool Instance::add_prompt_share(Slot slot) {
  const Sequence& s = store_[slot];
  const std::int64_t tokens = packer_.add(s.prompt_done, s.prompt_target - s.prompt_done);
  if (tokens > 0) shares_.push_back({slot, tokens});
  return tokens > 0;
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
  run_steps_ = head_came_too_late() ? 1 : steps;
  if (!queue_.empty() && run_steps_ > 1 && !gate_open(now)) run_steps_ = clock_.steps_until(gate_opens_at(), run_steps_);
  next_event_ = clock_.boundary(run_steps_);
}

/// An arrival may join: the run ends at the first boundary at or after `at`, or a step later where that one is decided.
void Instance::cut_run(SimTime at) {
  if (mode_ != Mode::DecodeRun || run_steps_ <= 1 || at >= next_event_) return;
  const double decided = config_.batching.schedules_ahead ? 1 : 0;
  run_steps_ = std::min(run_steps_, clock_.steps_until(at, run_steps_) + decided);
  next_event_ = clock_.boundary(run_steps_);
}

}  // namespace tokenomics
