#include "tokenomics/market/response_surface.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

void check_point(const ServicePoint& p) {
  const std::string load = "at load " + std::to_string(p.load.value());
  TOKENOMICS_CHECK(p.load.value() > 0.0 && std::isfinite(p.load.value()), load);
  TOKENOMICS_CHECK(p.ttft.value() > 0.0 && std::isfinite(p.ttft.value()), load);
  TOKENOMICS_CHECK(p.interactivity.value() > 0.0 && std::isfinite(p.interactivity.value()), load);
  TOKENOMICS_CHECK(p.served_share >= 0.0 && p.served_share <= 1.0, load);
  TOKENOMICS_CHECK(p.gpus >= 0.0 && p.cost.value() >= 0.0 && p.utilization >= 0.0, load);
}

/// Slope at an inner point from its two chords: their harmonic mean weighted by the widths, 0 at a turning point.
double inner_slope(double h0, double h1, double d0, double d1) {
  if (d0 * d1 <= 0.0) return 0.0;
  const double w0 = 2.0 * h1 + h0;
  const double w1 = h1 + 2.0 * h0;
  return (w0 + w1) / (w0 / d0 + w1 / d1);
}

/// Slope at an end: the parabola through three points, kept within [0, 3] chords so that the cubic stays monotone.
double end_slope(double h0, double h1, double d0, double d1) {
  const double m = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
  if (m * d0 <= 0.0) return 0.0;
  return std::abs(m) > 3.0 * std::abs(d0) ? 3.0 * d0 : m;
}

std::vector<double> slopes(const std::vector<double>& x, const std::vector<double>& y) {
  const std::size_t n = x.size();
  if (n < 2) return std::vector<double>(n, 0.0);
  const auto width = [&](std::size_t k) { return x[k + 1] - x[k]; };
  const auto chord = [&](std::size_t k) { return (y[k + 1] - y[k]) / width(k); };
  if (n == 2) return {chord(0), chord(0)};
  std::vector<double> slope = {end_slope(width(0), width(1), chord(0), chord(1))};
  for (std::size_t i = 1; i + 1 < n; ++i) slope.push_back(inner_slope(width(i - 1), width(i), chord(i - 1), chord(i)));
  slope.push_back(end_slope(width(n - 2), width(n - 3), chord(n - 2), chord(n - 3)));
  return slope;
}

std::vector<double> log_loads(const std::vector<ServicePoint>& points) {
  std::vector<double> x;
  for (const ServicePoint& p : points) x.push_back(std::log(p.load.value()));
  return x;
}

std::vector<double> values(const std::vector<ServicePoint>& points, double (*value)(const ServicePoint&), bool logarithm) {
  std::vector<double> y;
  for (const ServicePoint& p : points) y.push_back(logarithm ? std::log(value(p)) : value(p));
  return y;
}

bool all_positive(const std::vector<ServicePoint>& points, double (*value)(const ServicePoint&)) {
  return std::all_of(points.begin(), points.end(), [&](const ServicePoint& p) { return value(p) > 0.0; });
}

double ttft_of(const ServicePoint& p) { return p.ttft.value(); }
double interactivity_of(const ServicePoint& p) { return p.interactivity.value(); }
double utilization_of(const ServicePoint& p) { return p.utilization; }
double gpus_of(const ServicePoint& p) { return p.gpus; }
double served_share_of(const ServicePoint& p) { return p.served_share; }
double cost_of(const ServicePoint& p) { return p.cost.value(); }

}  // namespace

MonotoneCubic::MonotoneCubic(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)), slope_(slopes(x_, y_)) {
  TOKENOMICS_CHECK(!x_.empty() && x_.size() == y_.size(), std::to_string(x_.size()) + " points");
}

double MonotoneCubic::at(double x) const {
  if (x <= x_.front()) return y_.front();
  if (x >= x_.back()) return y_.back();
  const auto right = static_cast<std::size_t>(std::upper_bound(x_.begin(), x_.end(), x) - x_.begin());
  const std::size_t left = right - 1;
  const double h = x_[right] - x_[left];
  const double t = (x - x_[left]) / h;
  const double s = 1.0 - t;
  // Hermite's cubic: y0 s^2 (1 + 2t) + y1 t^2 (1 + 2s) + h m0 t s^2 - h m1 s t^2.
  const double cubic = y_[left] * s * s * (1.0 + 2.0 * t) + y_[right] * t * t * (1.0 + 2.0 * s) +
                       h * slope_[left] * t * s * s - h * slope_[right] * s * t * t;
  return std::clamp(cubic, std::min(y_[left], y_[right]), std::max(y_[left], y_[right]));  // against rounding
}

ResponseSurface::Curve::Curve(const std::vector<ServicePoint>& points, double (*value)(const ServicePoint&))
    : logarithm(all_positive(points, value)), cubic(log_loads(points), values(points, value, logarithm)) {
  const std::vector<double> y = values(points, value, false);
  least = *std::min_element(y.begin(), y.end());
  most = *std::max_element(y.begin(), y.end());
}

double ResponseSurface::Curve::at(TokensPerSecond load) const {
  const double y = cubic.at(std::log(load.value()));
  return std::clamp(logarithm ? std::exp(y) : y, least, most);  // against rounding
}

/// Errors of each inner point predicted from the others. Points whose truth is 0 have no relative error.
std::optional<FitError> ResponseSurface::leave_one_out(const std::vector<ServicePoint>& points,
                                                       double (*value)(const ServicePoint&)) {
  std::vector<double> errors;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    std::vector<ServicePoint> others = points;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double truth = value(points[i]);
    if (truth != 0.0) errors.push_back(std::abs(Curve(others, value).at(points[i].load) / truth - 1.0));
  }
  if (errors.empty()) return std::nullopt;
  std::sort(errors.begin(), errors.end());
  const std::size_t n = errors.size();
  return FitError{(errors[(n - 1) / 2] + errors[n / 2]) / 2.0, errors.back()};
}

ResponseSurface::ResponseSurface(std::vector<ServicePoint> points) : points_(std::move(points)) {
  TOKENOMICS_CHECK(!points_.empty(), "no points");
  for (const ServicePoint& p : points_) check_point(p);
  std::sort(points_.begin(), points_.end(), [](const auto& a, const auto& b) { return a.load < b.load; });
  for (std::size_t i = 1; i < points_.size(); ++i) {
    TOKENOMICS_CHECK(points_[i - 1].load < points_[i].load, "two points at load " + std::to_string(points_[i].load.value()));
  }
  for (const auto value : {ttft_of, interactivity_of, utilization_of, served_share_of, gpus_of, cost_of}) {
    curves_.emplace_back(points_, value);
  }
  ttft_error_ = leave_one_out(points_, ttft_of);
  interactivity_error_ = leave_one_out(points_, interactivity_of);
  cost_error_ = leave_one_out(points_, cost_of);
}

TokensPerSecond ResponseSurface::capacity() const { return points_.back().load * points_.back().served_share; }

ServiceAt ResponseSurface::at(TokensPerSecond load) const {
  TOKENOMICS_CHECK(load.value() >= 0.0, "load = " + std::to_string(load.value()));
  const ServicePoint& first = points_.front();
  const ServicePoint& last = points_.back();
  if (load < first.load) {
    ServiceAt result{first, false, true};
    result.point.load = load;
    result.point.utilization *= load / first.load;
    return result;
  }
  if (load <= last.load) {
    const auto value = [&](std::size_t curve) { return curves_[curve].at(load); };
    return {{load, Seconds{value(0)}, TokensPerSecond{value(1)}, value(2), value(3), value(4), UsdPerSecond{value(5)}},
            false,
            false};
  }
  ServiceAt result{last, true, false};
  result.point.load = load;
  result.point.served_share = capacity() / load;
  return result;
}

ResponseSurface ResponseSurface::scaled(double factor) const {
  TOKENOMICS_CHECK(factor > 0.0, "factor = " + std::to_string(factor));
  std::vector<ServicePoint> points = points_;
  for (ServicePoint& p : points) {
    p.load *= factor;
    p.gpus *= factor;
    p.cost *= factor;
  }
  return ResponseSurface(std::move(points));
}

}  // namespace tokenomics
