#pragma once

#include <optional>

#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// An owned GPU, per GPU. Capital is paid back as an annuity over its life.
struct OwnedGpu {
  Usd capex{0};                ///< GPU with its share of host, network and installation
  double cost_of_capital = 0;  ///< per year
  double life_years = 4;
  double residual_share = 0;  ///< of capex, at the end of life
  Watts power{0};             ///< at the wall of the server, all-in share per GPU
  double pue = 1.0;
  double usd_per_kwh = 0;
  UsdPerSecond hosting{0};
  UsdPerSecond staff{0};
  double spares_share = 0;  ///< extra GPUs held against failures
};

/// What a GPU-hour costs its operator: a rent, or the parts of ownership; storage for on-disk KV on top.
struct GpuHourCost {
  std::optional<UsdPerSecond> rent;
  std::optional<OwnedGpu> owned;
  UsdPerSecond kv_storage{0};  ///< per GPU

  /// Without storage. Exactly one of rent and owned must be given.
  [[nodiscard]] UsdPerSecond gpu() const;
  /// With storage.
  [[nodiscard]] UsdPerSecond total() const { return gpu() + kv_storage; }
};

/// Hours in the year over which capital is paid back: 365 days, the trade's convention.
inline constexpr double kHoursPerYear = 8760.0;

/// Capital cost of one GPU per second: equal payments over its life that pay back the capex at the cost of capital,
/// less the residual value at the end. Needs life_years > 0.
UsdPerSecond capital_rate(const OwnedGpu& gpu);

/// What one owned GPU in service costs: capital, power, hosting, staff, all of them also for its share of spares.
UsdPerSecond ownership_rate(const OwnedGpu& gpu);

/// Share of full load at which revenue pays for the whole fleet: cost of having / revenue when full. Above 1 no load
/// pays for it; absent when full load earns nothing.
std::optional<double> break_even_utilization(Usd cost_of_having, Usd revenue_when_full);

/// GPU price at which this revenue pays for this many GPU-seconds and their storage; negative when the revenue does
/// not even pay for the storage. Needs gpu_time > 0.
UsdPerSecond break_even_gpu_price(Usd revenue, Seconds gpu_time, UsdPerSecond kv_storage);

/// GPU price at which a token costs as much as a rival's: cost per token x own tokens per second and GPU.
UsdPerSecond matching_gpu_price(UsdPerToken rival_cost, TokensPerSecond own_per_gpu);

}  // namespace tokenomics
