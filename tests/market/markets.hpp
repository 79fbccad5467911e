#pragma once

#include <string>
#include <vector>

#include "tokenomics/market/equilibrium.hpp"

/// Small markets whose answers can be worked out by hand.
namespace tokenomics::test {

/// Points of a provider of that capacity whose ttft is 1 / (1 - load / capacity) and speed 60 (1 - 0.8 load / capacity).
inline ResponseSurface queue(double capacity, double usd_hour = 16) {
  std::vector<ServicePoint> points;
  for (const double u : {0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99}) {
    points.push_back({TokensPerSecond{u * capacity}, Seconds{1.0 / (1.0 - u)}, TokensPerSecond{60.0 * (1.0 - 0.8 * u)}, u,
                      1.0, 8, usd_per_hour(usd_hour)});
  }
  return ResponseSurface(points);
}

/// The same service at any load up to the capacity.
inline ResponseSurface flat(double capacity, double usd_hour = 16) {
  const auto at = [&](double load) {
    return ServicePoint{TokensPerSecond{load}, Seconds{1}, TokensPerSecond{50}, load / capacity, 1.0, 8,
                        usd_per_hour(usd_hour)};
  };
  return ResponseSurface({at(capacity / 100), at(capacity)});
}

inline TokenPrices card(double usd_per_million) {
  return {usd_per_mtok(usd_per_million), {}, usd_per_mtok(usd_per_million)};
}

inline MarketProvider provider(const std::string& name, double usd_per_million, ResponseSurface service) {
  return {name, card(usd_per_million), std::move(service), 128e3, {}, {}, {}};
}

/// 1,000 input and 1,000 output tokens an answer: one answer per second is a load of 1,000.
inline Segment segment(double requests, double log_price = -2, double log_seconds = 0) {
  Segment s;
  s.name = "chat";
  s.requests = PerSecond{requests};
  s.tokens = {1000, 0, 1000};
  s.weights.log_price = log_price;
  s.weights.log_seconds = log_seconds;
  return s;
}

}  // namespace tokenomics::test
