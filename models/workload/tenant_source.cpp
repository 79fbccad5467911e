#include <algorithm>
#include <cmath>
#include <functional>

#include "arrival_clock.hpp"
#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Where one tenant's renewal process stands, in trace time.
class TenantClock {
 public:
  TenantClock(const LoadedWorkload::Data& data, const ServeGenTenant& tenant, double rate_scale)
      : data_(&data), tenant_(&tenant), rate_scale_(rate_scale) {
    const auto& windows = tenant.windows;
    const auto inside = [&](const ServeGenWindow& w) {
      return w.rate_per_s > 0 && w.start_s < data.to_s && w.start_s + ServeGenTrace::window_s > data.from_s;
    };
    has_requests_ = std::any_of(windows.begin(), windows.end(), inside);
    restart();
    if (has_requests_) skip_to_requests();
  }

  [[nodiscard]] bool has_requests() const { return has_requests_; }
  [[nodiscard]] const ServeGenTenant& tenant() const { return *tenant_; }
  [[nodiscard]] double trace_time() const { return time_s_; }
  /// Seconds since the start of the replay in trace time, counting whole rounds.
  [[nodiscard]] double elapsed() const {
    return static_cast<double>(round_) * (data_->to_s - data_->from_s) + time_s_ - data_->from_s;
  }

  /// Moves on to the next arrival; false when there is none.
  bool advance(RandomStream& random) {
    double left = started_ ? gap(random.uniform()) : first_gap(random.uniform(), random.uniform());
    started_ = true;
    for (;;) {
      const double rate = window().rate_per_s * rate_scale_;
      const double rest = rate * std::max(0.0, window_end() - time_s_);
      if (left <= rest && rate > 0) {
        time_s_ += left / rate;
        return true;
      }
      left -= rest;
      ++window_;
      if (!skip_to_requests()) return false;
    }
  }

 private:
  [[nodiscard]] const ServeGenWindow& window() const { return tenant_->windows[window_]; }
  [[nodiscard]] double window_end() const { return std::min(window().start_s + ServeGenTrace::window_s, data_->to_s); }

  void restart() {
    window_ = 0;
    time_s_ = data_->from_s;
  }

  /// To the first window from here on that has requests inside the replayed part, in the next round where it loops.
  bool skip_to_requests() {
    for (;;) {
      const auto& windows = tenant_->windows;
      while (window_ < windows.size() && (window_end() <= data_->from_s || window().rate_per_s <= 0)) ++window_;
      if (window_ < windows.size() && window().start_s < data_->to_s) break;
      if (!data_->spec.trace->loop) return false;
      restart();
      ++round_;
    }
    time_s_ = std::max(time_s_, window().start_s);
    const ServeGenWindow& here = window();
    gamma_ = here.family == ServeGenWindow::Family::Gamma ? &data_->gamma.at(gamma_key(here.shape)) : nullptr;
    weibull_scale_ = here.family == ServeGenWindow::Family::Weibull ? unit_weibull_scale(here.shape) : 0;
    return true;
  }

  /// Operational gap with mean 1.
  [[nodiscard]] double gap(double u) const {
    switch (window().family) {
      case ServeGenWindow::Family::Exponential: break;
      case ServeGenWindow::Family::Gamma: return (*gamma_)(u);
      case ServeGenWindow::Family::Weibull: return weibull_scale_ * std::pow(-std::log(u), 1.0 / window().shape);
    }
    return -std::log(u);
  }

  [[nodiscard]] double first_gap(double u, double v) const {
    switch (window().family) {
      case ServeGenWindow::Family::Exponential: break;
      case ServeGenWindow::Family::Gamma: return stationary_first_gamma_gap(window().shape, u, v);
      case ServeGenWindow::Family::Weibull: return stationary_first_weibull_gap(window().shape, u, v);
    }
    return -std::log(u);
  }

  const LoadedWorkload::Data* data_;
  const ServeGenTenant* tenant_;
  double rate_scale_;
  bool has_requests_ = false;
  bool started_ = false;
  std::uint64_t round_ = 0;
  std::size_t window_ = 0;
  double time_s_ = 0;
  const UnitGammaQuantile* gamma_ = nullptr;
  double weibull_scale_ = 0;
};

/// All tenants, merged by a heap in order of time, then of tenant.
class TenantSource final : public RequestSource {
 public:
  TenantSource(DataPtr data, Streams streams, double rate_scale) : data_(std::move(data)), streams_(streams) {
    for (const ServeGenTenant& tenant : data_->tenants.tenants) {
      TenantClock clock(*data_, tenant, rate_scale);
      if (clock.has_requests()) clocks_.push_back(clock);
    }
    for (std::size_t i = 0; i < clocks_.size(); ++i) push(i);
  }

  [[nodiscard]] SimTime next_arrival() const override { return due_.empty() ? kNever : due_.front().time; }

  Request take() override {
    TOKENOMICS_CHECK(!due_.empty(), "no request left");
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    const Due due = due_.back();
    due_.pop_back();
    const TenantClock& clock = clocks_[due.clock];
    const Request request = request_of(id_++, due.time, lengths(clock), clock.tenant().id);
    push(due.clock);
    return request;
  }

  void ended(const Request&, SimTime) override {}

 private:
  struct Due {
    SimTime time;
    std::size_t clock;
    bool operator>(const Due& other) const { return time != other.time ? time > other.time : clock > other.clock; }
  };

  void push(std::size_t index) {
    if (!clocks_[index].advance(streams_.arrivals)) return;
    due_.push_back({later(0, clocks_[index].elapsed() / data_->spec.trace->speed), index});
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }

  /// From the tenant's own window of lengths; a tenant without any draws from the pool of all.
  Lengths lengths(const TenantClock& clock) {
    const auto& windows = clock.tenant().lengths;
    if (data_->spec.lengths || windows.empty()) return data_->law->draw(streams_.lengths);
    std::size_t i = windows.size() - 1;
    while (i > 0 && windows[i].start_s > clock.trace_time()) --i;
    return draw_tenant_lengths(windows[i], data_->spec, streams_.lengths);
  }

  DataPtr data_;
  Streams streams_;
  std::vector<TenantClock> clocks_;
  std::vector<Due> due_;
  std::uint64_t id_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_tenant_source(DataPtr data, Streams streams, double rate_scale) {
  return std::make_unique<TenantSource>(std::move(data), streams, rate_scale);
}

}  // namespace tokenomics
