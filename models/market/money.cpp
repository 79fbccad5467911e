#include "tokenomics/market/money.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

MicroUsd to_micro_usd(Usd amount) {
  const double micro = amount.value() * 1e6;
  TOKENOMICS_CHECK(std::abs(micro) <= 4e18, std::to_string(amount.value()) + " USD");
  return {static_cast<std::int64_t>(std::llround(micro))};
}

std::vector<MicroUsd> split(MicroUsd whole, const std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  TOKENOMICS_CHECK(whole.value >= 0 && sum > 0.0, std::to_string(whole.value) + " by " + std::to_string(sum));
  std::vector<MicroUsd> parts;
  std::vector<double> remainder;
  MicroUsd left = whole;
  for (const double w : weights) {
    TOKENOMICS_CHECK(w >= 0.0, "weight = " + std::to_string(w));
    const double exact = static_cast<double>(whole.value) * (w / sum);
    parts.push_back({std::min(static_cast<std::int64_t>(exact), left.value)});  // rounding may pass the whole by a little
    remainder.push_back(exact - static_cast<double>(parts.back().value));
    left = left - parts.back();
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return remainder[a] > remainder[b]; });
  // Fewer than one for each part is left, but for amounts whose doubles are coarser than a millionth.
  const auto n = static_cast<std::int64_t>(order.size());
  for (std::int64_t i = 0; i < n; ++i) parts[order[i]].value += left.value / n + (i < left.value % n ? 1 : 0);
  return parts;
}

}  // namespace tokenomics
