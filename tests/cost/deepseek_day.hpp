#pragma once

#include <array>

#include "tokenomics/cost/price_card.hpp"

namespace tokenomics::deepseek_day {

// DeepSeek's published day, 2025-02-27 12:00 to 02-28 12:00 Beijing time (deepseek-ai/open-infra-index, day 6, commit
// 56d86855). Hours are local, index 0 is midnight.

/// Hourly theoretical income in USD: bar heights of the published chart, scaled to the stated sum, +-60 USD each.
inline constexpr std::array<double, 24> kHourlyIncome = {21744, 17958, 13138, 7975,  6368,  6368,  7975,  13712,
                                                         23121, 29432, 30465, 29891, 27023, 28514, 30465, 30924,
                                                         30465, 27826, 26793, 29547, 30695, 30809, 31039, 29777};

inline constexpr double kNodes = 226.75;       ///< mean over the day
inline constexpr double kPrefillNodes = 95.5;  ///< 608e9 / 86400 s / 73.7e3 tok/s per node
inline constexpr double kGpusPerNode = 8;
inline constexpr TokenVolume kTokens{266e9, 342e9, 168e9};

inline TokenPrices card(double input, double cached, double output) {
  return {usd_per_mtok(input), usd_per_mtok(cached), usd_per_mtok(output)};
}
inline TokenPrices r1_list() { return card(0.55, 0.14, 2.19); }
inline TokenPrices v3_list() { return card(0.27, 0.07, 1.10); }

}  // namespace tokenomics::deepseek_day
