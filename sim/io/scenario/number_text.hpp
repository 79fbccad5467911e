#pragma once

#include <cstdio>
#include <cstdlib>

namespace tokenomics {

/// The shortest decimal number that `read` turns into `target`, so that a value survives writing and reading although
/// the file has another unit; `approximate` when there is none.
template <typename Read>
double shortest_decimal(double approximate, double target, Read read) {
  char text[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, approximate);
    const double number = std::strtod(text, nullptr);
    if (read(number) == target) return number;
  }
  return approximate;
}

/// For a file's number times `scale` in base units.
inline double in_file_unit(double base, double scale) {
  return shortest_decimal(base / scale, base, [scale](double number) { return number * scale; });
}

}  // namespace tokenomics
