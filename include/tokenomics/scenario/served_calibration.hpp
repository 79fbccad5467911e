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
  OtherVersion,  ///< same GPU and engine; the nearest date
  Family,        ///< same architecture and engine
  Vendor,        ///< another architecture or engine of the maker
  KernelsOnly,   ///< no calibration from serving runs: one of kernels, or a guess
};
std::string_view name_of(ServedFit fit);

struct ServedCalibration {
  std::string name;
  ServedFit fit = ServedFit::KernelsOnly;
};

/// The catalogue's best calibration for a run of `engine` on a GPU on a day (YYYY-MM-DD; empty: the latest software), among
/// those that were fitted to serving runs (they name a software version); else best_calibration(), else "generic".
ServedCalibration served_calibration(const Gpu& gpu, const std::string& engine, const std::string& date,
                                     const Catalogue& catalogue);

}  // namespace tokenomics
