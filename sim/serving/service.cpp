#include "tokenomics/sim/service.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "../core/indexed_heap.hpp"
#include "admission.hpp"
#include "fleet/fleet.hpp"
#include "instance.hpp"
#include "meter.hpp"
#include "pool_load.hpp"
#include "residents.hpp"
#include "router/router.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"
#include "transfer_links.hpp"

namespace tokenomics {
namespace {

constexpr std::uint64_t kMostRejectionsAtOnce = 1'000'000;

/// KV on its way, or a request.
struct Transfer {
  enum class Kind {
    Request,  ///< from its user, through the front end, to the router
    Pushed,   ///< of a whole prompt, from prefill; which decode instance takes it is chosen when it is there
    Pulled,   ///< of a whole prompt, to the decode instance that has a place for it
    Prefix,   ///< of a prompt's beginning, from lower cache tiers to the instance that will compute the rest
  };
  Kind kind;
  SimTime arrives;
  std::uint64_t order;
  Slot slot;
  std::uint32_t failures;  ///< of the instance that it goes to (pushed: none is chosen yet), when it left
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
  PoolLoad load;
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
  void wants_kv(Slot slot, SimTime now) override;
  void loads_prefix(Slot slot, SimTime ready) override { start_transfer(Transfer::Kind::Prefix, slot, ready); }
  void gaps(std::int64_t low, std::int64_t high, double count) override { meter_.gaps(low, high, count); }

 private:
  Instance& instance(int index) override { return instances_[static_cast<std::size_t>(index)]; }
  void set_available(int index, bool available) override;
  void changed(int index) override { refresh(index); }
  void route_waiting(int pool, Slot slot, SimTime now) override { route(pools_[static_cast<std::size_t>(pool)], slot, now); }
  void retry(Slot slot, SimTime now) override;
  void lose(Slot slot, SimTime now) override;

  void build_instances();
  void check_empty() const;
  void start_transfer(Transfer::Kind kind, Slot slot, SimTime arrives);
  void release_at_sender(Slot slot);
  void place_residents();
  void arrive();
  void reach_router(Slot slot);
  void hand_over();
  void prefix_arrives(const Transfer& transfer);
  void pushed_arrives(const Transfer& transfer);
  void pulled_arrives(const Transfer& transfer);
  /// A prefix cache finds for itself what a request need not compute.
  [[nodiscard]] bool looks_up(const Request& request) {
    return entry().config->prefix_cache && source_.prompts() != nullptr && request.segment != kNoSegment;
  }
  void advance_instance();
  void route(Pool& pool, Slot slot, SimTime now);
  void refresh(int instance);
  void resumed(Sequence& sequence, SimTime now);
  void left_instance(Sequence& sequence);
  [[nodiscard]] bool kv_survives(const Sequence& sequence) const;
  [[nodiscard]] Pool& pool_of(int instance) {
    return pools_[static_cast<std::size_t>(pool_of_[static_cast<std::size_t>(instance)])];
  }
  void end(Slot slot, Outcome outcome, SimTime now);
  void refuse_endless_rejection(SimTime now);
  [[nodiscard]] SimTime next_arrival();
  [[nodiscard]] ServiceLoad load() const;
  [[nodiscard]] Pool& entry() { return pools_.front(); }
  [[nodiscard]] Pool& decode() { return pools_.back(); }

  const ServiceConfig& config_;
  RequestSource& source_;
  SequenceStore store_;
  Meter meter_;
  std::vector<SharedTiers> tiers_;  ///< of each pool
  Admission admission_;
  std::vector<PoolContext> contexts_;
  std::vector<Pool> pools_;
  std::vector<Instance> instances_;
  std::vector<int> pool_of_;
  std::vector<std::int64_t> held_prompt_tokens_;  ///< per instance: of the requests sent there that have not left
  std::unique_ptr<Fleet> fleet_;                  ///< null: all instances are on all the time
  std::unique_ptr<IndexedHeap<SimTime>> calendar_;
  std::unique_ptr<TransferLinks> links_;
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

Service::Service(const ServiceConfig& config, RequestSource& source)
    : config_(config), source_(source), meter_(config), admission_(config.admission, config.pools.front()) {
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
  const std::uint64_t seed =
      RandomStream(config_.seed, "instances", config_.replication).bits();  // replications draw other drafts
  PromptTree* const prompts = source_.prompts();
  for (const PoolConfig& pool : config_.pools) {
    const bool caches = pool.prefix_cache && prompts != nullptr;
    tiers_.push_back(caches ? make_shared_tiers(*pool.prefix_cache, *prompts) : SharedTiers{});
  }
  std::vector<int> links, capacities;
  for (const PoolConfig& pool : config_.pools) {
    TOKENOMICS_CHECK(pool.timer != nullptr && pool.instances >= 1, "a pool needs a timer and an instance");
    const int index = static_cast<int>(contexts_.size());
    contexts_.push_back({&pool, index, &store_, &meter_.window(), this, config_.observer, &meter_.pool(index), seed,
                         config_.step_by_step, prompts, &tiers_[static_cast<std::size_t>(index)],
                         config_.pools.front().prefix_cache && prompts != nullptr});
    const int capacity =
        config_.fleet.empty() ? pool.instances : config_.fleet.at(static_cast<std::size_t>(index)).scaling.max_instances;
    TOKENOMICS_CHECK(capacity >= pool.instances, fmt::format("{} instances, at most {}", pool.instances, capacity));
    links.insert(links.end(), static_cast<std::size_t>(capacity), pool.ranks);
    const bool decodes = pool.role == PoolRole::Decode && config_.router_rules.decode.has_value();
    const RouterPolicy policy = decodes ? *config_.router_rules.decode : config_.router;
    const RouterContext routing{capacity, config_.router_rules, seed, static_cast<std::uint64_t>(index), prompts};
    pools_.push_back({&pool, total, capacity, make_router(policy, routing), PoolLoad(capacity)});
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
  held_prompt_tokens_.resize(static_cast<std::size_t>(total), 0);
  calendar_ = std::make_unique<IndexedHeap<SimTime>>(total, kNever);
  links_ = std::make_unique<TransferLinks>(links);
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
      s.counted_at_router = true;
      held_prompt_tokens_[static_cast<std::size_t>(instance)] += s.request.input_tokens;
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
  if (store_.live() == 0) check_empty();
  if (fleet_) meter_.fleet(fleet_->close(end));
  return meter_.close(end, events_);
}

/// Who has left has left nothing behind.
void Service::check_empty() const {
  for (const Instance& instance : instances_) instance.check_empty();
  for (const std::int64_t tokens : held_prompt_tokens_)
    TOKENOMICS_CHECK(tokens == 0, fmt::format("the router takes an empty instance to hold {} tokens", tokens));
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
  if (looks_up(request)) request.cached_tokens = 0;
  const Slot slot = store_.add(request);
  meter_.arrived(store_[slot], truncated, now_);
  const SimTime latency = config_.request_latency.of(request.input_tokens);
  if (latency > 0) start_transfer(Transfer::Kind::Request, slot, now_ + latency);
  else reach_router(slot);
}

void Service::reach_router(Slot slot) {
  const Request& request = store_[slot].request;
  if (request.input_tokens >= limit_) return end(slot, Outcome::RejectedContextLimit, now_);
  if (admission_.active() && !admission_.admits(request, load(), now_)) return end(slot, Outcome::RejectedAdmission, now_);
  route(entry(), slot, now_);
}

ServiceLoad Service::load() const {
  const Pool &entry = pools_.front(), &decode = pools_.back();
  const auto instances = [&](std::size_t pool) {
    const int there = fleet_ ? fleet_->available(static_cast<int>(pool)) : pools_[pool].config->instances;
    return static_cast<double>(std::max(1, there));
  };
  const double kv_tokens = static_cast<double>(decode.config->kv_tokens) * instances(pools_.size() - 1);
  return {static_cast<double>(entry.load.sum().waiting) / instances(0), static_cast<double>(entry.load.sum().waiting_tokens),
          static_cast<double>(decode.load.sum().kv_tokens) / kv_tokens};
}

void Service::route(Pool& pool, Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  const auto number = static_cast<int>(&pool - pools_.data());
  const bool nobody = fleet_ && !fleet_->has_available(number);
  const int chosen = nobody ? -1 : pool.router->choose({s.request.input_tokens, s.request.session, s.request.segment});
  TOKENOMICS_CHECK(nobody || chosen != Router::kNobody,
                   fmt::format("no instance is available for request {}", s.request.id));
  const int index = nobody ? -1 : pool.first_instance + chosen;
  if (!nobody && fleet_ && fleet_->is_dead(index)) {
    if (s.kv_away) --s.emitted;  // the token that prefill made never comes
    return fleet_->strand(index, slot, now);
  }
  const std::int64_t waiting = nobody ? fleet_->waiting(number) : instance(index).waiting();
  const bool fresh = s.first_token == kNever && s.emitted == 0;
  if (fresh && config_.queue_limit_requests && waiting >= *config_.queue_limit_requests) {
    return end(slot, Outcome::RejectedQueueFull, now);
  }
  if (nobody) return fleet_->wait(number, slot);
  held_prompt_tokens_[static_cast<std::size_t>(index)] += s.request.input_tokens;
  s.counted_at_router = true;
  const SimTime ready = &pool == &entry() ? instance(index).load_prefix(slot, now) : now;
  if (ready > now) start_transfer(Transfer::Kind::Prefix, slot, ready);
  else instance(index).enqueue(slot, now);
  refresh(index);
}

void Service::start_transfer(Transfer::Kind kind, Slot slot, SimTime arrives) {
  const bool knows_receiver = fleet_ && (kind == Transfer::Kind::Pulled || kind == Transfer::Kind::Prefix);
  transfers_.push({kind, arrives, transfer_order_++, slot, knows_receiver ? fleet_->failures_of(store_[slot].instance) : 0});
}

void Service::refresh(int index) {
  const Instance& i = instance(index);
  calendar_->update(index, i.next_event());
  Pool& pool = pool_of(index);
  const int number = index - pool.first_instance;
  if (admission_.active()) pool.load.set(number, i.backlog());
  const bool is_dead = fleet_ && fleet_->is_dead(index);  // the router takes its requests to be still there
  pool.router->load_changed(
      number, {is_dead ? fleet_->stranded(index) : i.load(), held_prompt_tokens_[static_cast<std::size_t>(index)]});
  if (fleet_) fleet_->load_changed(index, i.load() + i.sending(), now_);
}

void Service::set_available(int index, bool available) {
  Pool& pool = pool_of(index);
  pool.router->set_available(index - pool.first_instance, available);
}

/// Prompt and answer so far are computed again; of a request that its user has nothing of yet, the prompt.
void Service::retry(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  if (kv_survives(s)) release_at_sender(slot);
  left_instance(s);
  if (s.first_token == kNever) s.emitted = 0;
  s.prompt_target = s.request.input_tokens + s.emitted;
  s.prompt_done = looks_up(s.request) ? 0 : s.request.cached_tokens;
  s.kv_away = s.swapped = false;
  s.charged_at_sender = s.shared = 0;
  s.loaded = {};
  s.has_waited = false;
  s.available = 0;
  ++s.retries;
  meter_.retried(s);
  route(entry(), slot, now);
}

void Service::lose(Slot slot, SimTime now) {
  if (kv_survives(store_[slot])) release_at_sender(slot);
  left_instance(store_[slot]);
  end(slot, Outcome::LostToFailure, now);
}

/// Whether the instance that computed its prompt still holds it.
bool Service::kv_survives(const Sequence& s) const {
  return s.kv_away && fleet_->failures_of(s.sender) == s.sender_failures;
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
void Service::resumed(Sequence& s, SimTime now) {
  const SimTime gap = now - std::exchange(s.stopped, now);
  if (!meter_.window().contains(now)) return;
  meter_.pool(static_cast<int>(pools_.size()) - 1).output_tokens += 1;
  meter_.gaps(gap, gap, 1);
}

/// The prefill pool made the first token; the user gets it when a decode instance takes the request over.
void Service::prefilled(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  left_instance(s);
  meter_.prefilled(s, now);
  ++s.emitted;
  s.sender = s.instance;
  if (fleet_) s.sender_failures = fleet_->failures_of(s.sender);
  if (s.request.output_tokens == s.emitted) {
    if (s.first_token == kNever) first_token(slot, now);
    else resumed(s, now);
    release_at_sender(slot);
    return end(slot, Outcome::Completed, now);
  }
  s.kv_away = true;
  const bool pulls = config_.kv_transfer.start == KvTransfer::Start::OnDecodePlace;
  if (pulls && residents_from_ == kNever) return route(decode(), slot, now);
  // Layers that are done are sent while the next ones are computed: the link is taken from then on.
  const KvTransfer& transfer = config_.kv_transfer;
  const SimTime busy = to_sim_time(static_cast<double>(s.prompt_target) * transfer.per_token);
  const SimTime tail = to_sim_time(transfer.tail_share * static_cast<double>(s.prompt_target) * transfer.per_token);
  const SimTime sent = links_->send(s.sender, std::max(s.scheduled, now - (busy - tail)), busy);
  start_transfer(Transfer::Kind::Pushed, slot, std::max(sent, now + tail) + to_sim_time(transfer.latency));
}

/// Pulled: the decode instance has a place and memory, the KV leaves prefill now.
void Service::wants_kv(Slot slot, SimTime now) {
  const Sequence& s = store_[slot];
  const SimTime busy = to_sim_time(static_cast<double>(s.prompt_target) * config_.kv_transfer.per_token);
  start_transfer(Transfer::Kind::Pulled, slot,
                 links_->carry(s.sender, s.instance, now, busy) + to_sim_time(config_.kv_transfer.latency));
}

void Service::release_at_sender(Slot slot) {
  const int sender = store_[slot].sender;
  instance(sender).release(slot, now_);
  store_[slot].kv_away = false;
  refresh(sender);
}

void Service::hand_over() {
  const Transfer transfer = transfers_.top();
  transfers_.pop();
  switch (transfer.kind) {
    case Transfer::Kind::Request: return reach_router(transfer.slot);
    case Transfer::Kind::Prefix: return prefix_arrives(transfer);
    case Transfer::Kind::Pulled: return pulled_arrives(transfer);
    case Transfer::Kind::Pushed: return pushed_arrives(transfer);
  }
}

void Service::prefix_arrives(const Transfer& transfer) {
  const int index = store_[transfer.slot].instance;
  if (fleet_ && fleet_->failures_of(index) != transfer.failures) {
    store_[transfer.slot].loaded = {};
    return fleet_->strand(index, transfer.slot, now_);
  }
  instance(index).enqueue(transfer.slot, now_);
  refresh(index);
}

void Service::pushed_arrives(const Transfer& transfer) {
  Sequence& s = store_[transfer.slot];
  if (fleet_ && !kv_survives(s)) {
    --s.emitted;  // the token that prefill made has gone with its KV
    return fleet_->strand(s.sender, transfer.slot, now_);
  }
  release_at_sender(transfer.slot);
  if (s.first_token != kNever) resumed(s, now_);
  if (residents_from_ != kNever) return end(transfer.slot, Outcome::Completed, now_);
  route(decode(), transfer.slot, now_);
}

void Service::pulled_arrives(const Transfer& transfer) {
  Sequence& s = store_[transfer.slot];
  const int index = s.instance;
  const bool receiver_failed = fleet_ && fleet_->failures_of(index) != transfer.failures;
  const bool sender_failed = fleet_ && !kv_survives(s);
  if (sender_failed && !receiver_failed) {
    instance(index).give_up_arrival(transfer.slot, now_);
    refresh(index);
  }
  if (sender_failed || receiver_failed) {
    --s.emitted;
    return fleet_->strand(receiver_failed ? index : s.sender, transfer.slot, now_);
  }
  release_at_sender(transfer.slot);
  if (s.first_token != kNever) resumed(s, now_);
  instance(index).landed(transfer.slot, now_);
  refresh(index);
}

void Service::finished(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  left_instance(s);
  if (fleet_ && s.request.output_tokens > 1)
    fleet_->completed(to_seconds(now - s.first_token).value() / static_cast<double>(s.request.output_tokens - 1));
  end(slot, Outcome::Completed, now);
}

void Service::left_instance(Sequence& s) {
  if (!s.counted_at_router) return;
  s.counted_at_router = false;
  held_prompt_tokens_[static_cast<std::size_t>(s.instance)] -= s.request.input_tokens;
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
  throw Infeasible(
      fmt::format("{} requests in a row are rejected at {} s: the limits (prompt and answer up to {} tokens, queue, "
                  "admission) let nobody in",
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
