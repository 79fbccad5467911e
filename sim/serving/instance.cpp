#include "instance.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

Instance::Instance(const PoolContext& context, int index, int global_index)
    : context_(context),
      config_(*context.config),
      store_(*context.store),
      speculation_(context.config->mtp),
      index_(index),
      global_index_(global_index),
      cap_(context.config->timer->context_cap()),
      queue_(context.config->batching),
      packer_(*context.config) {
  TOKENOMICS_CHECK(config_.ranks >= 1 && config_.kv_tokens > 0 && config_.batching.max_sequences > 0, "pool limits");
  check_start_waits();
  if (config_.prefix_cache && context.prompts != nullptr) {
    cache_ = std::make_unique<PrefixCache>(*config_.prefix_cache, *context.prompts, *context.tiers, config_.ranks,
                                           *context.window, context.result->cache);
  }
}

void Instance::enqueue(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  if (s.loaded.to > 0) --loading_;
  s.instance = global_index_;
  if (!s.has_waited) s.enqueued = now;
  look_up_for_order(s, now);
  if (s.has_waited) queue_.push_preempted(store_, slot);
  else queue_.push(store_, slot);
  wake(now);
}

/// Something that may let the head of the queue in has changed.
void Instance::wake(SimTime now) {
  if (queue_.empty() || (mode_ == Mode::Idle && !landed_.empty())) return;
  if (mode_ == Mode::Idle) {
    const bool admissible = head_admissible(now);
    if (!admissible && hold_ == Hold::None) hold(Hold::WaitRule, now);
    next_event_ = admissible ? now : next_try(now);
  } else if (head_admissible(now)) {
    cut_run_for_head(now);
  } else if (config_.batching.wait.at_most_s > 0 && mode_ == Mode::DecodeRun) {
    cut_run(std::max(now, gate_opens_at()), came(store_[queue_.front()]));
  }
  if (hold_ == Hold::None) hold_head(now);
}

void Instance::release(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  prompt_kv_ -= std::exchange(s.charged_at_sender, 0);
  --sending_;
  give_prefix_back(s, s.request.input_tokens, now);
  wake(now);
}

void Instance::landed(Slot slot, SimTime now) {
  landed_.push_back(slot);
  store_[slot].enqueued = now;
  if (mode_ == Mode::Idle) next_event_ = now;
  else cut_run(now, now);
}

void Instance::place(Slot slot, SimTime now) {
  store_[slot].enqueued = now;
  store_[slot].instance = global_index_;
  join(slot, now);
  next_event_ = now;
}

void Instance::advance(SimTime now) {
  TOKENOMICS_CHECK(now == next_event_, fmt::format("advanced at {} instead of {}", now, next_event_));
  if (mode_ == Mode::PromptStep) end_prompt_step(now);
  if (mode_ == Mode::DecodeRun) end_decode_run(now);
  plan(now);
}

/// The part of a step or run before the end counts as if it had ended there: rates stay right, nothing is finished.
void Instance::stop(SimTime now) {
  if (cache_) cache_->sample(now);
  end_hold(now);
  if (mode_ == Mode::Idle) return;
  const SimTime start = clock_.start_time();
  if (now <= start) return;
  const double share = static_cast<double>(now - start) / static_cast<double>(next_event_ - start);
  if (mode_ == Mode::DecodeRun || decode_only_s_ > 0)
    decode_steps(run_steps_ * share, start, now, clock_.run().first_s, clock_.run().slope_s);
  else account(start, now, share, 0);
}

void Instance::end_prompt_step(SimTime now) {
  const SimTime start = last_step_start_ = clock_.start_time();
  clock_.finish(1);
  poll(now);
  start_waited_ += 1;
  if (decode_only_s_ > 0) {
    decode_steps(1, start, now, clock_.run().first_s, 0);
    free_late_places();
    finish_due(now);
  } else {
    account(start, now, 1, 0);
    free_late_places();
    stall_s_ += active_.empty() ? 0.0 : clock_.run().first_s;
  }
  const std::int64_t before = active_.size();
  for (const PromptShare& share : shares_) {
    Sequence& s = store_[share.slot];
    s.prompt_done += share.tokens;
    if (s.prompt_done == s.prompt_target) prompt_complete(share.slot, now);
  }
  if (stall_s_ > 0 && active_.size() > before) late_.push_back({stall_s_, static_cast<double>(active_.size() - before)});
}

void Instance::prompt_complete(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  prefilling_.remove(store_, slot);
  publish_prefix(s, now);
  if (config_.role == PoolRole::Prefill) {  // the KV stays until it is with its receiver: release()
    s.charged_at_sender = std::exchange(s.charged, 0);
    ++sending_;
    return context_.listener->prefilled(slot, now);
  }
  const FixedTokens before = charged();
  prompt_kv_ -= std::exchange(s.charged, 0);
  ++s.emitted;
  if (s.first_token == kNever) context_.listener->first_token(slot, now);
  else count_recomputed(s, now);
  if (s.emitted == s.request.output_tokens) {
    give_prefix_back(s, s.request.input_tokens, now);
    keep_place(before - charged());
    return context_.listener->finished(slot, now);
  }
  join(slot, now);
}

/// The prompt step that computes a sequence again that was taken out of a batch gives its next token. The gap to the one
/// before it is the time since then.
void Instance::count_recomputed(const Sequence& s, SimTime now) {
  if (!context_.window->contains(now)) return;
  context_.result->output_tokens += 1;
  context_.listener->gaps(now - s.stopped, now - s.stopped, 1);
}

void Instance::end_decode_run(SimTime now) {
  const SimTime start = clock_.start_time();
  last_step_start_ = run_steps_ > 1 ? clock_.boundary(run_steps_ - 1) : start;
  count_polls(run_steps_);
  start_waited_ += run_steps_;
  clock_.finish(run_steps_);
  decode_steps(run_steps_, start, now, clock_.run().first_s, clock_.run().slope_s);
  free_late_places();
  finish_due(now);
}

/// Counts `steps` decode steps that took [start, now] and moves the batch's sums on by them.
void Instance::decode_steps(double steps, SimTime start, SimTime now, double first_s, double slope_s) {
  const double n = static_cast<double>(active_.size());
  const double inside = now > start ? context_.window->overlap_s(start, now) / to_seconds(now - start).value() : 0;
  if (inside > 0) {
    const double scale = static_cast<double>(kFixedOne), growth = static_cast<double>(growth_sum_) / scale;
    PoolResult& r = *context_.result;
    r.decode_steps += inside * steps;
    r.output_tokens += inside * steps * growth;
    r.attended_tokens += inside * (steps * static_cast<double>(context_sum_) / scale + growth * steps * (steps - 1) / 2);
    const double first_ns = first_s * 1e9, last_ns = first_ns + slope_s * 1e9 * std::max(0.0, steps - 1);
    const double stalled = count_stalled(first_ns, inside);
    const double next_ns = stalled > 0 ? first_ns + slope_s * 1e9 : first_ns;  // the first gap that is not counted yet
    context_.listener->gaps(std::llround(std::min(next_ns, last_ns)), std::llround(std::max(next_ns, last_ns)),
                            n * steps * inside - stalled);
    // Tokens accepted together reach the user together: gaps of zero.
    context_.listener->gaps(0, 0, inside * steps * std::max(0.0, growth - n));
  }
  forget_stall();
  account(start, now, steps, mode_ == Mode::PromptStep ? decode_only_s_ * steps : to_seconds(now - start).value());
  const auto whole = static_cast<FixedTokens>(std::floor(steps));
  context_sum_ += whole * growth_sum_;
  capped_sum_ += whole * capped_growth_sum_;
  step_ += static_cast<std::uint64_t>(whole);
  make_room_in_cache(now, 0);  // the batch is at its fullest before anybody leaves
  cross_caps();
}

/// The first gap also holds the prefill-only steps before it, for those who joined between them only the later ones.
/// Returns how many gaps were counted.
double Instance::count_stalled(double step_ns, double inside) {
  if (stall_s_ <= 0) return 0;
  double left = static_cast<double>(active_.size());
  const auto count = [&](double stall_s, double sequences) {
    const std::int64_t gap_ns = std::llround(step_ns + stall_s * 1e9);
    context_.listener->gaps(gap_ns, gap_ns, sequences * inside);
    left -= sequences;
  };
  // The youngest first: they are the ones that a preemption has taken away.
  for (auto late = late_.rbegin(); late != late_.rend(); ++late)
    count(stall_s_ - late->after_s, std::min(left, late->sequences));
  count(stall_s_, left);
  return static_cast<double>(active_.size()) * inside;
}

void Instance::forget_stall() {
  stall_s_ = 0;
  late_.clear();
}

void Instance::account(SimTime start, SimTime end, double steps, double decode_only_s) {
  effort_.busy_s += to_seconds(end - start).value();
  effort_.sequence_s += to_seconds(end - start).value() * static_cast<double>(active_.size());
  const double inside_s = context_.window->overlap_s(start, end);
  const double prompt_tokens = mode_ == Mode::PromptStep ? steps * prefill_load_.tokens : 0.0;
  const bool decodes = decode_only_s > 0;  // in a prompt-only step the batch stands still
  if (inside_s > 0) {
    const double whole_s = to_seconds(end - start).value(), inside = inside_s / whole_s;
    PoolResult& r = *context_.result;
    const double decode_s = std::min(inside_s, decode_only_s * inside);
    r.busy_s += inside_s;
    r.decode_s += decode_s;
    r.prefill_s += inside_s - decode_s;
    r.steps += inside * steps;
    r.sequence_s += inside_s * static_cast<double>(active_.size());
    const double grown = decodes ? static_cast<double>(growth_sum_) * steps / 2 : 0.0;
    r.kv_token_s += inside_s * (static_cast<double>(held_by_sequences()) + grown) / static_cast<double>(kFixedOne);
    r.prompt_tokens += inside * prompt_tokens;
  }
  if (context_.observer != nullptr) {
    context_.observer->run_ended(
        {context_.pool, index_, start, end, static_cast<std::int64_t>(steps), decodes ? active_.size() : 0, prompt_tokens});
  }
}

/// A context that reached the cap adds to capped_sum_ exactly the cap from here on.
void Instance::cross_caps() {
  if (cap_ <= 0) return;
  for (Slot slot = crossings_.take_due(store_, step_); slot != kNoSlot; slot = crossings_.take_due(store_, step_)) {
    Sequence& s = store_[slot];
    capped_sum_ += cap_ * kFixedOne - context_of(s);
    capped_growth_sum_ -= s.growth;
    s.capped = true;
  }
}

void Instance::finish_due(SimTime now) {
  if (context_.step_by_step && speculation_.active()) return speculate_one_step(now);
  for (Slot slot = finishes_.take_due(store_, step_); slot != kNoSlot; slot = finishes_.take_due(store_, step_)) {
    end_sequence(slot, now);
  }
}

/// The last token's KV is never computed.
void Instance::end_sequence(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  const FixedTokens before = charged();
  leave(slot);
  s.emitted = s.request.output_tokens;
  give_prefix_back(s, s.request.input_tokens + s.emitted - 1, now);
  keep_place(before - charged());
  context_.listener->finished(slot, now);
}

/// Of a sequence that has ended, with the memory that it alone had; what the prefix cache keeps of it is there for others.
void Instance::keep_place(FixedTokens tokens) {
  if (!config_.batching.releases_late) return;
  ++late_places_;
  late_kv_ += std::max<FixedTokens>(0, tokens);
}

void Instance::free_late_places() { late_places_ = late_kv_ = 0; }

/// Step-by-step mode with drafts: every sequence draws its own accepted tokens.
void Instance::speculate_one_step(SimTime now) {
  for (Slot slot = active_.front(); slot != kNoSlot;) {
    Sequence& s = store_[slot];
    const Slot next = s.next;
    RandomStream random(context_.seed, "drafts", s.request.id * 65536 + static_cast<std::uint64_t>(step_ - s.start_step));
    const std::int64_t before = s.emitted;
    s.emitted = std::min(s.request.output_tokens, s.emitted + speculation_.draw(random));
    // The sums grew by the expectation; here they are put right by what was really emitted.
    const FixedTokens grew = (s.emitted - before) * kFixedOne - s.growth;
    context_sum_ += grew;
    if (!s.capped) capped_sum_ += grew;
    s.context0 += grew;
    if (s.emitted == s.request.output_tokens) {
      end_sequence(slot, now);
    }
    slot = next;
  }
}

void Instance::join(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  TOKENOMICS_CHECK(
      s.emitted >= 1 && s.emitted < s.request.output_tokens,
      fmt::format("request {} joins with {} of {} tokens at {}", s.request.id, s.emitted, s.request.output_tokens, now));
  const std::int64_t context = s.request.input_tokens + s.emitted;
  const std::int64_t left = s.request.output_tokens - s.emitted;
  RandomStream random(context_.seed, "steps", s.request.id * 256 + static_cast<std::uint64_t>(s.preemptions));
  const std::int64_t steps = speculation_.draw_steps(left, random);
  s.start_step = step_;
  s.finish_step = step_ + static_cast<std::uint64_t>(steps);
  s.context0 = context * kFixedOne;
  s.growth = context_.step_by_step && speculation_.active()
                 ? std::llround(speculation_.mean() * static_cast<double>(kFixedOne))
                 : left * kFixedOne / steps;
  s.pad = rounded_to_blocks(context) - context;
  ++s.stamp;
  active_.push_back(store_, slot);
  if (queue_.is_batch(s)) active_batch_.add(store_, slot);
  context_sum_ += s.context0;
  growth_sum_ += s.growth;
  pad_sum_ += s.pad;
  finishes_.add(store_, s.finish_step, slot);
  s.capped = cap_ > 0 && context >= cap_;
  capped_sum_ += s.capped ? cap_ * kFixedOne : s.context0;
  if (s.capped || cap_ <= 0) {
    if (cap_ <= 0) capped_growth_sum_ += s.growth;
    return;
  }
  capped_growth_sum_ += s.growth;
  const auto until_cap = static_cast<std::uint64_t>((cap_ * kFixedOne - s.context0 + s.growth - 1) / s.growth);
  if (s.start_step + until_cap < s.finish_step) crossings_.add(store_, s.start_step + until_cap, slot);
}

FixedTokens Instance::context_of(const Sequence& s) const {
  return s.context0 + s.growth * static_cast<FixedTokens>(step_ - s.start_step);
}

/// Takes a sequence out of the batch; what it added to the sums leaves them exactly.
void Instance::leave(Slot slot) {
  Sequence& s = store_[slot];
  active_.remove(store_, slot);
  const FixedTokens context = context_of(s);
  context_sum_ -= context;
  growth_sum_ -= s.growth;
  capped_sum_ -= s.capped ? cap_ * kFixedOne : context;
  if (!s.capped) capped_growth_sum_ -= s.growth;
  pad_sum_ -= s.pad;
  ++s.stamp;
}

void Instance::check_empty() const {
  const std::int64_t sequences =
      queue_.size() + places_taken() + sending_ + loading_ + static_cast<std::int64_t>(landed_.size());
  const std::int64_t tokens = queue_.tokens() + pad_sum_ + prompt_kv_ + shared_sum_ + swapped_kv_;
  const FixedTokens sums = context_sum_ + capped_sum_ + growth_sum_ + capped_growth_sum_;
  const std::int64_t pinned = cache_ ? cache_->tokens() - cache_->evictable() : 0;
  TOKENOMICS_CHECK(
      sequences == 0 && tokens == 0 && sums == 0 && pinned == 0,
      fmt::format("instance {} keeps {} sequences, {} waiting, {} prompt, {} shared, {} swapped and {} pinned "
                  "tokens and {} of contexts of nobody",
                  global_index_, sequences, queue_.tokens(), prompt_kv_, shared_sum_, swapped_kv_, pinned, sums));
}

DecodeLoad Instance::decode_load() const {
  const double scale = static_cast<double>(kFixedOne);
  return {active_.size(), static_cast<double>(context_sum_) / scale, static_cast<double>(capped_sum_) / scale};
}

FixedTokens Instance::charged() const {
  const std::int64_t cached = cache_ ? cache_->tokens() - shared_sum_ : 0;
  return context_sum_ + late_kv_ +
         (pad_sum_ + prompt_kv_ + cached + config_.kv_tokens_per_sequence * active_.size()) * kFixedOne;
}

/// KV is allocated in blocks: a joining context fills its last block up; what it generates later is charged token by
/// token, which is what whole blocks cost on average.
std::int64_t Instance::rounded_to_blocks(std::int64_t tokens) const {
  return (tokens + config_.block_tokens - 1) / config_.block_tokens * config_.block_tokens;
}

}  // namespace tokenomics
