#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenomics {

/// Points of the Sobol sequence in (0, 1)^dimensions with a random digital shift. The first 2^k points hit each of 2^k
/// equal cells of every coordinate exactly once, so that means over smooth functions settle faster than over random
/// points; the shift keeps that and makes means unbiased over seeds. Best with a power of two of points.
///
/// Direction numbers: Joe and Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci.
/// Comput. 30 (2008), as in Boost. Order: Antonov and Saleev (1979). Shift: L'Ecuyer and Lemieux, "Recent advances in
/// randomized quasi-Monte Carlo methods" (2002), section 2.6.
class SobolPoints {
 public:
  /// 1 <= dimensions <= max_dimensions().
  SobolPoints(std::size_t dimensions, std::uint64_t seed);

  /// The point at any index, in any order and from any thread: fixed by seed and index alone. A
  /// coordinate does not change when further dimensions are added.
  [[nodiscard]] std::vector<double> point(std::uint64_t index) const;
  [[nodiscard]] std::size_t dimensions() const { return shift_.size(); }

  static std::size_t max_dimensions();

 private:
  std::vector<std::uint64_t> directions_;  ///< [bit of the Gray code][dimension]
  std::vector<std::uint64_t> shift_;       ///< [dimension]
};

}  // namespace tokenomics
