#pragma once

#include <limits>
#include <string>
#include <variant>

#include "tokenomics/cost/price_card.hpp"

/// How a provider changes its price card from one period to the next.
namespace tokenomics {

/// Prices stay.
struct HoldPrices {};

/// Revenue = cost / (1 - margin), at the volume of the period that ended.
struct TargetMargin {
  double margin_over_revenue = 0;  ///< below 1
  /// A fleet that is nearly empty is priced as if it served this share of its capacity; else its few answers would have
  /// to pay for all of it, and the price would climb without end.
  double least_load = 0.1;
};

/// `ratio` times the blended 3:1 price of a rival, as it was in the period that ended. Without that rival: hold.
struct FollowRival {
  std::string rival;
  double ratio = 1;
};

struct PricingRule {
  std::variant<HoldPrices, TargetMargin, FollowRival> rule;
  double damping = 0.5;  ///< share of the way to the target, in logarithms, that one period goes: (0, 1]
  UsdPerToken floor{0};  ///< of the blended 3:1 price
  UsdPerToken ceiling{std::numeric_limits<double>::infinity()};
};

/// One damped step of the card towards a target blended price, in its own ratios:
/// ln p' = ln p + damping (ln target - ln p), then kept in [floor, ceiling]. A price of 0 has no ratios and stays 0. A price
/// at its floor leaves it as soon as the target lies above. Needs target > 0.
TokenPrices step_towards(const TokenPrices& prices, UsdPerToken target_blended, const PricingRule& rule);

/// The card times a factor.
TokenPrices scaled(const TokenPrices& prices, double factor);

}  // namespace tokenomics
