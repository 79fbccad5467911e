#pragma once

#include <optional>

#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// An owned GPU, per GPU. Capital is paid back as an annuity over its life.
struct OwnedGpu {
  Usd capex{0};                   ///< GPU with its share of host, network and installation
  double cost_of_capital = 0;     ///< per year
  double life_years = 4;
  double residual_share = 0;      ///< of capex, at the end of life
  Watts power{0};                 ///< at the wall of the server, all-in share per GPU
  double pue = 1.0;
  double usd_per_kwh = 0;
  UsdPerSecond hosting{0};
  UsdPerSecond staff{0};
  double spares_share = 0;        ///< extra GPUs held against failures
};

/// What a GPU-hour costs its operator: a rent, or the parts of ownership; storage for on-disk KV on top.
struct GpuHourCost {
  std::optional<UsdPerSecond> rent;
  std::optional<OwnedGpu> owned;
  UsdPerSecond kv_storage{0};  ///< per GPU

  [[nodiscard]] UsdPerSecond total() const;
};

}  // namespace tokenomics
