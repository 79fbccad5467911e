#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "../instance.hpp"
#include "books.hpp"
#include "scaling_policy.hpp"
#include "stabilizer.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {

/// What the fleet asks of the service.
class FleetHost {
 public:
  virtual ~FleetHost() = default;
  virtual Instance& instance(int index) = 0;
  virtual void set_available(int index, bool available) = 0;  ///< to the router
  virtual void changed(int index) = 0;                        ///< load or next event of an instance
  virtual void route_waiting(int pool, Slot slot, SimTime now) = 0;
  virtual void retry(Slot slot, SimTime now) = 0;
  virtual void lose(Slot slot, SimTime now) = 0;
};

/// Instances that come and go: off, starting, on, draining, failed. Events at the same time as those of the service come
/// after them, so that no instance has something to do at the time of a fleet event.
///
/// Requests in a failed instance, and those that the router sends there before the failure is detected, are stranded until
/// then. Where no instance of a pool is up, requests wait for the first that is.
class Fleet {
 public:
  /// `instances` by pool: as many as can ever be held.
  Fleet(const ServiceConfig& config, const std::vector<int>& instances, FleetHost& host, const Window& window,
        std::vector<PoolResult>& pools);

  /// Tells the routers who is there; call once before the first event.
  void begin();
  [[nodiscard]] SimTime next_event() const;
  void advance(SimTime now);
  /// Whether requests wait for something that only the fleet can do.
  [[nodiscard]] bool holds_requests() const { return held_requests_ > 0; }

  /// Whether the router has an instance of the pool to choose.
  [[nodiscard]] bool has_available(int pool) const { return pool_at(pool).available > 0; }
  [[nodiscard]] int available(int pool) const { return pool_at(pool).available; }
  [[nodiscard]] std::int64_t waiting(int pool) const { return static_cast<std::int64_t>(pool_at(pool).room.size()); }
  void wait(int pool, Slot slot);
  /// The router chose an instance whose failure it does not know of.
  [[nodiscard]] bool is_dead(int instance) const { return books_.state(instance) == InstanceState::Failed; }
  /// A request whose KV was in an instance that has failed since.
  void strand(int instance, Slot slot, SimTime now);
  /// Requests that the router takes to be in a failed instance.
  [[nodiscard]] std::int64_t stranded(int instance) const {
    return static_cast<std::int64_t>(member(instance).stranded.size());
  }
  [[nodiscard]] std::uint32_t failures_of(int instance) const { return member(instance).failures; }

  void load_changed(int instance, std::int64_t load, SimTime now);
  void first_token(double ttft_s);
  void completed(double tpot_s);
  FleetExtremes close(SimTime end) { return books_.close(end); }

 private:
  enum class Kind { Tick, Up, Fail, Detect, Repaired };
  struct Event {
    SimTime at;
    std::uint64_t order;
    Kind kind;
    int subject;         ///< pool of a tick, else instance
    std::uint32_t life;  ///< of the instance when the event was made: later ones are void
    friend bool operator>(const Event& a, const Event& b) { return a.at > b.at || (a.at == b.at && a.order > b.order); }
  };
  struct Member {
    int pool;
    std::uint32_t life = 0;  ///< changes when it is ordered, comes up, fails, or goes off
    std::uint32_t failures = 0;
    bool available = false;
    bool retires = false;  ///< was draining when it failed
    SimTime up_since = 0;
    Instance::Effort seen;  ///< at the last tick, or when it came up
    std::vector<Slot> stranded;
    std::optional<RandomStream> random;
  };
  struct Pool {
    const PoolFleet* fleet;
    const PoolConfig* config;
    int first = 0, count = 0;  ///< instances in the flat list
    std::unique_ptr<ScalingPolicy> policy;
    Stabilizer stabilizer;
    SimTime last_tick = 0;
    int available = 0;
    std::deque<Slot> room;  ///< requests that wait for an instance to come up
    std::vector<double> ttft_s, tpot_s;
  };

  void push(SimTime at, Kind kind, int subject);
  void tick(int pool, SimTime now);
  [[nodiscard]] PoolSignals signals(Pool& pool, int index, SimTime now);
  void scale_to(int pool, int wanted, SimTime now);
  void add(int pool, int count, SimTime now);
  void take_away(int pool, int count, SimTime now);
  [[nodiscard]] int least_loaded_on(const Pool& pool);
  void start(int instance, SimTime now);
  void come_up(int instance, SimTime now);
  void go_off(int instance, SimTime now);
  void empty_room(int pool, SimTime now);
  void fail(int instance, SimTime now);
  void detect(int instance, SimTime now);
  void give_up(const FailureLaw& law, Slot slot, SimTime now);
  void set_available(int instance, bool available);
  Member& member(int instance) { return members_[static_cast<std::size_t>(instance)]; }
  [[nodiscard]] const Member& member(int instance) const { return members_[static_cast<std::size_t>(instance)]; }
  Pool& pool_at(int index) { return pools_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] const Pool& pool_at(int index) const { return pools_[static_cast<std::size_t>(index)]; }

  FleetHost& host_;
  FleetBooks books_;
  std::vector<Pool> pools_;
  std::vector<Member> members_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::int64_t held_requests_ = 0;
};

}  // namespace tokenomics
