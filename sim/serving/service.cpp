#include "tokenomics/sim/service.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <queue>

#include <fmt/format.h>

#include "../core/indexed_heap.hpp"
#include "fleet/fleet.hpp"
#include "instance.hpp"
#include "meter.hpp"
#include "residents.hpp"
#include "router.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

constexpr std::uint64_t kMostRejectionsAtOnce = 1'000'000;

/// A prompt whose KV is on its way from a prefill to a decode instance.
struct Transfer {
  SimTime arrives;
  std::uint64_t order;
  Slot slot;
  std::uint32_t source_failures;  ///< of the instance that it leaves, when it left
  friend bool operator>(const Transfer& a, const Transfer& b) {
    return a.arrives > b.arrives || (a.arrives == b.arrives && a.order > b.order);
  }
};

/// A pool and where its instances stand in the service's flat list.
struct Pool {
  const PoolConfig* config;
  int first_instance;
  int capacity;  ///< instances that there can be
  std::unique_ptr<Router> router;
};

/// The service: request source -> router -> instances (-> KV transfer -> router -> instances) -> meter.
/// Events at the same time: arrivals and transfers first, then instances in order of their index, then the fleet's.
class Service final : public InstanceListener, public FleetHost {
 public:
  Service(const ServiceConfig& config, RequestSource& source);
  ServiceResult run();

  void first_token(Slot slot, SimTime now) override;
  void finished(Slot slot, SimTime now) override;
  void prefilled(Slot slot, SimTime now) override;
  void preempted(Slot slot) override { meter_.preempted(store_[slot]); }
  void gaps(std::int64_t low, std::int64_t high, double count) override { meter_.gaps(low, high, count); }

 private:
  Instance& instance(int index) override { return instances_[static_cast<std::size_t>(index)]; }
  void set_available(int index, bool available) override;
  void changed(int index) override { refresh(index); }
  void route_waiting(int pool, Slot slot, SimTime now) override { route(pools_[static_cast<std::size_t>(pool)], slot, now); }
  void retry(Slot slot, SimTime now) override;
  void lose(Slot slot, SimTime now) override { end(slot, Outcome::LostToFailure, now); }

  void build_instances();
  void place_residents();
  void arrive();
  void hand_over();
  void advance_instance();
  void route(Pool& pool, Slot slot, SimTime now);
  void refresh(int instance);
  void resumed(const Sequence& sequence, SimTime now);
  [[nodiscard]] Pool& pool_of(int instance) {
    return pools_[static_cast<std::size_t>(pool_of_[static_cast<std::size_t>(instance)])];
  }
  void end(Slot slot, Outcome outcome, SimTime now);
  void refuse_endless_rejection(SimTime now);
  [[nodiscard]] SimTime next_arrival();
  [[nodiscard]] Pool& entry() { return pools_.front(); }
  [[nodiscard]] Pool& decode() { return pools_.back(); }

  const ServiceConfig& config_;
  RequestSource& source_;
  SequenceStore store_;
  Meter meter_;
  std::vector<PoolContext> contexts_;
  std::vector<Pool> pools_;
  std::vector<Instance> instances_;
  std::vector<int> pool_of_;
  std::unique_ptr<Fleet> fleet_;  ///< null: all instances are on all the time
  std::unique_ptr<IndexedHeap<SimTime>> calendar_;
  std::priority_queue<Transfer, std::vector<Transfer>, std::greater<>> transfers_;
  std::uint64_t transfer_order_ = 0;
  std::uint64_t arrivals_ = 0;
  std::uint64_t events_ = 0;
  std::int64_t limit_ = 0;
  SimTime last_rejection_ = kNever;
  std::uint64_t rejected_at_once_ = 0;
  SimTime residents_from_ = kNever;  ///< when a stationary run gets its residents; kNever: it has them, or has none
  SimTime now_ = 0;
};

Service::Service(const ServiceConfig& config, RequestSource& source) : config_(config), source_(source), meter_(config) {
  const auto roles_ok = config.pools.size() == 1 ? config.pools[0].role == PoolRole::Mixed
                                                 : config.pools.size() == 2 && config.pools[0].role == PoolRole::Prefill &&
                                                       config.pools[1].role == PoolRole::Decode;
  TOKENOMICS_CHECK(roles_ok, "pools must be one mixed, or prefill then decode");
  build_instances();
  limit_ = sequence_limit(config);
  // Prompts must be on their way before answers can be stationary: what prefill hands over in the first half of the
  // warm-up is let go, then the residents stand for it.
  if (config.stationary) residents_from_ = config.pools.size() > 1 ? to_sim_time(Seconds{config.measure.warm_up_s / 2}) : 0;
}

void Service::build_instances() {
  int total = 0;
  std::vector<int> capacities;
  const std::uint64_t seed =
      RandomStream(config_.seed, "instances", config_.replication).bits();  // replications draw other drafts
  for (const PoolConfig& pool : config_.pools) {
    TOKENOMICS_CHECK(pool.timer != nullptr && pool.instances >= 1, "a pool needs a timer and an instance");
    const int index = static_cast<int>(contexts_.size());
    contexts_.push_back(
        {&pool, index, &store_, &meter_.window(), this, config_.observer, &meter_.pool(index), seed, config_.step_by_step});
    const int capacity =
        config_.fleet.empty() ? pool.instances : config_.fleet.at(static_cast<std::size_t>(index)).scaling.max_instances;
    TOKENOMICS_CHECK(capacity >= pool.instances, fmt::format("{} instances, at most {}", pool.instances, capacity));
    pools_.push_back({&pool, total, capacity, make_router(config_.router, capacity)});
    capacities.push_back(capacity);
    total += capacity;
  }
  instances_.reserve(static_cast<std::size_t>(total));
  for (const PoolContext& context : contexts_) {
    for (int i = 0; i < capacities[static_cast<std::size_t>(context.pool)]; ++i) {
      instances_.emplace_back(context, i, static_cast<int>(instances_.size()));
      pool_of_.push_back(context.pool);
    }
  }
  calendar_ = std::make_unique<IndexedHeap<SimTime>>(total, kNever);
  if (config_.fleet.empty()) return;
  TOKENOMICS_CHECK(!config_.stationary && config_.fleet.size() == config_.pools.size(), "a fleet starts empty, one a pool");
  fleet_ = std::make_unique<Fleet>(config_, capacities, *this, meter_.window(), meter_.pools());
  fleet_->begin();
}

void Service::place_residents() {
  const Pool& pool = decode();
  Residents residents(*pool.config, *config_.stationary, limit_, config_.seed, config_.replication);
  for (int i = 0; i < pool.config->instances; ++i) {
    const int instance = pool.first_instance + i;
    residents.for_each(i, [&](const Resident& resident) {
      const Slot slot = store_.add(resident.request);
      Sequence& s = store_[slot];
      s.resident = true;
      s.emitted = resident.emitted;
      s.first_token = s.scheduled = now_ + resident.first_token;
      s.prompt_done = s.prompt_target;
      instances_[static_cast<std::size_t>(instance)].place(slot, now_);
    });
    refresh(instance);
  }
}

SimTime Service::next_arrival() {
  if (config_.measure.drain && config_.measure.requests &&
      arrivals_ >= config_.measure.warm_up_requests + *config_.measure.requests)
    return kNever;
  return source_.next_arrival();
}

ServiceResult Service::run() {
  while (true) {
    const SimTime arrival = next_arrival();
    const SimTime transfer = transfers_.empty() ? kNever : transfers_.top().arrives;
    const SimTime instance = calendar_->top_key();
    SimTime next = std::min({arrival, transfer, instance});
    if (fleet_ && (next != kNever || fleet_->holds_requests())) next = std::min(next, fleet_->next_event());
    if (next == kNever || meter_.over(next)) break;
    TOKENOMICS_CHECK(next >= now_, fmt::format("time goes back from {} to {}", now_, next));
    if (next >= residents_from_) {
      now_ = residents_from_;
      residents_from_ = kNever;
      place_residents();
      continue;
    }
    now_ = next;
    ++events_;
    if (arrival == next) arrive();
    else if (transfer == next) hand_over();
    else if (instance == next) advance_instance();
    else fleet_->advance(now_);
  }
  const SimTime end = meter_.end_time(now_);
  for (Instance& instance : instances_) instance.stop(end);
  if (fleet_) meter_.fleet(fleet_->close(end));
  return meter_.close(end, events_);
}

void Service::arrive() {
  Request request = source_.take();
  ++arrivals_;
  TOKENOMICS_CHECK(request.arrival == now_ && request.input_tokens >= 1 && request.output_tokens >= 1 &&
                       request.cached_tokens < request.input_tokens,
                   fmt::format("request {} at {} with {} ({} cached) + {} tokens", request.id, request.arrival,
                               request.input_tokens, request.cached_tokens, request.output_tokens));
  const std::int64_t room = limit_ - request.input_tokens;
  const bool truncated = room >= 1 && request.output_tokens > room;
  if (truncated) {  // the engine stops there, as max_tokens does
    request.output_tokens = room;
    request.reasoning_tokens = std::min(request.reasoning_tokens, room - 1);
  }
  const Slot slot = store_.add(request);
  meter_.arrived(store_[slot], truncated, now_);
  if (room < 1) return end(slot, Outcome::RejectedContextLimit, now_);
  route(entry(), slot, now_);
}

void Service::route(Pool& pool, Slot slot, SimTime now) {
  const auto number = static_cast<int>(&pool - pools_.data());
  const bool nobody = fleet_ && !fleet_->has_available(number);
  const int index = nobody ? -1 : pool.first_instance + pool.router->choose();
  if (!nobody && fleet_ && fleet_->is_dead(index)) return fleet_->strand(index, slot, now);
  const std::int64_t waiting = nobody ? fleet_->waiting(number) : instance(index).waiting();
  const bool fresh = store_[slot].first_token == kNever && store_[slot].emitted == 0;
  if (fresh && config_.queue_limit_requests && waiting >= *config_.queue_limit_requests) {
    return end(slot, Outcome::RejectedQueueFull, now);
  }
  if (nobody) return fleet_->wait(number, slot);
  Instance& instance = instances_[static_cast<std::size_t>(index)];
  instance.enqueue(slot, now);
  refresh(index);
}

void Service::refresh(int instance) {
  const Instance& i = instances_[static_cast<std::size_t>(instance)];
  calendar_->update(instance, i.next_event());
  Pool& pool = pool_of(instance);
  const bool is_dead = fleet_ && fleet_->is_dead(instance);  // the router takes its requests to be still there
  pool.router->load_changed(instance - pool.first_instance, is_dead ? fleet_->stranded(instance) : i.load());
  if (fleet_) fleet_->load_changed(instance, i.load(), now_);
}

void Service::set_available(int index, bool available) {
  Pool& pool = pool_of(index);
  pool.router->set_available(index - pool.first_instance, available);
}

/// Prompt and answer so far are computed again; of a request that its user has nothing of yet, the prompt.
void Service::retry(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  if (s.first_token == kNever) s.emitted = 0;
  s.prompt_target = s.request.input_tokens + s.emitted;
  s.prompt_done = s.request.cached_tokens;
  ++s.retries;
  meter_.retried(s);
  route(entry(), slot, now);
}

void Service::advance_instance() {
  const int instance = calendar_->top();
  instances_[static_cast<std::size_t>(instance)].advance(now_);
  refresh(instance);
}

void Service::first_token(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  if (fleet_) fleet_->first_token(to_seconds(now - s.request.arrival).value());
  meter_.first_token(s, now);
}

/// A prefill pool has computed again what a failure took: its token is one more of the answer.
void Service::resumed(const Sequence& s, SimTime now) {
  if (!meter_.window().contains(now)) return;
  meter_.pool(static_cast<int>(pools_.size()) - 1).output_tokens += 1;
  meter_.gaps(now - s.stopped, now - s.stopped, 1);
}

/// The prefill pool made the first token; the user gets it when a decode instance takes the request over.
void Service::prefilled(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  meter_.prefilled(s, now);
  ++s.emitted;
  if (s.request.output_tokens == s.emitted) {
    if (s.first_token == kNever) first_token(slot, now);
    else resumed(s, now);
    return end(slot, Outcome::Completed, now);
  }
  const Seconds delay = config_.kv_transfer.latency + static_cast<double>(s.prompt_target) * config_.kv_transfer.per_token;
  transfers_.push({now + to_sim_time(delay), transfer_order_++, slot, fleet_ ? fleet_->failures_of(s.instance) : 0});
}

void Service::hand_over() {
  const auto [arrives, order, slot, source_failures] = transfers_.top();
  transfers_.pop();
  Sequence& s = store_[slot];
  if (fleet_ && fleet_->failures_of(s.instance) != source_failures) {
    --s.emitted;  // the token that prefill made has gone with its KV
    return fleet_->strand(s.instance, slot, now_);
  }
  if (s.first_token != kNever) resumed(s, now_);
  if (residents_from_ != kNever) return end(slot, Outcome::Completed, now_);
  route(decode(), slot, now_);
}

void Service::finished(Slot slot, SimTime now) {
  const Sequence& s = store_[slot];
  if (fleet_ && s.request.output_tokens > 1)
    fleet_->completed(to_seconds(now - s.first_token).value() / static_cast<double>(s.request.output_tokens - 1));
  end(slot, Outcome::Completed, now);
}

void Service::end(Slot slot, Outcome outcome, SimTime now) {
  Sequence& s = store_[slot];
  if (outcome != Outcome::Completed && outcome != Outcome::LostToFailure) refuse_endless_rejection(now);
  meter_.ended(s, outcome, now);
  if (!s.resident) source_.ended(s.request, now);
  store_.remove(slot);
}

/// Users of a closed loop who do not think ask again at once: were all of them refused, time would stand still.
void Service::refuse_endless_rejection(SimTime now) {
  rejected_at_once_ = now == last_rejection_ ? rejected_at_once_ + 1 : 1;
  last_rejection_ = now;
  const bool bounded = config_.measure.drain && config_.measure.requests;  // arrivals end by themselves
  if (bounded || rejected_at_once_ < kMostRejectionsAtOnce) return;
  throw Infeasible(fmt::format(
      "{} requests in a row are rejected at {} s: the limits (prompt and answer up to {} tokens, queue) let nobody in",
      rejected_at_once_, to_seconds(now).value(), limit_));
}

}  // namespace

std::int64_t sequence_limit(const ServiceConfig& config) {
  std::int64_t limit = config.context_limit_tokens > 0 ? config.context_limit_tokens : kNever;
  for (const PoolConfig& pool : config.pools) {
    limit = std::min(limit, pool.kv_tokens / pool.ranks - pool.kv_tokens_per_sequence - pool.block_tokens);
  }
  TOKENOMICS_CHECK(limit >= 2, fmt::format("no sequence fits: limit {} tokens", limit));
  return limit;
}

ServiceResult simulate(const ServiceConfig& config, RequestSource& source) { return Service(config, source).run(); }

}  // namespace tokenomics
