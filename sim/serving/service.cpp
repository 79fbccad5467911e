#include "tokenomics/sim/service.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <queue>

#include <fmt/format.h>

#include "../core/indexed_heap.hpp"
#include "admission.hpp"
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

/// KV on its way.
struct Transfer {
  enum class Kind {
    Pushed,  ///< of a whole prompt, from prefill; which decode instance takes it is chosen when it is there
    Pulled,  ///< of a whole prompt, to the decode instance that has a place for it
    Prefix,  ///< of a prompt's beginning, from lower cache tiers to the instance that will compute the rest
  };
  Kind kind;
  SimTime arrives;
  std::uint64_t order;
  Slot slot;
  friend bool operator>(const Transfer& a, const Transfer& b) {
    return a.arrives > b.arrives || (a.arrives == b.arrives && a.order > b.order);
  }
};

/// A pool and where its instances stand in the service's flat list.
struct Pool {
  const PoolConfig* config;
  int first_instance;
  std::unique_ptr<Router> router;
  PoolLoad load;
};

/// The service: request source -> router -> instances (-> KV transfer -> router -> instances) -> meter.
/// Events at the same time: arrivals and transfers first, then instances in order of their index.
class Service final : public InstanceListener {
 public:
  Service(const ServiceConfig& config, RequestSource& source);
  ServiceResult run();

  void first_token(Slot slot, SimTime now) override { meter_.first_token(store_[slot], now); }
  void finished(Slot slot, SimTime now) override;
  void prefilled(Slot slot, SimTime now) override;
  void preempted(Slot slot) override { meter_.preempted(store_[slot]); }
  void wants_kv(Slot slot, SimTime now) override;
  void gaps(std::int64_t low, std::int64_t high, double count) override { meter_.gaps(low, high, count); }

 private:
  void build_instances();
  void start_transfer(Transfer::Kind kind, Slot slot, SimTime arrives);
  void release_at_sender(Slot slot);
  void place_residents();
  void arrive();
  void hand_over();
  void advance_instance();
  void route(Pool& pool, Slot slot, SimTime now);
  void refresh(int instance);
  void left_instance(const Sequence& sequence);
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
  std::vector<int> links;
  for (const PoolConfig& pool : config_.pools) {
    TOKENOMICS_CHECK(pool.timer != nullptr && pool.instances >= 1, "a pool needs a timer and an instance");
    const int index = static_cast<int>(contexts_.size());
    contexts_.push_back({&pool, index, &store_, &meter_.window(), this, config_.observer, &meter_.pool(index), seed,
                         config_.step_by_step, prompts, &tiers_[static_cast<std::size_t>(index)]});
    links.insert(links.end(), static_cast<std::size_t>(pool.instances), pool.ranks);
    const bool decodes = pool.role == PoolRole::Decode && config_.router_rules.decode.has_value();
    const RouterPolicy policy = decodes ? *config_.router_rules.decode : config_.router;
    const RouterContext routing{pool.instances, config_.router_rules, seed, static_cast<std::uint64_t>(index), prompts};
    pools_.push_back({&pool, total, make_router(policy, routing), PoolLoad(pool.instances)});
    total += pool.instances;
  }
  instances_.reserve(static_cast<std::size_t>(total));
  for (const PoolContext& context : contexts_) {
    for (int i = 0; i < context.config->instances; ++i) {
      instances_.emplace_back(context, i, static_cast<int>(instances_.size()));
      pool_of_.push_back(context.pool);
    }
  }
  held_prompt_tokens_.resize(static_cast<std::size_t>(total), 0);
  calendar_ = std::make_unique<IndexedHeap<SimTime>>(total, kNever);
  links_ = std::make_unique<TransferLinks>(links);
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
    const SimTime next = std::min({arrival, transfer, instance});
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
    else advance_instance();
  }
  const SimTime end = meter_.end_time(now_);
  for (Instance& instance : instances_) instance.stop(end);
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
  // A prefix cache looks up for itself what else would be taken from the record.
  if (entry().config->prefix_cache && source_.prompts() != nullptr && request.segment != kNoSegment)
    request.cached_tokens = 0;
  const Slot slot = store_.add(request);
  meter_.arrived(store_[slot], truncated, now_);
  if (room < 1) return end(slot, Outcome::RejectedContextLimit, now_);
  if (admission_.active() && !admission_.admits(request, load(), now_)) return end(slot, Outcome::RejectedAdmission, now_);
  route(entry(), slot, now_);
}

ServiceLoad Service::load() const {
  const Pool &entry = pools_.front(), &decode = pools_.back();
  const double kv_tokens = static_cast<double>(decode.config->kv_tokens) * decode.config->instances;
  return {static_cast<double>(entry.load.sum().waiting) / entry.config->instances,
          static_cast<double>(entry.load.sum().waiting_tokens),
          static_cast<double>(decode.load.sum().kv_tokens) / kv_tokens};
}

void Service::route(Pool& pool, Slot slot, SimTime now) {
  const Request& request = store_[slot].request;
  const int chosen = pool.router->choose({request.input_tokens, request.session, request.segment});
  TOKENOMICS_CHECK(chosen != Router::kNobody, fmt::format("no instance is available for request {}", request.id));
  const int index = pool.first_instance + chosen;
  Instance& instance = instances_[static_cast<std::size_t>(index)];
  const bool fresh = store_[slot].first_token == kNever && store_[slot].emitted == 0;
  if (fresh && config_.queue_limit_requests && instance.waiting() >= *config_.queue_limit_requests) {
    return end(slot, Outcome::RejectedQueueFull, now);
  }
  held_prompt_tokens_[static_cast<std::size_t>(index)] += request.input_tokens;
  const SimTime ready = fresh ? instance.load_prefix(slot, now) : now;
  if (ready > now) start_transfer(Transfer::Kind::Prefix, slot, ready);
  else instance.enqueue(slot, now);
  refresh(index);
}

void Service::start_transfer(Transfer::Kind kind, Slot slot, SimTime arrives) {
  transfers_.push({kind, arrives, transfer_order_++, slot});
}

void Service::refresh(int instance) {
  const Instance& i = instances_[static_cast<std::size_t>(instance)];
  calendar_->update(instance, i.next_event());
  Pool& pool = pools_[static_cast<std::size_t>(pool_of_[static_cast<std::size_t>(instance)])];
  if (admission_.active()) pool.load.set(instance - pool.first_instance, i.state());
  pool.router->load_changed(instance - pool.first_instance,
                            {i.load(), held_prompt_tokens_[static_cast<std::size_t>(instance)]});
}

void Service::advance_instance() {
  const int instance = calendar_->top();
  instances_[static_cast<std::size_t>(instance)].advance(now_);
  refresh(instance);
}

/// The prefill pool made the first token; the user gets it when a decode instance takes the request over.
void Service::prefilled(Slot slot, SimTime now) {
  Sequence& s = store_[slot];
  left_instance(s);
  meter_.prefilled(s, now);
  s.emitted = 1;
  s.sender = s.instance;
  if (s.request.output_tokens == 1) {
    meter_.first_token(s, now);
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
  instances_[static_cast<std::size_t>(sender)].release(slot, now_);
  refresh(sender);
}

void Service::hand_over() {
  const Transfer transfer = transfers_.top();
  transfers_.pop();
  const Slot slot = transfer.slot;
  const int instance = store_[slot].instance;
  switch (transfer.kind) {
    case Transfer::Kind::Prefix:
      instances_[static_cast<std::size_t>(instance)].enqueue(slot, now_);
      return refresh(instance);
    case Transfer::Kind::Pulled:
      release_at_sender(slot);
      instances_[static_cast<std::size_t>(instance)].landed(slot, now_);
      return refresh(instance);
    case Transfer::Kind::Pushed:
      release_at_sender(slot);
      store_[slot].kv_away = false;
      if (residents_from_ != kNever) return end(slot, Outcome::Completed, now_);
      return route(decode(), slot, now_);
  }
}

void Service::finished(Slot slot, SimTime now) {
  left_instance(store_[slot]);
  end(slot, Outcome::Completed, now);
}

void Service::left_instance(const Sequence& s) {
  held_prompt_tokens_[static_cast<std::size_t>(s.instance)] -= s.request.input_tokens;
}

void Service::end(Slot slot, Outcome outcome, SimTime now) {
  Sequence& s = store_[slot];
  if (outcome != Outcome::Completed) refuse_endless_rejection(now);
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
