// Prompts that could start and are held until enough of them can start together, or for so many steps. Steps are counted
// from the first boundary at which one could have started, whether or not a growing batch takes its room again, until some
// prompt starts. The queue is first come, first served.
#include <algorithm>

#include <fmt/format.h>

#include "instance.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

void Instance::check_start_waits() const {
  const BatchingSpec& b = config_.batching;
  if (!b.rank_balance_wait && !b.batch_wait) return;
  TOKENOMICS_CHECK(b.queue == QueueOrder::Fcfs && !b.batch_tier && b.poll_steps <= 1,
                   "prompts wait for others only in a queue that is first come, first served, without tier and polling");
  TOKENOMICS_CHECK(!b.rank_balance_wait || config_.ranks > 1, "rank_balance_wait needs several data-parallel ranks");
  TOKENOMICS_CHECK(!b.batch_wait || config_.ranks == 1, fmt::format("batch_wait with {} ranks", config_.ranks));
}

/// Whether nothing but a wait for others keeps the head of the queue out of the coming step. A preempted sequence has waited
/// its turn already: it starts, and who can start with it does.
bool Instance::holds_start(SimTime now) {
  if (!config_.batching.rank_balance_wait && !config_.batching.batch_wait) return false;
  const Sequence& head = store_[queue_.front()];
  if (came_too_late(head) || head.prompt_done >= head.prompt_target || !has_room_for(head, now)) return false;
  if (!start_waits_) start_waited_ = 0;
  start_waits_ = true;
  if (config_.batching.rank_balance_wait && ranks_have_prompts() != ranks_ready_) {
    ranks_ready_ = !ranks_ready_;
    start_waited_ = 0;
  }
  if (head.preemptions > 0) return false;
  start_held_steps_ = std::max(0.0, static_cast<double>(longest_start_wait()) - start_waited_);
  return start_held_steps_ > 0;
}

/// In steps; 0: it starts.
std::int64_t Instance::longest_start_wait() {
  if (const auto& rule = config_.batching.rank_balance_wait) {
    if (active_.size() < config_.ranks) return 0;  // some rank has nothing to decode
    return ranks_ready_ ? rule->batching_steps : rule->timeout_steps;
  }
  return active_.empty() || step_is_dense() ? 0 : config_.batching.batch_wait->steps;
}

bool Instance::ranks_have_prompts() const {
  if (config_.batching.max_sequences - places_taken() < config_.ranks) return false;
  std::int64_t prompts = 0;
  for (Slot slot = queue_.front(); slot != kNoSlot && prompts < config_.ranks; slot = store_[slot].next) {
    if (came_too_late(store_[slot])) break;
    ++prompts;
  }
  return prompts >= config_.ranks;
}

/// Packs who could start into the coming step, by places and the budget; memory is asked for the first only.
bool Instance::step_is_dense() {
  const double enough =
      config_.batching.batch_wait->tokens_ratio * static_cast<double>(config_.batching.max_tokens_per_step);
  double tokens = static_cast<double>(active_.size() * speculation_.queries());
  if (prefilling_.empty() && tokens + static_cast<double>(queue_.tokens()) < enough) return false;
  begin_step();
  for (const PromptShare& share : shares_) tokens += static_cast<double>(share.tokens);
  std::int64_t places = config_.batching.max_sequences - places_taken();
  for (Slot slot = queue_.front(); slot != kNoSlot && places > 0 && tokens < enough; slot = store_[slot].next, --places) {
    const Sequence& s = store_[slot];
    const std::int64_t added = came_too_late(s) ? 0 : packer_.add(s.prompt_done, s.prompt_target - s.prompt_done);
    if (added == 0) break;
    tokens += static_cast<double>(added);
  }
  return tokens >= enough;
}

void Instance::end_start_wait() {
  start_waits_ = ranks_ready_ = false;
  start_waited_ = start_held_steps_ = 0;
}

}  // namespace tokenomics
