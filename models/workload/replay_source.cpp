#include <algorithm>
#include <cmath>

#include "arrival_clock.hpp"
#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Rows of a trace at their recorded times. Where the trace has hashes, each row names its segment; all of them are in
/// the tree from the start and stay, so that a later round finds those of the one before.
class ReplaySource final : public RequestSource {
 public:
  ReplaySource(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale)
      : data_(std::move(data)),
        streams_(streams),
        prompts_(std::move(prompts)),
        speed_(data_->spec.trace->speed * rate_scale),
        next_(arrival()) {
    segments_.reserve(data_->prompts.segments.size());
    for (const PromptPlan::Segment& segment : data_->prompts.segments) {
      const bool is_root = segment.parent < 0;
      const SegmentId parent = is_root ? kNoSegment : segments_[static_cast<std::size_t>(segment.parent)];
      segments_.push_back(prompts_->add(parent, segment.begin));
    }
  }

  [[nodiscard]] SimTime next_arrival() const override { return next_; }

  Request take() override {
    TOKENOMICS_CHECK(next_ != kNever, "no request left");
    const Lengths lengths = data_->spec.lengths ? data_->law->draw(streams_.lengths) : data_->row_lengths[row_];
    Request request = request_of(id_++, next_, lengths, data_->rows[row_].group);
    if (!segments_.empty()) {
      request.segment = segments_[data_->prompts.of_row[row_]];
      request.reusable_tokens = request.input_tokens;  // hashes of answers are not recorded
    }
    if (++row_ == data_->rows.size() && data_->spec.trace->loop) {
      row_ = tick_end_ = 0;
      ++round_;
    }
    next_ = arrival();
    return request;
  }

  void ended(const Request&, SimTime) override {}
  [[nodiscard]] PromptTree* prompts() override { return segments_.empty() ? nullptr : prompts_.get(); }

 private:
  SimTime arrival() {
    if (row_ == data_->rows.size()) return kNever;
    const double since_start = data_->rows[row_].time_s - data_->spec.trace->from_s + within_tick();
    return later(0, (since_start + static_cast<double>(round_) * data_->period_s) / speed_);
  }

  /// Seconds after the tick at which this row arrives. The n rows of a tick are n uniform points in order: of k points
  /// still to come above s, the lowest is s + (1 - s) (1 - U^(1/k)).
  double within_tick() {
    if (data_->tick_s <= 0) return 0;
    if (row_ == tick_end_) start_tick();
    const auto to_come = static_cast<double>(tick_end_ - row_);
    tick_share_ += (1.0 - tick_share_) * (1.0 - std::pow(streams_.arrivals.uniform(), 1.0 / to_come));
    return tick_share_ * tick_width_;
  }

  void start_tick() {
    const auto& rows = data_->rows;
    const double time = rows[row_].time_s;
    while (tick_end_ < rows.size() && rows[tick_end_].time_s == time) ++tick_end_;
    const bool last = tick_end_ == rows.size();
    tick_width_ = last ? data_->tick_s : std::min(data_->tick_s, rows[tick_end_].time_s - time);
    tick_share_ = 0;
  }

  DataPtr data_;
  Streams streams_;
  PromptsPtr prompts_;
  std::vector<SegmentId> segments_;  // ids of the plan's segments
  double speed_;
  std::size_t row_ = 0;
  std::uint64_t round_ = 0;
  std::size_t tick_end_ = 0;
  double tick_width_ = 0;
  double tick_share_ = 0;
  std::uint64_t id_ = 0;
  SimTime next_;  // last: its first value needs the others
};

}  // namespace

std::unique_ptr<RequestSource> make_replay_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale) {
  return std::make_unique<ReplaySource>(std::move(data), streams, std::move(prompts), rate_scale);
}

}  // namespace tokenomics
