#pragma once

#include <optional>
#include <vector>

#include "tokenomics/units/quantity.hpp"

/// Service as a function of load, drawn through points that somebody simulated: what a market needs of a provider.
namespace tokenomics {

/// One simulated point of a provider. The load is what arrives, in whatever tokens the provider's WorkWeights count.
struct ServicePoint {
  TokensPerSecond load{0};           ///< offered, > 0
  Seconds ttft{0};                   ///< > 0
  TokensPerSecond interactivity{0};  ///< per user, > 0
  double utilization = 0;            ///< busy share of the GPUs
  double served_share = 1;           ///< of the load, in [0, 1]; the rest is refused
  double gpus = 0;                   ///< provisioned
  UsdPerSecond cost{0};              ///< of having them
};

/// Service at a load, and how far to trust it.
struct ServiceAt {
  ServicePoint point;
  bool saturated = false;  ///< above the capacity: the excess is refused
  bool below_domain = false;
};

/// Relative errors |prediction / truth - 1| of points predicted from all the others.
struct FitError {
  double median = 0;
  double max = 0;
};

/// Monotone cubic through (x, y), x strictly rising: rises where y rises, and stays between neighbours. Flat outside.
class MonotoneCubic {
 public:
  MonotoneCubic(std::vector<double> x, std::vector<double> y);
  [[nodiscard]] double at(double x) const;

 private:
  std::vector<double> x_;
  std::vector<double> y_;
  std::vector<double> slope_;
};

class ResponseSurface {
 public:
  /// At least one point, in any order, no two at one load. Points outside the ranges above are a broken contract.
  explicit ResponseSurface(std::vector<ServicePoint> points);

  /// Between points: monotone cubics (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 1980, with the weighted harmonic slopes
  /// of Fritsch and Butland 1984) over ln load of the logarithm of each quantity (of itself where it is 0 somewhere), so
  /// that power laws are exact. Where the points rise, so does the curve, and it goes nowhere beyond its two neighbours.
  /// Below the first point: the first point's service, GPUs and cost, utilization in proportion to load.
  /// Above the last: a server that is full. It serves what the last point serves, at that point's ttft and speed, and
  /// refuses the rest; nothing is extrapolated, so points should reach as far as the provider lets its queue grow.
  [[nodiscard]] ServiceAt at(TokensPerSecond load) const;

  /// The most that is served: of the last point.
  [[nodiscard]] TokensPerSecond capacity() const;

  /// Leave-one-out error over the inner points; absent with fewer than three points. What the interpolation misses, not
  /// what the simulation that made the points gets wrong.
  [[nodiscard]] const std::optional<FitError>& ttft_error() const { return ttft_error_; }
  [[nodiscard]] const std::optional<FitError>& interactivity_error() const { return interactivity_error_; }
  [[nodiscard]] const std::optional<FitError>& cost_error() const { return cost_error_; }

  /// `factor` such fleets side by side, the load spread evenly: load, GPUs and cost times factor > 0. That a larger fleet
  /// queues less at the same load per GPU is left out, so growth is understated a little.
  [[nodiscard]] ResponseSurface scaled(double factor) const;

  [[nodiscard]] const std::vector<ServicePoint>& points() const { return points_; }

 private:
  /// One quantity over ln load; its logarithm where all its values are positive.
  struct Curve {
    Curve(const std::vector<ServicePoint>& points, double (*value)(const ServicePoint&));
    [[nodiscard]] double at(TokensPerSecond load) const;

    bool logarithm = false;
    double least = 0;
    double most = 0;
    MonotoneCubic cubic;
  };
  static std::optional<FitError> leave_one_out(const std::vector<ServicePoint>& points,
                                               double (*value)(const ServicePoint&));

  std::vector<ServicePoint> points_;
  std::vector<Curve> curves_;
  std::optional<FitError> ttft_error_;
  std::optional<FitError> interactivity_error_;
  std::optional<FitError> cost_error_;
};

}  // namespace tokenomics
