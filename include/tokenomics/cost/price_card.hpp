#pragma once

#include <optional>
#include <vector>

#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// What a user pays per token. Without a cached price, cached input costs as much as computed input.
struct TokenPrices {
  UsdPerToken input;
  std::optional<UsdPerToken> input_cached;
  UsdPerToken output;
};

/// Tokens served, by price class.
struct TokenVolume {
  double input_computed = 0;
  double input_cached = 0;
  double output = 0;
};

/// A price card: standard prices, and other prices inside a daily window (may wrap midnight) in local hours [0, 24).
struct PriceCard {
  struct OffPeak {
    double from_hour = 0;
    double to_hour = 0;
    TokenPrices prices;
  };
  TokenPrices standard;
  std::optional<OffPeak> off_peak;

  /// Prices at an hour of the day, 0 <= hour < 24.
  [[nodiscard]] const TokenPrices& at(double hour) const;
};

Usd revenue(const TokenPrices& prices, const TokenVolume& volume);

/// (3 x input + output) / 4, the trade's blend: 0.96 USD/M for R1's list. Cached input does not enter.
UsdPerToken blended_3_1(const TokenPrices& prices);

}  // namespace tokenomics
