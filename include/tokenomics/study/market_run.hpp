#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/market/calendar.hpp"
#include "tokenomics/scenario/market_spec.hpp"

namespace tokenomics {

/// A measure over the periods, with the interval that the uncertain numbers leave it.
struct MeasureSeries {
  MarketMeasure measure;
  std::vector<std::optional<double>> values;  ///< one a period, at the file's own numbers
  struct Interval {
    std::optional<double> p5, p50, p95;
  };
  std::vector<Interval> intervals;        ///< one a period; empty without samples
  std::optional<double> last_over_first;  ///< means of the last periods over the first ones, see MarketSpec::ends
  Interval last_over_first_interval;
  std::vector<double> driver;  ///< rank correlation of each uncertain number with the last period's value
};

struct MarketResult {
  MarketSpec spec;
  std::vector<MarketPeriod> periods;
  std::vector<MeasureSeries> measures;
  struct Surface {
    std::string provider;
    ResponseSurface surface;
    bool has_known_cost = true;
    std::string kind;  ///< "simulated", "held", "observed"
  };
  std::vector<Surface> surfaces;
  std::size_t drawn = 0, kept = 0;  ///< draws of the uncertain numbers, and those that contradict no observation
  double start_spread = 0;  ///< largest difference of a load between fixed points from different starts, first period
  bool converged = true;    ///< every period of the file's own numbers
};

struct MarketOptions {
  unsigned jobs = 1;  ///< the result does not depend on it
  std::optional<int> samples;
  std::function<void(double)> progress;  ///< told the share that is done
};

/// Steps the market over its calendar, and again for every draw of the uncertain numbers. Throws Infeasible when a
/// provider's service has no deployment.
MarketResult run_market_spec(const MarketSpec& spec, const MarketOptions& options = {});

}  // namespace tokenomics
