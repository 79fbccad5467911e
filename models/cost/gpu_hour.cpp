#include "tokenomics/cost/gpu_hour.hpp"

#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

constexpr double kJoulesPerKwh = 3.6e6;

}  // namespace

/// Payment per year A = (C - R (1 + r)^-n) r / (1 - (1 + r)^-n), with capex C [USD], residual R [USD] at the end of
/// n years, cost of capital r per year, paid at year ends; for r = 0 it is straight-line, A = (C - R) / n.
/// The textbook capital recovery factor; paying monthly instead would lower A by about r / 2.
UsdPerSecond capital_rate(const OwnedGpu& gpu) {
  TOKENOMICS_CHECK(gpu.life_years > 0.0, "life_years = " + std::to_string(gpu.life_years));
  const double r = gpu.cost_of_capital;
  const double n = gpu.life_years;
  const Usd residual = gpu.residual_share * gpu.capex;
  // expm1 and log1p: exact also for a cost of capital near 0.
  const double interest_share = -std::expm1(-n * std::log1p(r));  // 1 - (1 + r)^-n
  const double recovery_per_year = r == 0.0 ? 1.0 / n : r / interest_share;
  return (gpu.capex - residual * (1.0 - interest_share)) * recovery_per_year / Seconds{kHoursPerYear * kSecondsPerHour};
}

/// (capital + P PUE tariff + hosting + staff) (1 + spares). Power P [W], tariff [USD/J]. Spares are counted as if they
/// were powered too: hot spares; a few percent of the power share at most.
UsdPerSecond ownership_rate(const OwnedGpu& gpu) {
  const auto tariff = Usd{gpu.usd_per_kwh} / Joules{kJoulesPerKwh};
  const UsdPerSecond power = gpu.power * gpu.pue * tariff;
  return (capital_rate(gpu) + power + gpu.hosting + gpu.staff) * (1.0 + gpu.spares_share);
}

UsdPerSecond GpuHourCost::gpu() const {
  TOKENOMICS_CHECK(rent.has_value() != owned.has_value(), rent ? "both rent and owned" : "neither rent nor owned");
  return rent ? *rent : ownership_rate(*owned);
}

std::optional<double> break_even_utilization(Usd cost_of_having, Usd revenue_when_full) {
  if (revenue_when_full <= Usd{0}) return std::nullopt;
  return cost_of_having / revenue_when_full;
}

UsdPerSecond break_even_gpu_price(Usd revenue, Seconds gpu_time, UsdPerSecond kv_storage) {
  TOKENOMICS_CHECK(gpu_time > Seconds{0}, "gpu_time = " + std::to_string(gpu_time.value()) + " s");
  return revenue / gpu_time - kv_storage;
}

UsdPerSecond matching_gpu_price(UsdPerToken rival_cost, TokensPerSecond own_per_gpu) { return rival_cost * own_per_gpu; }

}  // namespace tokenomics
