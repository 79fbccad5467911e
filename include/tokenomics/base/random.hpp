#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tokenomics {

/// The middle of one of 2^52 equal cells of (0, 1). 52 bits, not 53: with 53 the half would round up to 1 at the top.
constexpr double open_unit(std::uint64_t bits) { return (static_cast<double>(bits >> 12) + 0.5) * 0x1.0p-52; }

/// A named stream of random numbers: Philox4x64 (Salmon et al., SC'11, through Random123) keyed by (seed, name, index).
/// The same seed, name and index give the same numbers on any machine, thread or shard, whatever else draws.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index = 0);

  std::uint64_t bits();
  /// Uniform in the open interval (0, 1): both ends excluded, so log(u) and quantiles are finite.
  double uniform() { return open_unit(bits()); }
  /// Exponential with mean 1, by inversion: -log(u).
  double exponential();
  /// Standard normal, by inversion (Acklam's rational approximation with one Halley step; error below 1e-15).
  double normal();
  /// Uniform integer in [0, n), n >= 1 (multiply-shift; bias below n / 2^64).
  std::uint64_t below(std::uint64_t n);

 private:
  void refill();

  std::array<std::uint64_t, 2> key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint64_t, 4> block_{};
  unsigned used_ = 4;
};

/// Quantile of the standard normal law for u in (0, 1).
double normal_quantile(double u);

/// 64-bit FNV-1a: names of random streams and of resolved scenarios.
std::uint64_t fnv1a(std::string_view text);

}  // namespace tokenomics
