#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/market/equilibrium.hpp"
#include "tokenomics/market/money.hpp"

/// What a period brought, for every provider and segment; parts add up to the whole to the millionth of a USD.
namespace tokenomics {

using Date = std::chrono::sys_days;

/// One provider's business with one segment in one period.
struct MarketCell {
  double share = 0;    ///< of the segment's demand, sent here
  double served = 0;   ///< requests
  double refused = 0;  ///< above capacity
  double left = 0;     ///< gave up waiting
  TokenVolume tokens;  ///< of the served
  MicroUsd revenue;
  MicroUsd cost;  ///< its part of the provider's cost, in the ratio of the work served
};

struct ProviderPeriod {
  std::string name;
  TokenPrices prices;
  TokensPerSecond load{0};
  ServiceAt service;
  std::vector<MarketCell> segments;
  MicroUsd revenue;    ///< of all segments
  MicroUsd cost;       ///< of having the fleet: the segments' parts and `idle_cost`
  MicroUsd idle_cost;  ///< the whole cost when nothing was served, else 0

  [[nodiscard]] MicroUsd margin() const { return revenue - cost; }
  [[nodiscard]] TokenVolume tokens() const;
};

struct SegmentPeriod {
  std::string name;
  double demand = 0;   ///< requests: served + refused + left + outside
  double outside = 0;  ///< requests not sent to anybody
  double inclusive_value = 0;
};

struct MarketPeriod {
  Date begin;
  Seconds length{0};
  std::vector<std::string> events;  ///< labels of what took effect at the beginning
  std::vector<ProviderPeriod> providers;
  std::vector<SegmentPeriod> segments;
  MicroUsd revenue;
  MicroUsd cost;
  Convergence convergence;

  /// The provider of that name, or nothing when it is not in the market.
  [[nodiscard]] const ProviderPeriod* find(const std::string& name) const;
};

/// Accounts of one period at an equilibrium. Revenue of a cell is its tokens at the provider's card, rounded to a millionth;
/// everything else is a sum or a split of integers.
MarketPeriod account(const Market& market, const Equilibrium& equilibrium, Date begin, Seconds length);

/// Whose tokens are counted. Empty lists: all.
struct Population {
  std::vector<std::string> providers;
  std::vector<std::string> segments;
};

/// Tokens (input, cached input and output) that a provider served to these segments, over what these providers served to
/// them: "DeepSeek's share of DeepSeek-model tokens". Absent when the population served none.
std::optional<double> token_share(const MarketPeriod& period, const std::string& provider, const Population& population);

}  // namespace tokenomics
