#pragma once

#include <optional>
#include <string>

#include "tokenomics/hw/precision.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// One accelerator as its maker describes it. Peaks are dense, never sparse. Absent means *not found*: code that needs
/// the figure calls a `require_` function, which refuses with the name of the missing figure.
struct Gpu {
  std::string name;
  std::string vendor;
  std::string architecture;  ///< "Hopper", "CDNA3": the family a missing calibration falls back to
  std::optional<FlopsPerSecond> peak_bf16;
  std::optional<FlopsPerSecond> peak_fp8;
  std::optional<FlopsPerSecond> peak_fp4;
  std::optional<FlopsPerSecond> peak_int8;
  std::optional<Bytes> hbm_capacity;
  std::optional<BytesPerSecond> hbm_bandwidth;
  std::optional<int> scale_up_domain_gpus;            ///< GPUs that reach each other without the NIC
  std::optional<BytesPerSecond> scale_up_bandwidth;   ///< per GPU, one way
  std::optional<BytesPerSecond> scale_out_bandwidth;  ///< NIC share per GPU, one way
  std::optional<Watts> thermal_design_power;
  std::optional<UsdPerSecond> rental_price;  ///< dated list price named in the file

  /// Dense peak in `arithmetic`, or in the next wider type that the part has: FP4 -> FP8 -> BF16, INT8 -> BF16.
  [[nodiscard]] FlopsPerSecond require_peak(Precision arithmetic) const;
  /// The type in which `arithmetic` is really computed on this part (see require_peak).
  [[nodiscard]] Precision arithmetic_for(Precision arithmetic) const;
  [[nodiscard]] Bytes require_hbm_capacity() const;
  [[nodiscard]] BytesPerSecond require_hbm_bandwidth() const;
  [[nodiscard]] int require_scale_up_domain() const;
  [[nodiscard]] BytesPerSecond require_scale_up_bandwidth() const;
  [[nodiscard]] BytesPerSecond require_scale_out_bandwidth() const;
};

}  // namespace tokenomics
