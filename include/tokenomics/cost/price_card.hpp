#pragma once

#include <array>
#include <optional>

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

  TokenVolume& operator+=(const TokenVolume& other) {
    input_computed += other.input_computed;
    input_cached += other.input_cached;
    output += other.output;
    return *this;
  }
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

/// Volume of each hour of a day, from hour 0 on; within an hour it is spread evenly.
using DailyVolume = std::array<TokenVolume, 24>;

/// What users pay for these tokens.
Usd revenue(const TokenPrices& prices, const TokenVolume& volume);

/// Whether an hour of the day, 0 <= hour < 24, is in a daily window [from, to), which may wrap midnight; from = to: empty.
bool is_in_hours(double from_hour, double to_hour, double hour);

/// Tokens at standard and at off-peak hours.
struct SplitVolume {
  TokenVolume standard, off_peak;
};

/// `all` split as a sample of it is, class by class; what the sample has none of is at standard hours.
SplitVolume split_as(const TokenVolume& sample_off_peak, const TokenVolume& sample, const TokenVolume& all);

/// Share of the hour [hour, hour + 1) inside the off-peak window; 0 without one. A window with from = to is empty.
double off_peak_share(const PriceCard& card, int hour);

/// What users pay on one day at the card's prices of each hour.
Usd revenue(const PriceCard& card, const DailyVolume& volume);

/// What users pay for these tokens at the card's prices.
Usd revenue(const PriceCard& card, const SplitVolume& volume);

/// Why realised revenue is below the list: tokens of a cheaper model, and tokens nobody pays for. Shares are of all
/// tokens, alike in every class and hour; off-peak hours and cache hits enter through the card and the volumes.
struct Realisation {
  double free_share = 0;                 ///< of all tokens
  double other_model_share = 0;          ///< of the paid tokens
  std::optional<PriceCard> other_model;  ///< needed when its share is above 0
};

/// realised = (1 - free) [(1 - other) revenue(card) + other revenue(other model)].
Usd realised_revenue(const PriceCard& card, const DailyVolume& volume, const Realisation& realisation);
Usd realised_revenue(const PriceCard& card, const SplitVolume& volume, const Realisation& realisation);

/// (3 x input + output) / 4, the trade's blend: 0.96 USD/M for R1's list. Cached input does not enter.
UsdPerToken blended_3_1(const TokenPrices& prices);

}  // namespace tokenomics
