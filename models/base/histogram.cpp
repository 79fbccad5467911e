#include "tokenomics/base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

__extension__ typedef unsigned __int128 uint128;

constexpr unsigned kOctaveBits = 9;
constexpr std::uint64_t kPerOctave = 1ULL << kOctaveBits;

/// Integers below 1024 have a bucket each. Above, bucket = 512 s + (v >> s) with s such that 512 <= v >> s < 1024, so
/// a bucket is at most 1/512 of its values wide and its middle at most 1/1024 < 0.1% away from any of them.
std::size_t bucket_of(std::int64_t value) {
  const auto v = static_cast<std::uint64_t>(value);
  const auto width = static_cast<unsigned>(std::bit_width(v));
  const unsigned s = width > kOctaveBits + 1 ? width - kOctaveBits - 1 : 0;
  return kPerOctave * s + (v >> s);
}

struct Edges {
  std::uint64_t low;
  std::uint64_t high;  ///< included
};

Edges edges_of(std::size_t bucket) {
  if (bucket < 2 * kPerOctave) return {bucket, bucket};
  const std::uint64_t s = bucket / kPerOctave - 1;
  const std::uint64_t low = (bucket - kPerOctave * s) << s;
  return {low, low + ((1ULL << s) - 1)};
}

/// Terms of the series v_k = low + (high - low) k / (n - 1), k = 0 .. n - 1, that round to at most `edge`:
/// v_k < edge + 1/2  <=>  k < (2 (edge - low) + 1) (n - 1) / (2 (high - low)). Needs low <= edge < high and n >= 2.
std::uint64_t terms_at_most(std::uint64_t edge, std::uint64_t low, std::uint64_t high, std::uint64_t n) {
  const uint128 numerator = static_cast<uint128>(2 * (edge - low) + 1) * (n - 1);
  const uint128 denominator = 2 * static_cast<uint128>(high - low);
  return static_cast<std::uint64_t>((numerator + denominator - 1) / denominator);
}

}  // namespace

void Histogram::put(std::size_t bucket, std::uint64_t count) {
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  buckets_[bucket] += count;
}

void Histogram::add(std::int64_t value, std::uint64_t count) {
  TOKENOMICS_CHECK(value >= 0, "value = " + std::to_string(value));
  if (count == 0) return;
  put(bucket_of(value), count);
  count_ += count;
  twice_sum_ += 2 * static_cast<int128>(value) * count;
  max_ = std::max(max_, value);
}

void Histogram::add_range(std::int64_t low, std::int64_t high, std::uint64_t count) {
  TOKENOMICS_CHECK(low >= 0 && low <= high, "low = " + std::to_string(low) + ", high = " + std::to_string(high));
  if (count == 0) return;
  const std::int64_t middle = low + (high - low) / 2;
  const std::size_t last = bucket_of(count == 1 ? middle : high);
  std::uint64_t placed = 0;
  for (std::size_t bucket = bucket_of(count == 1 ? middle : low); bucket < last; ++bucket) {
    const std::uint64_t up_to =
        terms_at_most(edges_of(bucket).high, static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high), count);
    if (up_to > placed) put(bucket, up_to - placed);
    placed = up_to;
  }
  put(last, count - placed);
  count_ += count;
  twice_sum_ += (static_cast<int128>(low) + high) * count;
  max_ = std::max(max_, count == 1 ? middle : high);
}

void Histogram::merge(const Histogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  twice_sum_ += other.twice_sum_;
  max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
  if (count_ == 0) return 0.0;
  const int128 twice_count = 2 * static_cast<int128>(count_);
  const int128 whole = twice_sum_ / twice_count;  // apart, so that a long sum is not rounded before it is divided
  return static_cast<double>(whole) + static_cast<double>(twice_sum_ % twice_count) / static_cast<double>(twice_count);
}

double Histogram::quantile(double q) const {
  TOKENOMICS_CHECK(count_ > 0 && q > 0.0 && q <= 1.0, "count = " + std::to_string(count_) + ", q = " + std::to_string(q));
  // Two units in the last place are forgiven: 0.07 * 100 is 7.000000000000001 in binary and still means rank 7.
  const double rank = std::ceil(q * static_cast<double>(count_) * (1.0 - 0x1.0p-51));
  const std::uint64_t wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
  // The first bucket with `wanted` observations in it and below has at most count - wanted above it. Found from above:
  // times in nanoseconds leave most of the buckets below them empty, and few above the median.
  std::uint64_t above = 0;
  std::size_t bucket = buckets_.size() - 1;
  while ((above += buckets_[bucket]) <= count_ - wanted) --bucket;
  const auto [low, high] = edges_of(bucket);
  return std::min(static_cast<double>(low) + 0.5 * static_cast<double>(high - low), static_cast<double>(max_));
}

std::uint64_t Histogram::count_at_most(std::int64_t value) const {
  if (value < 0) return 0;
  const std::size_t end = std::min(bucket_of(value) + 1, buckets_.size());
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < end; ++bucket) seen += buckets_[bucket];
  return seen;
}

}  // namespace tokenomics
