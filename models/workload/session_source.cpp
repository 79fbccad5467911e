#include <algorithm>
#include <functional>

#include "arrival_clock.hpp"
#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Recorded sessions, drawn at random with replacement. Open arrivals start sessions by a clock; in a closed loop each
/// user plays one session after the other. Within a session the next request comes the recorded gap after the one
/// before has ended. Request::tenant is the place of the session among those under way, reused when it is over.
class SessionSource final : public RequestSource {
 public:
  SessionSource(DataPtr data, Streams streams, double rate_scale) : data_(std::move(data)), streams_(streams) {
    if (const auto* closed = std::get_if<ClosedLoopArrivals>(&data_->spec.arrivals)) {
      for (std::int64_t user = 0; user < closed->concurrency; ++user) start_session(0);
    } else {
      const auto table = data_->gamma.find(0);
      clock_ = make_clock(data_->spec.arrivals, streams.arrivals, rate_scale,
                          table == data_->gamma.end() ? nullptr : &table->second);
      next_session_ = clock_->next();
    }
  }

  [[nodiscard]] SimTime next_arrival() const override {
    return due_.empty() ? next_session_ : std::min(due_.front().time, next_session_);
  }

  Request take() override {
    TOKENOMICS_CHECK(next_arrival() != kNever, "no request due");
    while (next_session_ != kNever && (due_.empty() || next_session_ < due_.front().time)) {
      start_session(next_session_);
      next_session_ = clock_->next();
    }
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    const Due due = due_.back();
    due_.pop_back();
    return request_of(id_++, due.time, data_->row_lengths[places_[due.place].row], static_cast<std::int32_t>(due.place));
  }

  void ended(const Request& request, SimTime now) override {
    const auto index = static_cast<std::size_t>(request.tenant);
    Place& place = places_[index];
    if (++place.row < place.end) return push(later(now, data_->rows[place.row].gap_s / data_->spec.trace->speed), index);
    free_.push_back(index);
    if (const auto* closed = std::get_if<ClosedLoopArrivals>(&data_->spec.arrivals)) {
      start_session(later(now, closed->think_s));
    }
  }

 private:
  struct Place {
    std::size_t row, end;  // the row in flight or due; one past the session's last
  };
  struct Due {
    SimTime time;
    std::uint64_t order;  // of equal times the one that was known first
    std::size_t place;
    bool operator>(const Due& other) const { return time != other.time ? time > other.time : order > other.order; }
  };

  void start_session(SimTime time) {
    const std::size_t session = streams_.lengths.below(data_->sessions.size() - 1);
    if (free_.empty()) {
      free_.push_back(places_.size());
      places_.push_back({});
    }
    const std::size_t index = free_.back();
    free_.pop_back();
    places_[index] = {data_->sessions[session], data_->sessions[session + 1]};
    push(time, index);
  }

  void push(SimTime time, std::size_t place) {
    due_.push_back({time, order_++, place});
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }

  DataPtr data_;
  Streams streams_;
  std::unique_ptr<ArrivalClock> clock_;
  SimTime next_session_ = kNever;
  std::vector<Place> places_;
  std::vector<std::size_t> free_;
  std::vector<Due> due_;  // min-heap
  std::uint64_t order_ = 0;
  std::uint64_t id_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_session_source(DataPtr data, Streams streams, double rate_scale) {
  return std::make_unique<SessionSource>(std::move(data), streams, rate_scale);
}

}  // namespace tokenomics
