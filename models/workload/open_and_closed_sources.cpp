#include <algorithm>
#include <functional>

#include "arrival_clock.hpp"
#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Arrivals that do not depend on completions.
class OpenSource final : public RequestSource {
 public:
  OpenSource(DataPtr data, Streams streams, double rate_scale)
      : data_(std::move(data)),
        lengths_(streams.lengths),
        clock_(make_clock(data_->spec.arrivals, streams.arrivals, rate_scale, gamma_table(*data_))),
        next_(clock_->next()) {}

  [[nodiscard]] SimTime next_arrival() const override { return next_; }
  Request take() override {
    TOKENOMICS_CHECK(next_ != kNever, "no request left");
    const Request request = request_of(id_++, next_, data_->law->draw(lengths_), 0);
    next_ = clock_->next();
    return request;
  }
  void ended(const Request&, SimTime) override {}

 private:
  static const UnitGammaQuantile* gamma_table(const LoadedWorkload::Data& data) {
    const auto found = data.gamma.find(0);
    return found == data.gamma.end() ? nullptr : &found->second;
  }

  DataPtr data_;
  RandomStream lengths_;
  std::unique_ptr<ArrivalClock> clock_;
  SimTime next_;
  std::uint64_t id_ = 0;
};

/// A fixed number of users, each with one request in flight or thinking. All start at time 0.
class ClosedSource final : public RequestSource {
 public:
  ClosedSource(DataPtr data, Streams streams)
      : data_(std::move(data)),
        lengths_(streams.lengths),
        think_s_(std::get<ClosedLoopArrivals>(data_->spec.arrivals).think_s),
        due_(static_cast<std::size_t>(std::get<ClosedLoopArrivals>(data_->spec.arrivals).concurrency), SimTime{0}) {}

  [[nodiscard]] SimTime next_arrival() const override { return due_.empty() ? kNever : due_.front(); }
  Request take() override {
    TOKENOMICS_CHECK(!due_.empty(), "all users wait for an answer");
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    const SimTime arrival = due_.back();
    due_.pop_back();
    return request_of(id_++, arrival, data_->law->draw(lengths_), 0);
  }
  void ended(const Request&, SimTime now) override {
    due_.push_back(later(now, think_s_));
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }

 private:
  DataPtr data_;
  RandomStream lengths_;
  double think_s_;
  std::vector<SimTime> due_;  // min-heap; never longer than the concurrency
  std::uint64_t id_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_open_source(DataPtr data, Streams streams, double rate_scale) {
  return std::make_unique<OpenSource>(std::move(data), streams, rate_scale);
}

std::unique_ptr<RequestSource> make_closed_source(DataPtr data, Streams streams) {
  return std::make_unique<ClosedSource>(std::move(data), streams);
}

}  // namespace tokenomics
