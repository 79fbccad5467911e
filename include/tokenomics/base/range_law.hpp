#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tokenomics {

/// How an uncertain number is spread between two values that its source gives.
struct RangeLaw {
  enum class Kind { Uniform, LogUniform, Triangular, Normal, LogNormal };

  Kind kind = Kind::Uniform;
  /// Bounds of uniform, log-uniform and triangular laws. Of normal and lognormal laws, which have no bounds, the 5% and
  /// 95% quantiles: one value in ten lies outside.
  double low = 0;
  double high = 1;
  std::optional<double> mode{};  ///< of a triangular law, from low to high; absent: the middle
};

/// "uniform", "log_uniform", "triangular", "normal", "lognormal".
std::string_view name_of(RangeLaw::Kind kind);
std::optional<RangeLaw::Kind> range_law_named(std::string_view name);

/// What is wrong with a law, such as "low 3 is not below high 2"; empty when nothing is.
std::string fault_of(const RangeLaw& law);

/// Inverse distribution function at u in (0, 1), of a law without fault: it rises with u, and bounded laws stay within
/// low and high.
double quantile(const RangeLaw& law, double u);

/// The median: half of the draws lie below. Of a triangular law that is not its mode, of a log law it is the geometric
/// middle.
double centre(const RangeLaw& law);

}  // namespace tokenomics
