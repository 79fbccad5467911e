#include "tokenomics/base/statistics.hpp"

#include <algorithm>
#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

double computed_t_975(int degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), 0.975);
}

/// Each metric of each result asks for one of these, and each takes microseconds to compute.
constexpr int kTabled = 64;
const std::array<double, kTabled>& tabled_t_975() {
  static const auto table = [] {
    std::array<double, kTabled> values{};
    for (int degrees = 1; degrees < kTabled; ++degrees) values[static_cast<std::size_t>(degrees)] = computed_t_975(degrees);
    return values;
  }();
  return table;
}

}  // namespace

double student_t_975(int degrees_of_freedom) {
  TOKENOMICS_CHECK(degrees_of_freedom >= 1, std::to_string(degrees_of_freedom));
  return degrees_of_freedom < kTabled ? tabled_t_975()[static_cast<std::size_t>(degrees_of_freedom)]
                                      : computed_t_975(degrees_of_freedom);
}

MeanInterval mean_interval(const std::vector<double>& values) {
  TOKENOMICS_CHECK(!values.empty(), "no values");
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return {mean, std::nullopt};
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double t = student_t_975(static_cast<int>(values.size()) - 1);
  return {mean, t * std::sqrt(squares / (n - 1.0) / n)};
}

std::vector<double> batch_means(const std::vector<double>& series, std::size_t batches) {
  TOKENOMICS_CHECK(batches >= 1 && series.size() >= batches,
                   "batches = " + std::to_string(batches) + ", values = " + std::to_string(series.size()));
  const std::size_t length = series.size() / batches;
  auto first = series.begin() + static_cast<std::ptrdiff_t>(series.size() - batches * length);
  std::vector<double> means;
  for (std::size_t i = 0; i < batches; ++i, first += static_cast<std::ptrdiff_t>(length)) {
    means.push_back(std::accumulate(first, first + static_cast<std::ptrdiff_t>(length), 0.0) / static_cast<double>(length));
  }
  return means;
}

double sorted_quantile(const std::vector<double>& sorted, double p) {
  TOKENOMICS_CHECK(!sorted.empty() && p >= 0 && p <= 1,
                   "values = " + std::to_string(sorted.size()) + ", p = " + std::to_string(p));
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double quantile_of(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return sorted_quantile(values, p);
}

void TimeAverage::advance(SimTime now, std::int64_t end_value) {
  TOKENOMICS_CHECK(now >= last_, "now = " + std::to_string(now) + " ns, last = " + std::to_string(last_) + " ns");
  twice_area_ += (static_cast<int128>(value_) + end_value) * (now - last_);
  last_ = now;
}

void TimeAverage::set(SimTime now, std::int64_t value) {
  advance(now, value_);
  value_ = value;
  max_ = std::max(max_, value);
}

void TimeAverage::ramp_to(SimTime now, std::int64_t value) {
  advance(now, value);
  value_ = value;
  max_ = std::max(max_, value);
}

void TimeAverage::restart(SimTime now) {
  advance(now, value_);
  start_ = now;
  max_ = value_;
  twice_area_ = 0;
}

double TimeAverage::mean(SimTime now) const {
  TOKENOMICS_CHECK(now >= last_, "now = " + std::to_string(now) + " ns, last = " + std::to_string(last_) + " ns");
  if (now == start_) return static_cast<double>(value_);
  const int128 twice_area = twice_area_ + 2 * static_cast<int128>(value_) * (now - last_);
  return static_cast<double>(twice_area) / (2.0 * static_cast<double>(now - start_));
}

}  // namespace tokenomics
