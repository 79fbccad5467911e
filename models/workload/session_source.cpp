#include <algorithm>
#include <functional>

#include "arrival_clock.hpp"
#include "late_releases.hpp"
#include "loaded_workload.hpp"
#include "session_calendar.hpp"
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
      : data_(std::move(data)),
        streams_(streams),
        prompts_(std::move(prompts)),
        releases_(prompts_),
        calendar_(SessionCalendar<std::size_t>::clock_of(*data_, streams.arrivals, rate_scale)) {
    if (const auto* closed = std::get_if<ClosedLoopArrivals>(&data_->spec.arrivals)) {
      for (std::int64_t user = 0; user < closed->concurrency; ++user) start_session(0);
    }
  }

  [[nodiscard]] SimTime next_arrival() const override { return calendar_.next(); }

  Request take() override {
    releases_.settle();
    const auto due = calendar_.take([&](SimTime time) { start_session(time); });
    Place& place = places_[due.caller];
    Request request = request_of(id_++, due.time, data_->row_lengths[place.row], static_cast<std::int32_t>(due.caller));
    request.session = place.session;
    request.segment = segment(place);
    request.reusable_tokens = whole_blocks(request.input_tokens, data_->block_tokens);  // as the hashes were recorded
    return request;
  }

  void ended(const Request& request, SimTime now) override {
    releases_.settle();
    const auto index = static_cast<std::size_t>(request.tenant);
    Place& place = places_[index];
    if (++place.row < place.end)
      return calendar_.push(later(now, data_->rows[place.row].gap_s / data_->spec.trace->speed), index);
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
    calendar_.push(time, index);
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

  DataPtr data_;
  Streams streams_;
  PromptsPtr prompts_;
  LateReleases releases_;
  SessionCalendar<std::size_t> calendar_;
  std::vector<Place> places_;
  std::vector<std::size_t> free_;
  std::uint64_t id_ = 0;
  std::int64_t session_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_session_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale) {
  return std::make_unique<SessionSource>(std::move(data), streams, std::move(prompts), rate_scale);
}

}  // namespace tokenomics
