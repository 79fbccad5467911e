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

double slope_at(const std::vector<double>& x, const std::vector<double>& y, std::size_t i) {
  const std::size_t last = x.size() - 1;
  const auto width = [&](std::size_t k) { return x[k + 1] - x[k]; };
  const auto chord = [&](std::size_t k) { return (y[k + 1] - y[k]) / width(k); };
  if (last == 1) return chord(0);
  if (i == 0) return end_slope(width(0), width(1), chord(0), chord(1));
  if (i == last) return end_slope(width(last - 1), width(last - 2), chord(last - 1), chord(last - 2));
  return inner_slope(width(i - 1), width(i), chord(i - 1), chord(i));
}

using Value = double (*)(const ServicePoint&);

/// Over ln load: of the logarithm where all values are positive (a power law is met exactly), else of the value.
double interpolate(const std::vector<ServicePoint>& points, TokensPerSecond load, Value value) {
  std::vector<double> x;
  std::vector<double> y;
  for (const ServicePoint& p : points) {
    x.push_back(std::log(p.load.value()));
    y.push_back(value(p));
  }
  const auto [least, most] = std::minmax_element(y.begin(), y.end());
  if (*least <= 0.0) return monotone_cubic(x, y, std::log(load.value()));
  const double low = *least;
  const double high = *most;
  for (double& v : y) v = std::log(v);
  return std::clamp(std::exp(monotone_cubic(x, y, std::log(load.value()))), low, high);  // against rounding
}

double ttft_of(const ServicePoint& p) { return p.ttft.value(); }
double interactivity_of(const ServicePoint& p) { return p.interactivity.value(); }
double utilization_of(const ServicePoint& p) { return p.utilization; }
double gpus_of(const ServicePoint& p) { return p.gpus; }
double cost_of(const ServicePoint& p) { return p.cost.value(); }

ServicePoint inside(const std::vector<ServicePoint>& points, TokensPerSecond load) {
  ServicePoint p;
  p.load = load;
  p.ttft = Seconds{interpolate(points, load, ttft_of)};
  p.interactivity = TokensPerSecond{interpolate(points, load, interactivity_of)};
  p.utilization = interpolate(points, load, utilization_of);
  p.served_share = interpolate(points, load, [](const ServicePoint& q) { return q.served_share; });
  p.gpus = interpolate(points, load, gpus_of);
  p.cost = UsdPerSecond{interpolate(points, load, cost_of)};
  return p;
}

/// Errors of each inner point predicted from the others. Points whose truth is 0 have no relative error.
std::optional<FitError> leave_one_out(const std::vector<ServicePoint>& points, Value of) {
  std::vector<double> errors;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    std::vector<ServicePoint> others = points;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double truth = of(points[i]);
    if (truth != 0.0) errors.push_back(std::abs(interpolate(others, points[i].load, of) / truth - 1.0));
  }
  if (errors.empty()) return std::nullopt;
  std::sort(errors.begin(), errors.end());
  const std::size_t n = errors.size();
  return FitError{(errors[(n - 1) / 2] + errors[n / 2]) / 2.0, errors.back()};
}

}  // namespace

double monotone_cubic(const std::vector<double>& x, const std::vector<double>& y, double at) {
  TOKENOMICS_CHECK(!x.empty() && x.size() == y.size(), std::to_string(x.size()) + " points");
  if (at <= x.front()) return y.front();
  if (at >= x.back()) return y.back();
  const auto right = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), at) - x.begin());
  const std::size_t left = right - 1;
  const double h = x[right] - x[left];
  const double t = (at - x[left]) / h;
  const double s = 1.0 - t;
  // Hermite's cubic: y0 s^2 (1 + 2t) + y1 t^2 (1 + 2s) + h m0 t s^2 - h m1 s t^2.
  const double cubic = y[left] * s * s * (1.0 + 2.0 * t) + y[right] * t * t * (1.0 + 2.0 * s) +
                       h * slope_at(x, y, left) * t * s * s - h * slope_at(x, y, right) * s * t * t;
  return std::clamp(cubic, std::min(y[left], y[right]), std::max(y[left], y[right]));  // against rounding
}

ResponseSurface::ResponseSurface(std::vector<ServicePoint> points) : points_(std::move(points)) {
  TOKENOMICS_CHECK(!points_.empty(), "no points");
  for (const ServicePoint& p : points_) check_point(p);
  std::sort(points_.begin(), points_.end(), [](const auto& a, const auto& b) { return a.load < b.load; });
  for (std::size_t i = 1; i < points_.size(); ++i) {
    TOKENOMICS_CHECK(points_[i - 1].load < points_[i].load, "two points at load " + std::to_string(points_[i].load.value()));
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
  if (load <= last.load) return {inside(points_, load), false, false};
  ServiceAt result{last, true, false};
  result.point.load = load;
  result.point.served_share = capacity() / load;
  return result;
}

ResponseSurface ResponseSurface::scaled(double factor) const {
  TOKENOMICS_CHECK(factor > 0.0, "factor = " + std::to_string(factor));
  ResponseSurface result = *this;
  for (ServicePoint& p : result.points_) {
    p.load *= factor;
    p.gpus *= factor;
    p.cost *= factor;
  }
  return result;
}

}  // namespace tokenomics
