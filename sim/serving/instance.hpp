#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../core/sequence.hpp"
#include "../core/step_calendar.hpp"
#include "../core/step_clock.hpp"
#include "../core/window.hpp"
#include "cache/prefix_cache.hpp"
#include "pool_load.hpp"
#include "prompt_queue.hpp"
#include "speculation.hpp"
#include "tokenomics/sim/prompt_packer.hpp"
#include "tokenomics/sim/service.hpp"
#include "youngest.hpp"

namespace tokenomics {

/// What an instance tells the service. Called while it advances; must not touch the instance.
class InstanceListener {
 public:
  virtual ~InstanceListener() = default;
  virtual void first_token(Slot slot, SimTime now) = 0;
  virtual void finished(Slot slot, SimTime now) = 0;   ///< its last token is out; it has left the instance
  virtual void prefilled(Slot slot, SimTime now) = 0;  ///< prefill pool: its KV is complete; it has left the instance
  virtual void preempted(Slot slot) = 0;
  /// A sequence whose turn has come leaves the queue until lower cache tiers have given what they hold of its prompt.
  virtual void loads_prefix(Slot slot, SimTime ready) = 0;
  /// A decode instance has a place and memory for a sequence whose KV is still with its sender.
  virtual void wants_kv(Slot slot, SimTime now) = 0;
  virtual void gaps(std::int64_t low_ns, std::int64_t high_ns, double count) = 0;  ///< inter-token gaps in the window
};

/// Shared by the instances of a pool.
struct PoolContext {
  const PoolConfig* config;
  int pool;  ///< index
  SequenceStore* store;
  const Window* window;
  InstanceListener* listener;
  Observer* observer;  ///< may be null
  PoolResult* result;
  std::uint64_t seed;
  bool step_by_step;
  PromptTree* prompts = nullptr;       ///< of the request source; null: nothing is known of what prompts share
  const SharedTiers* tiers = nullptr;  ///< of the pool's prefix cache
  bool looks_up = false;               ///< prefixes of known prompts are those that the entry pool's cache finds
};

/// One replica: a queue, a batch and a KV cache. Between two changes of the batch it leaps: all steps up to the next
/// change (a finish, a bend of the timer, the end of KV memory, an admissible arrival) are one event.
class Instance {
 public:
  Instance(const PoolContext& context, int index, int global_index);

  /// A sequence reaches the instance. Decode pools get sequences whose prompt_done == prompt_target.
  void enqueue(Slot slot, SimTime now);
  /// Lower cache tiers may hold more of its prompt than HBM: starts loading it. Returns when it can be enqueued.
  SimTime load_prefix(Slot slot, SimTime now);
  /// Prefill pools: the KV of a prompt is with its receiver, or nobody wants it.
  void release(Slot slot, SimTime now);
  /// Decode pools: the KV that was asked for by wants_kv() is here.
  void landed(Slot slot, SimTime now);
  /// A resident of a stationary start: it has emitted `emitted` tokens and decodes from step 0 on.
  void place(Slot slot, SimTime now);

  [[nodiscard]] SimTime next_event() const { return next_event_; }
  /// Handles the event due at `now` == next_event().
  void advance(SimTime now);
  /// Counts what lies between the last event and the end of the run.
  void stop(SimTime now);

  /// It fails: what it has done until `now` is counted, and all sequences that it holds are given up, with the answers that
  /// they have got so far, what it has cached too. Afterwards it is empty.
  std::vector<Slot> fail(SimTime now);
  /// Its GPUs and hosts are given back: nothing that it has cached stays.
  void forget_prefixes(SimTime now);
  /// KV that was to come from a sender that has failed will not.
  void give_up_arrival(Slot slot, SimTime now);

  /// Nothing is left of the sequences that it has had.
  void check_empty() const;

  /// Seconds in a step, and sequences decoding times seconds, from the start of the run until `now`.
  struct Effort {
    double busy_s = 0;
    double sequence_s = 0;
  };
  [[nodiscard]] Effort effort(SimTime now) const;

  [[nodiscard]] std::int64_t load() const { return queue_.size() + places_taken() + loading_; }
  /// Prompts that are computed and whose KV is not with its receiver yet.
  [[nodiscard]] std::int64_t sending() const { return sending_; }
  /// In the queue, or on the way into it.
  [[nodiscard]] std::int64_t waiting() const { return queue_.size() + loading_; }
  [[nodiscard]] InstanceBacklog backlog() const { return {queue_.size(), queue_.tokens(), held_by_sequences() / kFixedOne}; }

 private:
  enum class Mode { Idle, DecodeRun, PromptStep };
  /// The rule that keeps a request waiting though there is room for it.
  enum class Hold { None, WaitRule, BatchTier, Poll, Start };
  struct PromptShare {
    Slot slot;
    std::int64_t tokens;
  };

  /// Sequences that joined after prefill-only steps of `after_s` had halted the others.
  struct LateJoin {
    double after_s;
    double sequences;
  };

  // Planning: what the next step is.
  void plan(SimTime now);
  void make_room_for_growth(SimTime now);
  void check_memory() const;
  void admit_ready(SimTime now);
  bool fill_step(SimTime now);
  bool gather_prompts(SimTime now);
  bool add_prompt_share(Slot slot);
  void begin_step();
  [[nodiscard]] bool gate_open(SimTime now) const;
  [[nodiscard]] SimTime gate_opens_at() const;
  [[nodiscard]] std::int64_t places_taken() const { return active_.size() + prefilling_.size() + arriving_ + late_places_; }
  [[nodiscard]] bool fits(const Sequence& sequence, SimTime now);
  void wake(SimTime now);
  [[nodiscard]] SimTime next_try(SimTime now) const;
  [[nodiscard]] bool has_room_for(const Sequence& head, SimTime now);
  [[nodiscard]] bool head_admissible(SimTime now);
  [[nodiscard]] bool came_too_late(const Sequence& sequence) const;
  [[nodiscard]] SimTime came(const Sequence& sequence) const;
  [[nodiscard]] bool head_is_unseen(SimTime polled) const;
  [[nodiscard]] SimTime polled_by(SimTime now) const;
  [[nodiscard]] bool poll_holds_head(SimTime now);
  void poll(SimTime now);
  void count_polls(double steps);
  [[nodiscard]] double steps_to_poll() const;
  void hold_head(SimTime now);

  // Prompts that could start and are held for company.
  [[nodiscard]] bool holds_start(SimTime now);
  [[nodiscard]] std::int64_t longest_start_wait();
  [[nodiscard]] bool ranks_have_prompts() const;
  [[nodiscard]] bool step_is_dense();
  void end_start_wait();
  void check_start_waits() const;
  void start_prompt_step(SimTime now);
  void start_decode_run(SimTime now);
  void cut_run(SimTime at, SimTime came);
  void cut_run_for_head(SimTime at);
  void hold(Hold rule, SimTime now);
  void end_hold(SimTime now);

  // The batch tier.
  [[nodiscard]] bool tier_lets_in(const Sequence& head) const;
  [[nodiscard]] bool tier_holds_head(SimTime now);
  [[nodiscard]] bool can_make_way(const Sequence& head);
  void make_way_for(const Sequence& head, SimTime now);

  // Execution: what happened since the last event.
  void end_prompt_step(SimTime now);
  void end_decode_run(SimTime now);
  void account(SimTime start, SimTime end, double steps, double decode_only_s);
  void count_broken_off(SimTime now);
  void decode_steps(double steps, SimTime start, SimTime end, double first_gap_s, double slope_s);
  [[nodiscard]] double count_stalled(double step_ns, double inside);
  void forget_stall();
  void count_recomputed(const Sequence& sequence, SimTime now);
  void cross_caps();
  void finish_due(SimTime now);
  void end_sequence(Slot slot, SimTime now);
  void keep_place(FixedTokens tokens);
  void free_late_places();
  void speculate_one_step(SimTime now);
  void prompt_complete(Slot slot, SimTime now);

  // The batch.
  void join(Slot slot, SimTime now);
  void leave(Slot slot);
  bool fetch_prefix(Slot slot, SimTime now);
  void take_prefix(Sequence& sequence, SimTime now);
  void look_up_for_order(Sequence& sequence, SimTime now);
  void publish_prefix(Sequence& sequence, SimTime now);
  void give_prefix_back(Sequence& sequence, std::int64_t kept, SimTime now);
  [[nodiscard]] bool caches(const Sequence& sequence) const { return cache_ && sequence.request.segment != kNoSegment; }
  void make_room_in_cache(SimTime now, FixedTokens growth);
  void admit_landed(SimTime now);
  void preempt_decoding(Slot slot, SimTime now);
  [[nodiscard]] bool swap_out(Sequence& sequence, SimTime now);
  void preempt_prompt(SimTime now);
  [[nodiscard]] std::int64_t kept_of_prompt(const Sequence& sequence) const;
  void requeue_preempted(Slot slot, SimTime now);
  [[nodiscard]] FixedTokens context_of(const Sequence& sequence) const;
  [[nodiscard]] DecodeLoad decode_load() const;
  [[nodiscard]] FixedTokens charged() const;
  [[nodiscard]] FixedTokens held_by_sequences() const { return charged() - evictable(); }
  [[nodiscard]] FixedTokens evictable() const { return cache_ ? cache_->evictable() * kFixedOne : 0; }
  [[nodiscard]] std::int64_t rounded_to_blocks(std::int64_t tokens) const;

  PoolContext context_;
  const PoolConfig& config_;
  SequenceStore& store_;
  Speculation speculation_;
  int index_;
  int global_index_;
  std::int64_t cap_;

  PromptQueue queue_;        ///< waiting
  SequenceList prefilling_;  ///< admitted, prompt not complete
  SequenceList active_;      ///< decoding, in order of admission
  Youngest active_batch_;    ///< ... of them those of the batch tier
  StepCalendar finishes_;
  StepCalendar crossings_;  ///< contexts that reach the timer's cap
  std::uint64_t step_ = 0;  ///< decode steps made

  FixedTokens context_sum_ = 0;
  FixedTokens capped_sum_ = 0;
  FixedTokens growth_sum_ = 0;
  FixedTokens capped_growth_sum_ = 0;
  std::int64_t pad_sum_ = 0;
  std::int64_t prompt_kv_ = 0;    ///< charged by sequences whose prompt is not complete, on its way in or out
  std::int64_t shared_sum_ = 0;   ///< KV tokens of sequences that the prefix cache counts
  std::int64_t late_places_ = 0;  ///< of finished sequences, free when the coming step has ended
  FixedTokens late_kv_ = 0;       ///< ... and their KV
  std::int64_t arriving_ = 0;     ///< sequences with a place whose KV is on its way
  std::int64_t sending_ = 0;      ///< prefill pools: sequences whose KV is held until it has been sent
  std::int64_t loading_ = 0;      ///< on their way into the queue: their prefix comes from lower cache tiers
  std::int64_t swapped_kv_ = 0;   ///< tokens in host memory
  bool fetched_ = false;          ///< in this plan somebody left the queue to be loaded
  std::vector<Slot> landed_;      ///< KV is here; they join at the next step boundary
  std::unique_ptr<PrefixCache> cache_;

  Mode mode_ = Mode::Idle;
  StepClock clock_;
  double run_steps_ = 0;
  SimTime next_event_ = kNever;
  SimTime last_step_start_ = 0;  ///< when the coming step was decided, where the engine schedules ahead
  bool decided_ = false;         ///< ... and whether it was: nothing is of an empty engine
  SimTime polled_at_ = 0;        ///< whoever came later has not been seen
  double unpolled_steps_ = 0;    ///< decode steps since then
  double start_held_steps_ = 0;  ///< a prompt could have started and is held for company: for so long at most
  bool start_waits_ = false;     ///< steps are counted since one could have started
  bool ranks_ready_ = false;     ///< ... and they are those after each rank has got a prompt
  double start_waited_ = 0;      ///< steps since then
  Hold hold_ = Hold::None;
  SimTime held_since_ = 0;
  double stall_s_ = 0;          ///< prefill-only steps since the last decode step
  std::vector<LateJoin> late_;  ///< who joined between them

  std::vector<PromptShare> shares_;
  PromptPacker packer_;
  PrefillLoad prefill_load_;
  double decode_only_s_ = 0;
  Effort effort_;  ///< up to the last event
};

}  // namespace tokenomics
