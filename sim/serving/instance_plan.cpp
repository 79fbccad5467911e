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
  decided_ = config_.batching.schedules_ahead && !(active_.empty() && prefilling_.empty());
  end_hold(now);
  if (active_.empty() && prefilling_.empty()) {
    poll(now);
    free_late_places();  // no step follows
  }
  admit_landed(now);
  make_room_for_growth(now);
  if (was_idle) clock_.start(now, {}, true);
  bool has_prompts = false;
  for (bool again = true; again;) {
    has_prompts = fill_step(now);
    again = fetched_;  // whoever left the queue to be loaded may have stood before one that is ready
    if (!decided_ || has_prompts || !active_.empty()) continue;
    decided_ = false;  // preemption has left nothing of the step that was decided: nobody came too late for it
    admit_landed(now);
    again = true;
  }
  check_memory();
  if (has_prompts || !active_.empty()) {
    if (has_prompts) start_prompt_step(now);
    else start_decode_run(now);
    hold_head(now);
    return;
  }
  mode_ = Mode::Idle;
  forget_stall();
  if (!queue_.empty()) hold(Hold::WaitRule, now);
  const bool is_held = hold_ != Hold::None;
  next_event_ = is_held ? next_try(now) : kNever;
  TOKENOMICS_CHECK(!is_held || next_event_ > now, fmt::format("idle with {} admissible waiting", queue_.size()));
}

/// Lets in who can join the coming step; true when prompts are in it.
bool Instance::fill_step(SimTime now) {
  fetched_ = false;
  admit_ready(now);
  return gather_prompts(now);
}

/// Idle, with requests that may not begin yet: until the rule that holds them lets them go. While KV is on its way in or
/// out that takes places or memory, its end wakes the instance.
SimTime Instance::next_try(SimTime now) const {
  const SimTime opens = std::max(now, gate_opens_at());
  return opens > now || prompt_kv_ == 0 ? opens : kNever;
}

void Instance::hold(Hold rule, SimTime now) {
  hold_ = rule;
  held_since_ = now;
}

void Instance::end_hold(SimTime now) {
  const double held_s = hold_ == Hold::None ? 0.0 : context_.window->overlap_s(held_since_, now);
  PoolResult& r = *context_.result;
  (hold_ == Hold::BatchTier ? r.batch_held_s
   : hold_ == Hold::Poll    ? r.poll_held_s
   : hold_ == Hold::Start   ? r.start_held_s
                            : r.held_s) += held_s;
  hold_ = Hold::None;
}

/// Nobody is let in beyond what memory holds; a single sequence was checked at admission.
void Instance::check_memory() const {
  TOKENOMICS_CHECK(places_taken() - late_places_ <= 1 || charged() <= config_.kv_tokens * kFixedOne,
                   fmt::format("{} KV tokens of {} in use", charged() / kFixedOne, config_.kv_tokens));
}

/// KV memory is full: the youngest goes, one of the batch tier before all others.
void Instance::make_room_for_growth(SimTime now) {
  const FixedTokens capacity = config_.kv_tokens * kFixedOne;
  make_room_in_cache(now, growth_sum_);
  if (charged() + growth_sum_ > capacity) free_late_places();
  const std::int64_t stay = arriving_ > 0 ? 0 : 1;  // what is on its way has its memory already
  while (charged() + growth_sum_ > capacity && active_.size() + prefilling_.size() > stay) {
    const Slot batch = active_batch_.youngest(store_);
    if (active_.size() > 1 || prefilling_.empty()) preempt_decoding(batch != kNoSlot ? batch : active_.back(), now);
    else preempt_prompt(now);
    make_room_in_cache(now, growth_sum_);
  }
}

/// KV that was on its way is here: these sequences have had places and memory since they asked for it.
void Instance::admit_landed(SimTime now) {
  const auto wait =
      std::stable_partition(landed_.begin(), landed_.end(), [&](Slot slot) { return !came_too_late(store_[slot]); });
  for (auto here = landed_.begin(); here != wait; ++here) {
    const Slot slot = *here;
    Sequence& s = store_[slot];
    --arriving_;
    prompt_kv_ -= s.charged;
    s.charged = 0;
    s.kv_away = false;
    join(slot, now);
    if (s.first_token == kNever) context_.listener->first_token(slot, now);
  }
  landed_.erase(landed_.begin(), wait);
}

/// Sequences whose KV is already there (decode pools) join the batch at a step boundary.
void Instance::admit_ready(SimTime now) {
  while (!queue_.empty()) {
    const Slot slot = queue_.front();
    Sequence& head = store_[slot];
    if (head.prompt_done < head.prompt_target || head.available > now) return;
    if (came_too_late(head) || head_is_unseen(polled_at_)) return;
    make_way_for(head, now);
    if (!has_room_for(head, now)) return;
    queue_.remove(store_, slot);
    head.scheduled = std::min(head.scheduled, now);
    if (head.kv_away) {
      ++arriving_;
      head.charged = rounded_to_blocks(head.prompt_target + 1);
      prompt_kv_ += head.charged;
      context_.listener->wants_kv(slot, now);
      continue;
    }
    if (head.swapped) {
      swapped_kv_ -= head.prompt_target;
      head.swapped = false;
    }
    join(slot, now);
    make_room_in_cache(now, growth_sum_);
    if (head.first_token == kNever) context_.listener->first_token(slot, now);
  }
}

bool Instance::gate_open(SimTime now) const {
  const WaitRule& wait = config_.batching.wait;
  if (store_[queue_.front()].available > now) return false;
  return queue_.size() >= wait.until_requests || now >= gate_opens_at();
}

SimTime Instance::gate_opens_at() const {
  const Sequence& oldest = store_[queue_.oldest()];
  // A preempted sequence has waited its turn already.
  const SimTime wait = oldest.preemptions > 0 ? 0 : to_sim_time(Seconds{config_.batching.wait.at_most_s});
  return std::max(oldest.enqueued + wait, store_[queue_.front()].available);
}

/// Whether there is memory for a sequence: what the prefix cache holds of it is there already, what else the cache holds
/// gives way.
bool Instance::fits(const Sequence& s, SimTime now) {
  if (active_.empty() && prompt_kv_ == 0) return true;  // alone: admission checked that it fits
  const std::int64_t watermark = config_.kv_tokens / kWatermarkDivisor;
  std::int64_t need = rounded_to_blocks(s.prompt_target + 1) + config_.kv_tokens_per_sequence + watermark;
  if (caches(s) && !s.swapped) {
    const PrefixCache::Found found = cache_->find(s.request, now);  // drops what is too old, so the rest is asked after it
    need += found.unpinned - found.tokens;
  }
  if (cache_) need -= cache_->evictable();
  return charged() + growth_sum_ + need * kFixedOne <= config_.kv_tokens * kFixedOne;
}

/// A place, memory, and for the batch tier its rule.
bool Instance::has_room_for(const Sequence& head, SimTime now) {
  return places_taken() < config_.batching.max_sequences && fits(head, now) && tier_lets_in(head);
}

bool Instance::head_admissible(SimTime now) {
  if (queue_.empty()) return false;
  const Sequence& head = store_[queue_.front()];
  const bool ready = head.prompt_done >= head.prompt_target && head.available <= now;
  return (ready || gate_open(now)) && (has_room_for(head, now) || can_make_way(head));
}

/// The coming step was decided when the last one began: whoever came since waits for one more. Nothing is decided ahead
/// of an empty engine.
bool Instance::came_too_late(const Sequence& s) const { return decided_ && came(s) > last_step_start_; }

/// KV is asked for at any boundary: no step waits for that.
SimTime Instance::came(const Sequence& s) const { return s.kv_away ? 0 : s.enqueued; }

/// Fills prefill_load_ with prompt chunks for the next step; false when there are none.
bool Instance::gather_prompts(SimTime now) {
  shares_.clear();
  start_held_steps_ = 0;
  if (queue_.empty()) end_start_wait();
  if (prefilling_.empty() && queue_.empty()) return false;
  const bool open = !queue_.empty() && gate_open(now) && !holds_start(now);
  begin_step();
  while (open && !queue_.empty()) {
    if (head_is_unseen(polled_at_)) break;
    const Slot slot = queue_.front();
    Sequence& head = store_[slot];
    if (came_too_late(head) || head.prompt_done >= head.prompt_target) break;
    if (fetch_prefix(slot, now)) continue;  // before room is made for it: it waits for the load at any rate
    make_way_for(head, now);
    if (!has_room_for(head, now)) break;
    if (caches(head)) head.prompt_done = cache_->reusable(head.request, head.loaded, now);
    const bool has_share = add_prompt_share(slot);
    if (caches(head)) head.prompt_done = 0;  // as long as it is in the queue: it is counted there as it came
    if (!has_share) break;
    queue_.remove(store_, slot);
    prefilling_.push_back(store_, slot);
    end_start_wait();
    take_prefix(head, now);
    head.charged = rounded_to_blocks(head.prompt_target + 1);
    prompt_kv_ += head.charged;
    make_room_in_cache(now, growth_sum_);
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

/// The step's decodes and the prompts that are under way.
void Instance::begin_step() {
  shares_.clear();
  const bool shares_step = config_.batching.policy == BatchPolicy::ChunkedMixed;
  packer_.begin(shares_step ? static_cast<double>(active_.size() * speculation_.queries()) : 0.0);
  for (Slot slot = prefilling_.front(); slot != kNoSlot; slot = store_[slot].next) {
    if (!add_prompt_share(slot)) break;
  }
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
    const FixedTokens headroom = config_.kv_tokens * kFixedOne - held_by_sequences();
    if (growth_sum_ > 0 && active_.size() + arriving_ > 1)
      steps = std::min(steps, std::max(1.0, std::floor(static_cast<double>(headroom / growth_sum_))));
  }
  clock_.start(now, run, false);
  const bool is_awaited = late_places_ > 0 || !landed_.empty() ||
                          (!queue_.empty() && came_too_late(store_[queue_.front()])) ||
                          (start_held_steps_ > 0 && came_too_late(store_[queue_.newest()]));
  run_steps_ = is_awaited ? 1 : steps;
  if (start_held_steps_ > 0) run_steps_ = std::min(run_steps_, start_held_steps_);
  if (head_is_unseen(polled_at_)) run_steps_ = std::min(run_steps_, steps_to_poll());
  if (!queue_.empty() && run_steps_ > 1 && !gate_open(now)) run_steps_ = clock_.steps_until(gate_opens_at(), run_steps_);
  next_event_ = clock_.boundary(run_steps_);
}

/// Who came at `came` may join: the run ends at the first boundary at or after `at`, where steps are decided ahead after the
/// first step that began since he came.
void Instance::cut_run(SimTime at, SimTime came) {
  if (mode_ != Mode::DecodeRun || run_steps_ <= 1 || at >= next_event_) return;
  double steps = clock_.steps_until(at, run_steps_);
  if (config_.batching.schedules_ahead && came > clock_.start_time())
    steps = std::max(steps, clock_.steps_until(came, run_steps_) + 1);
  run_steps_ = std::min(run_steps_, steps);
  next_event_ = clock_.boundary(run_steps_);
}

}  // namespace tokenomics
