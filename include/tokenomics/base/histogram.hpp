#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenomics {

__extension__ typedef __int128 int128;

/// Counts of positive integers in logarithmic buckets, 512 to the octave: any percentile within 0.1% of the exact
/// order statistic (tested), constant memory, and merging is exact integer addition, so the number of threads or
/// shards cannot change a result. (The idea of HdrHistogram and DDSketch; neither is packaged for C++ here.)
/// The sum is kept in 128-bit integers for the same reason: doubles summed in another order differ.
class Histogram {
 public:
  /// Adds `count` observations of `value`; negative values are a broken contract. Zero has a bucket of its own.
  void add(std::int64_t value, std::uint64_t count = 1);
  /// Adds the arithmetic series of `count` observations from low to high (both included, each to the nearest integer):
  /// the gaps of a run of steps that grow by a constant. One observation lands in the middle. The sum grows by exactly
  /// count * (low + high) / 2. Costs O(buckets touched), whatever the count.
  void add_range(std::int64_t low, std::int64_t high, std::uint64_t count);
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Mean of all observations (exact up to one rounding); 0 when empty: ask count() first.
  [[nodiscard]] double mean() const;
  /// Mid-point (at most max()) of the first bucket with at least share q of the observations in it and below,
  /// 0 < q <= 1. Asking an empty histogram is a broken contract.
  [[nodiscard]] double quantile(double q) const;
  [[nodiscard]] std::int64_t max() const { return max_; }
  /// Number of observations at or below `value`, exact to the bucket.
  [[nodiscard]] std::uint64_t count_at_most(std::int64_t value) const;

 private:
  void put(std::size_t bucket, std::uint64_t count);

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  int128 twice_sum_ = 0;  ///< doubled, so that the half of add_range stays an integer
  std::int64_t max_ = 0;
};

}  // namespace tokenomics
