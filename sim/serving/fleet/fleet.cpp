#include "fleet.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

std::vector<int> on_at_start(const ServiceConfig& config) {
  std::vector<int> on;
  for (const PoolConfig& pool : config.pools) on.push_back(pool.instances);
  return on;
}

SimTime after(SimTime now, double seconds) { return now + to_sim_time(Seconds{seconds}); }

}  // namespace

Fleet::Fleet(const ServiceConfig& config, const std::vector<int>& instances, FleetHost& host, const Window& window,
             std::vector<PoolResult>& pools)
    : host_(host), books_(config.fleet, instances, on_at_start(config), window, pools) {
  int first = 0;
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    const PoolFleet& fleet = config.fleet[i];
    pools_.push_back({&fleet,
                      &config.pools[i],
                      first,
                      instances[i],
                      make_policy(fleet),
                      Stabilizer(to_sim_time(Seconds{fleet.scaling.stabilization_s})),
                      0,
                      0,
                      {},
                      {},
                      {}});
    for (int k = 0; k < instances[i]; ++k) {
      Member member;
      member.pool = static_cast<int>(i);
      if (fleet.failures)
        member.random.emplace(config.seed, "failures", config.replication * 65536 + static_cast<std::uint64_t>(first + k));
      members_.push_back(std::move(member));
    }
    first += instances[i];
  }
}

void Fleet::begin() {
  for (int i = 0; i < static_cast<int>(members_.size()); ++i) {
    if (books_.state(i) == InstanceState::On) come_up(i, 0);
    else host_.set_available(i, false);
  }
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].policy) push(after(0, pools_[i].fleet->scaling.interval_s), Kind::Tick, static_cast<int>(i));
  }
}

SimTime Fleet::next_event() const { return events_.empty() ? kNever : events_.top().at; }

void Fleet::push(SimTime at, Kind kind, int subject) {
  events_.push({at, order_++, kind, subject, kind == Kind::Tick ? 0 : member(subject).life});
}

void Fleet::advance(SimTime now) {
  const Event event = events_.top();
  events_.pop();
  if (event.kind == Kind::Tick) return tick(event.subject, now);
  if (member(event.subject).life != event.life) return;
  if (event.kind == Kind::Fail) fail(event.subject, now);
  else if (event.kind == Kind::Detect) detect(event.subject, now);
  else come_up(event.subject, now);
}

// Instances come and go ----------------------------------------------------------------------------------------------

void Fleet::start(int instance, SimTime now) {
  ++member(instance).life;
  books_.enter(instance, InstanceState::Starting, now);
  push(after(now, pool_at(member(instance).pool).fleet->start_up.total_s()), Kind::Up, instance);
}

/// Ordered, repaired, or there from the start.
void Fleet::come_up(int instance, SimTime now) {
  Member& m = member(instance);
  Pool& pool = pool_at(m.pool);
  ++m.life;
  if (books_.state(instance) != InstanceState::On) books_.enter(instance, InstanceState::On, now);
  m.up_since = now;
  m.seen = host_.instance(instance).effort(now);
  set_available(instance, true);
  if (pool.fleet->failures) push(after(now, pool.fleet->failures->mtbf_s * m.random->exponential()), Kind::Fail, instance);
  empty_room(m.pool, now);
}

/// An instance has become available: those who found none go on.
void Fleet::empty_room(int index, SimTime now) {
  std::deque<Slot> waited;
  waited.swap(pool_at(index).room);
  held_requests_ -= static_cast<std::int64_t>(waited.size());
  for (const Slot slot : waited) host_.route_waiting(index, slot, now);
}

void Fleet::go_off(int instance, SimTime now) {
  ++member(instance).life;
  set_available(instance, false);
  books_.enter(instance, InstanceState::Off, now);
  host_.instance(instance).forget_prefixes(now);
}

void Fleet::set_available(int instance, bool available) {
  Member& m = member(instance);
  host_.set_available(instance, available);
  if (m.available != available) pool_at(m.pool).available += available ? 1 : -1;
  m.available = available;
}

void Fleet::load_changed(int instance, std::int64_t load, SimTime now) {
  if (load == 0 && books_.state(instance) == InstanceState::Draining) go_off(instance, now);
}

// Failures -----------------------------------------------------------------------------------------------------------

void Fleet::fail(int instance, SimTime now) {
  Member& m = member(instance);
  const PoolFleet& fleet = *pool_at(m.pool).fleet;
  ++m.life;
  ++m.failures;
  m.retires = books_.state(instance) == InstanceState::Draining;
  books_.enter(instance, InstanceState::Failed, now);
  m.stranded = host_.instance(instance).fail(now);
  held_requests_ += static_cast<std::int64_t>(m.stranded.size());
  host_.changed(instance);
  push(after(now, fleet.failures->detect_s), Kind::Detect, instance);
  push(after(now, fleet.failures->repair_s + fleet.start_up.engine_s()), Kind::Repaired, instance);
}

void Fleet::detect(int instance, SimTime now) {
  Member& m = member(instance);
  set_available(instance, false);
  std::vector<Slot> stranded;
  stranded.swap(m.stranded);
  held_requests_ -= static_cast<std::int64_t>(stranded.size());
  for (const Slot slot : stranded) give_up(*pool_at(m.pool).fleet->failures, slot, now);
  if (m.retires) go_off(instance, now);
  host_.changed(instance);
}

void Fleet::give_up(const FailureLaw& law, Slot slot, SimTime now) {
  if (law.retry) host_.retry(slot, now);
  else host_.lose(slot, now);
}

void Fleet::strand(int instance, Slot slot, SimTime now) {
  Member& m = member(instance);
  const bool is_detected = !is_dead(instance) || !m.available;
  if (is_detected) return give_up(*pool_at(m.pool).fleet->failures, slot, now);
  m.stranded.push_back(slot);
  ++held_requests_;
  host_.changed(instance);
}

void Fleet::wait(int pool, Slot slot) {
  pool_at(pool).room.push_back(slot);
  ++held_requests_;
}

// Scaling ------------------------------------------------------------------------------------------------------------

void Fleet::first_token(double ttft_s) {
  for (Pool& pool : pools_) {
    const auto* rule = std::get_if<SloTarget>(&pool.fleet->scaling.rule);
    if (rule != nullptr && rule->ttft_s) pool.ttft_s.push_back(ttft_s);
  }
}

void Fleet::completed(double tpot_s) {
  for (Pool& pool : pools_) {
    const auto* rule = std::get_if<SloTarget>(&pool.fleet->scaling.rule);
    if (rule != nullptr && rule->interactivity_tok_s_user) pool.tpot_s.push_back(tpot_s);
  }
}

/// Usage of an instance that came up since the last tick is that of its own time.
PoolSignals Fleet::signals(Pool& pool, int index, SimTime now) {
  PoolSignals s;
  s.now = now;
  s.on = books_.count(index, InstanceState::On);
  s.starting = books_.count(index, InstanceState::Starting);
  s.waiting = static_cast<std::int64_t>(pool.room.size());
  s.ttft_s.swap(pool.ttft_s);
  s.tpot_s.swap(pool.tpot_s);
  const auto* rule = std::get_if<TargetUtilization>(&pool.fleet->scaling.rule);
  const bool by_batch = rule != nullptr && rule->signal == UtilizationSignal::Batch;
  const double whole = by_batch ? static_cast<double>(pool.config->batching.max_sequences) : 1.0;
  for (int i = pool.first; i < pool.first + pool.count; ++i) {
    Member& m = member(i);
    s.waiting += host_.instance(i).waiting();
    if (books_.state(i) != InstanceState::On) continue;
    const Instance::Effort effort = host_.instance(i).effort(now);
    const double span_s = to_seconds(now - std::max(pool.last_tick, m.up_since)).value();
    const double used = by_batch ? effort.sequence_s - m.seen.sequence_s : effort.busy_s - m.seen.busy_s;
    if (span_s > 0) s.usage += used / (span_s * whole);
    m.seen = effort;
  }
  pool.last_tick = now;
  return s;
}

void Fleet::tick(int index, SimTime now) {
  Pool& pool = pool_at(index);
  const Scaling& scaling = pool.fleet->scaling;
  const PoolSignals seen = signals(pool, index, now);
  const int current = seen.on + seen.starting;
  const int desired = std::clamp(pool.policy->desired(seen), scaling.min_instances, scaling.max_instances);
  scale_to(index, pool.stabilizer.settle(now, desired, current), now);
  push(after(now, scaling.interval_s), Kind::Tick, index);
}

void Fleet::scale_to(int pool, int wanted, SimTime now) {
  const int current = books_.count(pool, InstanceState::On) + books_.count(pool, InstanceState::Starting);
  if (wanted > current) add(pool, wanted - current, now);
  if (wanted < current) take_away(pool, current - wanted, now);
}

/// Draining instances first: they are up and paid for. Then those that are off, while the bound on held ones lets them.
void Fleet::add(int index, int count, SimTime now) {
  const Pool& pool = pool_at(index);
  const int end = pool.first + pool.count;
  for (int i = pool.first; i < end && count > 0; ++i) {
    if (books_.state(i) != InstanceState::Draining) continue;
    books_.enter(i, InstanceState::On, now);
    member(i).up_since = now;
    member(i).seen = host_.instance(i).effort(now);
    set_available(i, true);
    empty_room(index, now);
    --count;
  }
  for (int i = pool.first; i < end && count > 0 && books_.held(index) < pool.fleet->scaling.max_instances; ++i) {
    if (books_.state(i) != InstanceState::Off) continue;
    start(i, now);
    --count;
  }
}

/// Those that are not up yet first, the last ordered before the others; then the least loaded.
void Fleet::take_away(int index, int count, SimTime now) {
  const Pool& pool = pool_at(index);
  for (; count > 0 && books_.count(index, InstanceState::Starting) > 0; --count) {
    int last = -1;
    for (int i = pool.first; i < pool.first + pool.count; ++i) {
      if (books_.state(i) == InstanceState::Starting && (last < 0 || books_.since(i) >= books_.since(last))) last = i;
    }
    go_off(last, now);
  }
  for (; count > 0; --count) {
    const int instance = least_loaded_on(pool);
    books_.enter(instance, InstanceState::Draining, now);
    set_available(instance, false);
    host_.changed(instance);  // without anything to finish it goes off at once
  }
}

/// Among equals the last.
int Fleet::least_loaded_on(const Pool& pool) {
  int least = -1;
  for (int i = pool.first; i < pool.first + pool.count; ++i) {
    if (books_.state(i) != InstanceState::On) continue;
    if (least < 0 || host_.instance(i).load() <= host_.instance(least).load()) least = i;
  }
  TOKENOMICS_CHECK(least >= 0, fmt::format("no instance to take away among {}", pool.count));
  return least;
}

}  // namespace tokenomics
