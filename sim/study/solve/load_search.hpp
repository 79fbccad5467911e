#pragma once

#include <cmath>

namespace tokenomics {

// Loads are taken from one fixed geometric grid, so that a looser constraint, which holds wherever the tighter one does,
// is found to hold at the same load or a higher one: bisection then goes the same way or further up.

inline constexpr double kLowestLoad = 1e-4;  ///< requests/s into one instance
inline constexpr double kLoadRatio = 1.02;   ///< resolution of load and price
inline constexpr int kLoads = 1000;          ///< up to 39,000 requests/s

inline double load_at(int k) { return kLowestLoad * std::pow(kLoadRatio, k); }

/// Highest load for which `holds(k)` is true, when it is true below some load and false above; -1: not even at the
/// lowest.
template <class Holds>
int highest_load(const Holds& holds) {
  if (!holds(0)) return -1;
  int low = 0, high = kLoads;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace tokenomics
