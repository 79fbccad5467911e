#include "tokenomics/cost/price_card.hpp"

#include <algorithm>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Length of the part that [from, to) and [begin, end) share.
double overlap(double from, double to, double begin, double end) {
  return std::max(0.0, std::min(to, end) - std::max(from, begin));
}

void check_window(const PriceCard::OffPeak& window) {
  const auto on_clock = [](double hour) { return hour >= 0.0 && hour < 24.0; };
  TOKENOMICS_CHECK(on_clock(window.from_hour) && on_clock(window.to_hour),
                   std::to_string(window.from_hour) + " to " + std::to_string(window.to_hour));
}

bool wraps(const PriceCard::OffPeak& window) { return window.from_hour > window.to_hour; }

void check_share(const char* name, double share) {
  TOKENOMICS_CHECK(share >= 0.0 && share <= 1.0, std::string(name) + " = " + std::to_string(share));
}

}  // namespace

const TokenPrices& PriceCard::at(double hour) const {
  TOKENOMICS_CHECK(hour >= 0.0 && hour < 24.0, "hour = " + std::to_string(hour));
  if (!off_peak) return standard;
  check_window(*off_peak);
  const bool after_start = hour >= off_peak->from_hour;
  const bool before_end = hour < off_peak->to_hour;
  const bool inside = wraps(*off_peak) ? after_start || before_end : after_start && before_end;
  return inside ? off_peak->prices : standard;
}

Usd revenue(const TokenPrices& prices, const TokenVolume& volume) {
  return prices.input * Tokens{volume.input_computed} +
         prices.input_cached.value_or(prices.input) * Tokens{volume.input_cached} + prices.output * Tokens{volume.output};
}

double off_peak_share(const PriceCard& card, int hour) {
  if (!card.off_peak) return 0.0;
  check_window(*card.off_peak);
  const double from = card.off_peak->from_hour;
  const double to = card.off_peak->to_hour;
  if (!wraps(*card.off_peak)) return overlap(from, to, hour, hour + 1);
  return overlap(from, 24.0, hour, hour + 1) + overlap(0.0, to, hour, hour + 1);
}

Usd revenue(const PriceCard& card, const DailyVolume& volume) {
  Usd sum{0};
  for (int hour = 0; hour < 24; ++hour) {
    const TokenVolume& tokens = volume[static_cast<std::size_t>(hour)];
    const double share = off_peak_share(card, hour);
    if (share < 1.0) sum += (1.0 - share) * revenue(card.standard, tokens);
    if (share > 0.0) sum += share * revenue(card.off_peak->prices, tokens);
  }
  return sum;
}

Usd realised_revenue(const PriceCard& card, const DailyVolume& volume, const Realisation& realisation) {
  check_share("free_share", realisation.free_share);
  check_share("other_model_share", realisation.other_model_share);
  const double other = realisation.other_model_share;
  TOKENOMICS_CHECK(other == 0.0 || realisation.other_model, "a share of another model without its prices");
  Usd paid = (1.0 - other) * revenue(card, volume);
  if (other > 0.0) paid += other * revenue(*realisation.other_model, volume);
  return (1.0 - realisation.free_share) * paid;
}

UsdPerToken blended_3_1(const TokenPrices& prices) { return (3.0 * prices.input + prices.output) / 4.0; }

}  // namespace tokenomics
