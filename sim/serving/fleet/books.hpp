#pragma once

#include <vector>

#include "../../core/window.hpp"
#include "tokenomics/sim/fleet.hpp"
#include "tokenomics/sim/result.hpp"

namespace tokenomics {

enum class InstanceState { Off, Starting, On, Draining, Failed };

/// Books what instances cost: the time of each in each state inside the window, and how many are held at once. Instances
/// are numbered through all pools.
class FleetBooks {
 public:
  /// Window and results outlive this; `instances` by pool, the first `on[pool]` of each on at time 0.
  FleetBooks(const std::vector<PoolFleet>& fleets, const std::vector<int>& instances, const std::vector<int>& on,
             const Window& window, std::vector<PoolResult>& pools);

  void enter(int instance, InstanceState state, SimTime now);
  [[nodiscard]] InstanceState state(int instance) const { return instances_[static_cast<std::size_t>(instance)].state; }
  [[nodiscard]] SimTime since(int instance) const { return instances_[static_cast<std::size_t>(instance)].since; }
  [[nodiscard]] int count(int pool, InstanceState state) const;
  [[nodiscard]] int held(int pool) const { return held_[static_cast<std::size_t>(pool)]; }
  /// Books up to the end of the run; call once.
  FleetExtremes close(SimTime end);

  /// Parts of the window in PoolResult::timeline: half an hour of a day.
  static constexpr int kTimelineParts = 48;

 private:
  struct Member {
    int pool;
    InstanceState state;
    SimTime since = 0;
  };
  void book(const Member& member, SimTime now);
  void book_timeline(PoolResult& pool, SimTime from, SimTime to) const;
  void book_extremes(SimTime now);

  const std::vector<PoolFleet>& fleets_;
  const Window& window_;
  const bool has_timeline_;  ///< the window is known from the start
  std::vector<PoolResult>& pools_;
  std::vector<Member> instances_;
  std::vector<std::vector<int>> counts_;  ///< by pool and state
  std::vector<int> held_;
  SimTime held_since_ = 0;
  bool seen_ = false;  ///< any time inside the window
  FleetExtremes extremes_;
};

}  // namespace tokenomics
