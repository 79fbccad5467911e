#pragma once

#include <string>
#include <string_view>

#include "tokenomics/hw/gpu.hpp"
#include "tokenomics/roofline/calibration.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// How near a calibration fitted to serving runs is to what is asked for.
enum class ServedFit {
  Version,       ///< same GPU, engine and software
  OtherVersion,  ///< same GPU and engine, all versions together or the nearest one
  Family,        ///< same architecture and engine
  OtherEngine,   ///< same family, another engine
  KernelsOnly,   ///< no calibration from serving runs: one of kernels, or a guess
};
std::string_view name_of(ServedFit fit);

struct ServedCalibration {
  std::string name;
  ServedFit fit = ServedFit::KernelsOnly;
};

/// A calibration as a file of the catalogue.
std::string calibration_text(const Calibration& calibration);

/// The catalogue's best calibration for a run of `engine` on a GPU on a day (YYYY-MM-DD; empty: the latest software), among
/// those that were fitted to serving runs (they name a software version); else best_calibration(), else "generic".
ServedCalibration served_calibration(const Gpu& gpu, const std::string& engine, const std::string& date,
                                     const Catalogue& catalogue);

}  // namespace tokenomics
