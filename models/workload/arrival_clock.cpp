#include "arrival_clock.hpp"

#include <cmath>
#include <numeric>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

SimTime later(SimTime t, double seconds) {
  const double room = (static_cast<double>(kNever) - static_cast<double>(t)) * 1e-9 - 1.0;
  return t == kNever || !(seconds < room) ? kNever : t + to_sim_time(Seconds{seconds});
}

namespace {

constexpr double kHour = 3600.0;
constexpr std::size_t kHoursPerDay = 24;

/// Independent gaps, exponential with mean 1 / rate. Gaps are rounded to nanoseconds one by one, without bias.
class PoissonClock final : public ArrivalClock {
 public:
  PoissonClock(double rate_per_s, RandomStream random) : mean_gap_s_(1.0 / rate_per_s), random_(random) {}
  SimTime next() override { return now_ = later(now_, mean_gap_s_ * random_.exponential()); }

 private:
  double mean_gap_s_;
  RandomStream random_;
  SimTime now_ = 0;
};

/// Renewal process with gamma gaps, stationary from time 0 on (the first gap is what is left of one under way), so that
/// the expected count of any window is rate times its length, also at the start of a bursty run.
class GammaClock final : public ArrivalClock {
 public:
  GammaClock(double rate_per_s, const UnitGammaQuantile& quantile, RandomStream random)
      : mean_gap_s_(1.0 / rate_per_s), quantile_(quantile), random_(random) {}

  SimTime next() override {
    const double u = random_.uniform();
    const double gap = started_ ? quantile_(u) : stationary_first_gamma_gap(quantile_.shape(), u, random_.uniform());
    started_ = true;
    return now_ = later(now_, mean_gap_s_ * gap);
  }

 private:
  double mean_gap_s_;
  const UnitGammaQuantile& quantile_;
  RandomStream random_;
  SimTime now_ = 0;
  bool started_ = false;
};

/// Poisson with a rate constant within each hour of local time. Arrivals are unit Poisson in operational time, the
/// integral of the rate: solve  integral_{t}^{t'} rate = E  for t', hour by hour, which is exact.
class DayNightClock final : public ArrivalClock {
 public:
  DayNightClock(const DayNightArrivals& arrivals, double rate_scale, RandomStream random)
      : random_(random), rate_(arrivals.hourly_shape) {
    const double mean = std::accumulate(rate_.begin(), rate_.end(), 0.0) / static_cast<double>(rate_.size());
    for (double& rate : rate_) rate *= rate_scale * arrivals.mean_rate_per_s / mean;
    hour_ = static_cast<std::size_t>(arrivals.start_hour);
    hour_ends_s_ = kHour * (static_cast<double>(hour_) + 1.0 - arrivals.start_hour);
  }

  SimTime next() override {
    double left = random_.exponential();
    for (double rest = here() * (hour_ends_s_ - now_s_); left > rest; rest = here() * kHour) {
      left -= rest;
      now_s_ = hour_ends_s_;
      hour_ends_s_ += kHour;
      ++hour_;
    }
    now_s_ += left / here();
    return later(0, now_s_);
  }

 private:
  [[nodiscard]] double here() const { return rate_[hour_ % kHoursPerDay]; }

  RandomStream random_;
  std::vector<double> rate_;
  std::size_t hour_ = 0;
  double hour_ends_s_ = 0;
  double now_s_ = 0;
};

class AllAtOnceClock final : public ArrivalClock {
 public:
  explicit AllAtOnceClock(std::int64_t requests) : left_(requests) {}
  SimTime next() override { return left_-- > 0 ? 0 : kNever; }

 private:
  std::int64_t left_;
};

struct MakeClock {
  RandomStream random;
  double rate_scale;
  const UnitGammaQuantile* gamma;
  using Result = std::unique_ptr<ArrivalClock>;

  Result operator()(const PoissonArrivals& a) const {
    return std::make_unique<PoissonClock>(a.rate_per_s * rate_scale, random);
  }
  Result operator()(const GammaArrivals& a) const {
    return std::make_unique<GammaClock>(a.rate_per_s * rate_scale, *gamma, random);
  }
  Result operator()(const DayNightArrivals& a) const { return std::make_unique<DayNightClock>(a, rate_scale, random); }
  Result operator()(const AllAtOnceArrivals& a) const { return std::make_unique<AllAtOnceClock>(a.requests); }
  Result operator()(const ClosedLoopArrivals&) const { return nullptr; }
  Result operator()(const TraceArrivals&) const { return nullptr; }
};

}  // namespace

std::unique_ptr<ArrivalClock> make_clock(const ArrivalSpec& arrivals, RandomStream random, double rate_scale,
                                         const UnitGammaQuantile* gamma) {
  auto clock = std::visit(MakeClock{random, rate_scale, gamma}, arrivals);
  TOKENOMICS_CHECK(clock != nullptr, "arrivals without a clock of their own");
  return clock;
}

std::optional<double> clock_rate(const ArrivalSpec& arrivals) {
  if (const auto* poisson = std::get_if<PoissonArrivals>(&arrivals)) return poisson->rate_per_s;
  if (const auto* gamma = std::get_if<GammaArrivals>(&arrivals)) return gamma->rate_per_s;
  if (const auto* day = std::get_if<DayNightArrivals>(&arrivals)) return day->mean_rate_per_s;
  return std::nullopt;
}

}  // namespace tokenomics
