#include "books.hpp"

#include <algorithm>

namespace tokenomics {
namespace {

constexpr std::size_t kStates = 5;

bool is_held(InstanceState state) { return state != InstanceState::Off; }

}  // namespace

FleetBooks::FleetBooks(const std::vector<PoolFleet>& fleets, const std::vector<int>& instances, const std::vector<int>& on,
                       const Window& window, std::vector<PoolResult>& pools)
    : fleets_(fleets),
      window_(window),
      has_timeline_(window.to != kNever),
      pools_(pools),
      counts_(fleets.size(), std::vector<int>(kStates, 0)),
      held_(on) {
  for (std::size_t pool = 0; pool < fleets.size(); ++pool) {
    for (int i = 0; i < instances[pool]; ++i) {
      const InstanceState state = i < on[pool] ? InstanceState::On : InstanceState::Off;
      instances_.push_back({static_cast<int>(pool), state});
      ++counts_[pool][static_cast<std::size_t>(state)];
    }
  }
}

int FleetBooks::count(int pool, InstanceState state) const {
  return counts_[static_cast<std::size_t>(pool)][static_cast<std::size_t>(state)];
}

void FleetBooks::enter(int instance, InstanceState state, SimTime now) {
  Member& member = instances_[static_cast<std::size_t>(instance)];
  PoolResult& pool = pools_[static_cast<std::size_t>(member.pool)];
  book(member, now);
  if (is_held(member.state) != is_held(state)) {
    book_extremes(now);
    held_[static_cast<std::size_t>(member.pool)] += is_held(state) ? 1 : -1;
    if (window_.contains(now)) ++(is_held(state) ? pool.starts : pool.stops);
  }
  if (state == InstanceState::Failed && window_.contains(now)) ++pool.failures;
  auto& counts = counts_[static_cast<std::size_t>(member.pool)];
  --counts[static_cast<std::size_t>(member.state)];
  ++counts[static_cast<std::size_t>(state)];
  member.state = state;
  member.since = now;
}

void FleetBooks::book(const Member& member, SimTime now) {
  if (!is_held(member.state)) return;
  const double seconds = window_.overlap_s(member.since, now);
  PoolResult& pool = pools_[static_cast<std::size_t>(member.pool)];
  const auto& failures = fleets_[static_cast<std::size_t>(member.pool)].failures;
  const bool is_down = member.state == InstanceState::Failed;
  if (member.state == InstanceState::Starting) pool.starting_s += seconds;
  if (member.state == InstanceState::Draining) pool.draining_s += seconds;
  if (is_down) pool.down_s += seconds;
  if (member.state == InstanceState::On || member.state == InstanceState::Draining) pool.serving_s += seconds;
  if (is_down && !failures->paid_while_down) return;
  pool.provisioned_s += seconds;
  if (seconds > 0 && has_timeline_) book_timeline(pool, std::max(member.since, window_.from), std::min(now, window_.to));
}

/// Shares [from, to] out to the parts of the window that it lies in.
void FleetBooks::book_timeline(PoolResult& pool, SimTime from, SimTime to) const {
  pool.timeline.resize(kTimelineParts);
  const double part = static_cast<double>(window_.to - window_.from) / kTimelineParts;
  const double first = static_cast<double>(from - window_.from) / part, last = static_cast<double>(to - window_.from) / part;
  for (auto k = static_cast<int>(first); k < kTimelineParts && k < last; ++k) {
    const double inside = std::min(last, k + 1.0) - std::max<double>(first, k);
    pool.timeline[static_cast<std::size_t>(k)] += inside * part * 1e-9;
  }
}

/// What was held until `now` counts if any of that time lies in the window.
void FleetBooks::book_extremes(SimTime now) {
  const bool counts = window_.overlap_s(held_since_, now) > 0;
  held_since_ = now;
  if (!counts) return;
  double gpus = 0;
  for (std::size_t pool = 0; pool < held_.size(); ++pool) gpus += held_[pool] * fleets_[pool].gpus_per_instance;
  const FleetExtremes present{gpus, gpus, held_, held_};
  if (seen_) extremes_.merge(present);
  else extremes_ = present;
  seen_ = true;
}

FleetExtremes FleetBooks::close(SimTime end) {
  for (Member& member : instances_) {
    book(member, end);
    member.since = end;
  }
  book_extremes(end);
  return extremes_;
}

}  // namespace tokenomics
