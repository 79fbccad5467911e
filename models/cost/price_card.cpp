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
  TOKENOMICS_CHECK(window.from_hour >= 0.0 && window.from_hour < 24.0 && window.to_hour >= 0.0 && window.to_hour <= 24.0,
                   std::to_string(window.from_hour) + " to " + std::to_string(window.to_hour));
}

void check_share(const char* name, double share) {
  TOKENOMICS_CHECK(share >= 0.0 && share <= 1.0, std::string(name) + " = " + std::to_string(share));
}

template <typename Volume>
Usd realised(const PriceCard& card, const Volume& volume, const Realisation& realisation) {
  check_share("free_share", realisation.free_share);
  check_share("other_model_share", realisation.other_model_share);
  const double other = realisation.other_model_share;
  TOKENOMICS_CHECK(other == 0.0 || realisation.other_model, "a share of another model without its prices");
  Usd paid = (1.0 - other) * revenue(card, volume);
  if (other > 0.0) paid += other * revenue(*realisation.other_model, volume);
  return (1.0 - realisation.free_share) * paid;
}

}  // namespace

bool is_in_hours(double from_hour, double to_hour, double hour) {
  const bool after_start = hour >= from_hour, before_end = hour < to_hour;
  return from_hour > to_hour ? after_start || before_end : after_start && before_end;
}

const TokenPrices& PriceCard::at(double hour) const {
  TOKENOMICS_CHECK(hour >= 0.0 && hour < 24.0, "hour = " + std::to_string(hour));
  if (!off_peak) return standard;
  check_window(*off_peak);
  return is_in_hours(off_peak->from_hour, off_peak->to_hour, hour) ? off_peak->prices : standard;
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
  if (from <= to) return overlap(from, to, hour, hour + 1);
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

SplitVolume split_as(const TokenVolume& sample_off_peak, const TokenVolume& sample, const TokenVolume& all) {
  const auto off_peak = [](double off, double both, double total) { return both > 0 ? total * off / both : 0.0; };
  SplitVolume split;
  split.off_peak = {off_peak(sample_off_peak.input_computed, sample.input_computed, all.input_computed),
                    off_peak(sample_off_peak.input_cached, sample.input_cached, all.input_cached),
                    off_peak(sample_off_peak.output, sample.output, all.output)};
  split.standard = {all.input_computed - split.off_peak.input_computed, all.input_cached - split.off_peak.input_cached,
                    all.output - split.off_peak.output};
  return split;
}

Usd revenue(const PriceCard& card, const SplitVolume& volume) {
  const Usd standard = revenue(card.standard, volume.standard);
  return standard + revenue(card.off_peak ? card.off_peak->prices : card.standard, volume.off_peak);
}

Usd realised_revenue(const PriceCard& card, const DailyVolume& volume, const Realisation& realisation) {
  return realised(card, volume, realisation);
}

Usd realised_revenue(const PriceCard& card, const SplitVolume& volume, const Realisation& realisation) {
  return realised(card, volume, realisation);
}

UsdPerToken blended_3_1(const TokenPrices& prices) { return (3.0 * prices.input + prices.output) / 4.0; }

}  // namespace tokenomics
