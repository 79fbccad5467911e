#include <algorithm>
#include <functional>

#include "arrival_clock.hpp"
#include "late_releases.hpp"
#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Recorded sessions, drawn at random with replacement. Open arrivals start sessions by a clock; in a closed loop each
/// user plays one session after the other. Within a session the next request comes the recorded gap after the one
/// before has ended. Request::tenant is the place of the session among those under way, reused when it is over;
/// Request::session numbers the sessions played. Each played session has segments of its own, made when their first row
/// comes and given up at its end: what a session begins with is not known to be another's.
class SessionSource final : public RequestSource {
 public:
  SessionSource(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale)
      : data_(std::move(data)), streams_(streams), prompts_(std::move(prompts)), releases_(prompts_) {
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
    releases_.settle();
    while (next_session_ != kNever && (due_.empty() || next_session_ < due_.front().time)) {
      start_session(next_session_);
      next_session_ = clock_->next();
    }
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    const Due due = due_.back();
    due_.pop_back();
    Place& place = places_[due.place];
    Request request = request_of(id_++, due.time, data_->row_lengths[place.row], static_cast<std::int32_t>(due.place));
    request.session = place.session;
    request.segment = segment(place);
    request.reusable_tokens = whole_blocks(request.input_tokens, data_->block_tokens);  // as the hashes were recorded
    return request;
  }

  void ended(const Request& request, SimTime now) override {
    releases_.settle();
    const auto index = static_cast<std::size_t>(request.tenant);
    Place& place = places_[index];
    if (++place.row < place.end) return push(later(now, data_->rows[place.row].gap_s / data_->spec.trace->speed), index);
    for (const SegmentId segment : place.segments) releases_.add(segment);
    place.segments.clear();
    free_.push_back(index);
    if (const auto* closed = std::get_if<ClosedLoopArrivals>(&data_->spec.arrivals)) {
      start_session(later(now, closed->think_s));
    }
  }

  [[nodiscard]] PromptTree* prompts() override { return prompts_.get(); }

 private:
  struct Place {
    std::size_t row = 0, end = 0;   // the row in flight or due; one past the session's last
    std::size_t first_segment = 0;  // of the plan's
    std::int64_t session = -1;
    std::vector<SegmentId> segments;  // those of the session that have begun
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
    Place& place = places_[index];
    place.row = data_->sessions[session];
    place.end = data_->sessions[session + 1];
    place.first_segment = data_->prompts.sessions[session];
    place.session = session_++;
    push(time, index);
  }

  /// Of the row that is due. A session's segments are numbered in the order in which its rows begin them.
  SegmentId segment(Place& place) {
    const PromptPlan& plan = data_->prompts;
    const std::size_t index = plan.of_row[place.row] - place.first_segment;
    if (index == place.segments.size()) {
      const PromptPlan::Segment& here = plan.segments[place.first_segment + index];
      const auto parent = static_cast<std::size_t>(here.parent);
      place.segments.push_back(here.parent < 0 ? prompts_->add(kNoSegment, 0)
                                               : prompts_->add(place.segments[parent - place.first_segment], here.begin));
    }
    return place.segments[index];
  }

  void push(SimTime time, std::size_t place) {
    due_.push_back({time, order_++, place});
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }

  DataPtr data_;
  Streams streams_;
  PromptsPtr prompts_;
  LateReleases releases_;
  std::unique_ptr<ArrivalClock> clock_;
  SimTime next_session_ = kNever;
  std::vector<Place> places_;
  std::vector<std::size_t> free_;
  std::vector<Due> due_;  // min-heap
  std::uint64_t order_ = 0;
  std::uint64_t id_ = 0;
  std::int64_t session_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_session_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale) {
  return std::make_unique<SessionSource>(std::move(data), streams, std::move(prompts), rate_scale);
}

}  // namespace tokenomics
