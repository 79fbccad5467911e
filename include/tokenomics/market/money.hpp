#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "tokenomics/units/quantity.hpp"

/// Money in accounts whose parts add up to the whole exactly: integers, so that the order of a sum does not matter.
namespace tokenomics {

/// A whole number of millionths of a USD: a cent is 10,000; the range is 9 million million USD.
struct MicroUsd {
  std::int64_t value = 0;

  friend constexpr MicroUsd operator+(MicroUsd a, MicroUsd b) { return {a.value + b.value}; }
  friend constexpr MicroUsd operator-(MicroUsd a, MicroUsd b) { return {a.value - b.value}; }
  constexpr MicroUsd& operator+=(MicroUsd other) {
    value += other.value;
    return *this;
  }
  friend constexpr auto operator<=>(MicroUsd, MicroUsd) = default;
};

/// The nearest millionth. Amounts beyond 4e12 USD are a broken contract.
MicroUsd to_micro_usd(Usd amount);
constexpr Usd to_usd(MicroUsd amount) { return Usd{static_cast<double>(amount.value) * 1e-6}; }

/// Parts in the ratio of `weights` (>= 0, not all 0) that add up to `whole` >= 0: each is rounded down, and the millionths
/// left over go to the largest remainders, the first of equal ones (Hamilton's method).
std::vector<MicroUsd> split(MicroUsd whole, const std::vector<double>& weights);

}  // namespace tokenomics
