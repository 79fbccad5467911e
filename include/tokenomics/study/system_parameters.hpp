#pragma once

#include <string>
#include <vector>

#include "tokenomics/roofline/calibration.hpp"

namespace tokenomics {

/// A number of a calibration that end-to-end points can tell: one physical meaning each.
struct SystemParameter {
  std::string name;
  std::string unit;
  std::string meaning;
  double low = 0, high = 1;  ///< outside it would mean something else than it says
  double guess = 0;          ///< where a calibration has none (value 0)
  double spread = 0.2;       ///< standard deviation of its logarithm among calibrations of a family
  std::vector<SourcedNumber* (*)(Calibration&)> places;  ///< all set alike; the first is read

  [[nodiscard]] double value(const Calibration& calibration) const;
  void set(Calibration& calibration, const SourcedNumber& number) const;
};

/// The nine: four rates, a share of launches, and three times of the host; the same for every GPU and engine.
const std::vector<SystemParameter>& system_parameters();

/// `calibration` with those numbers.
Calibration with_parameters(Calibration calibration, const std::vector<double>& values);

}  // namespace tokenomics
