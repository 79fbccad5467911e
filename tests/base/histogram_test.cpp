#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "tokenomics/base/histogram.hpp"

using namespace tokenomics;

namespace {

/// Positive integers over the whole range of nanoseconds, small and large ones equally likely.
rc::Gen<std::int64_t> any_value() {
  return rc::gen::mapcat(rc::gen::inRange(1, 62), [](int bits) { return rc::gen::inRange<std::int64_t>(0, 1LL << bits); });
}

bool same(const Histogram& a, const Histogram& b) {
  bool equal = a.count() == b.count() && a.mean() == b.mean() && a.max() == b.max();
  for (double q = 0.01; equal && q <= 1.0; q += 0.01) equal = a.quantile(q) == b.quantile(q);
  return equal;
}

}  // namespace

TEST_CASE("small integers are counted exactly", "[base]") {
  Histogram h;
  for (std::int64_t v = 1; v <= 1000; ++v) h.add(v);
  CHECK(h.count() == 1000);
  CHECK(h.mean() == 500.5);
  CHECK(h.quantile(0.5) == 500.0);
  CHECK(h.quantile(0.99) == 990.0);
  CHECK(h.quantile(0.07) == 70.0);  // 0.07 * 1000 is 70.00000000000001 in binary
  CHECK(h.quantile(1.0) == 1000.0);
  CHECK(h.quantile(1e-9) == 1.0);
  CHECK(h.count_at_most(250) == 250);
  CHECK(h.count_at_most(0) == 0);
  CHECK(h.max() == 1000);
}

TEST_CASE("zero has a bucket of its own", "[base]") {
  Histogram h;
  h.add(0, 3);
  h.add(1);
  CHECK(h.count_at_most(0) == 3);
  CHECK(h.quantile(0.75) == 0.0);
  CHECK(h.quantile(0.76) == 1.0);
  CHECK(h.mean() == 0.25);
}

TEST_CASE("an empty histogram has no quantile, and negative values are a broken contract", "[base]") {
  Histogram h;
  CHECK(h.count() == 0);
  CHECK(h.mean() == 0.0);
  CHECK_THROWS_AS(h.quantile(0.5), std::logic_error);
  CHECK_THROWS_AS(h.add(-1), std::logic_error);
  CHECK_THROWS_AS(h.add_range(5, 4, 1), std::logic_error);
  h.add(1);
  CHECK_THROWS_AS(h.quantile(0.0), std::logic_error);
  CHECK_THROWS_AS(h.quantile(1.5), std::logic_error);
}

TEST_CASE("the mean stays exact where a sum of doubles or 64-bit integers would not", "[base]") {
  // 3 x (2^62 - 1) does not fit 64 bits; with one observation of 3 the mean is (3 x (2^62 - 1) + 3) / 4 = 3 x 2^60.
  Histogram h;
  h.add((std::int64_t{1} << 62) - 1, 3);
  h.add(3);
  CHECK(h.mean() == 3.0 * 0x1.0p60);
}

TEST_CASE("the largest integer has a bucket", "[base]") {
  Histogram h;
  h.add(INT64_MAX);
  CHECK(h.quantile(0.5) == Approx(0x1.0p63).epsilon(0.001));
  CHECK(h.count_at_most(INT64_MAX) == 1);
}

TEST_CASE("any quantile is within 0.1% of the exact order statistic", "[base]") {
  rc::prop("quantile against a full sort", [] {
    auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(any_value()));
    const int percent = *rc::gen::inRange(1, 101);
    Histogram h;
    for (const auto v : values) h.add(v);
    std::sort(values.begin(), values.end());
    const std::size_t rank = (values.size() * static_cast<std::size_t>(percent) + 99) / 100;
    const auto exact = static_cast<double>(values[rank - 1]);
    RC_ASSERT(std::abs(h.quantile(percent / 100.0) - exact) <= 0.001 * exact);
    RC_ASSERT(h.max() == values.back());
  });
}

TEST_CASE("merging parts gives the whole, however the values were split", "[base]") {
  rc::prop("merge", [] {
    const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(any_value()));
    const auto parts = *rc::gen::container<std::vector<int>>(values.size(), rc::gen::inRange(0, 4));
    Histogram whole, split[4], merged;
    for (std::size_t i = 0; i < values.size(); ++i) {
      whole.add(values[i]);
      split[parts[i]].add(values[i]);
    }
    for (const int i : {2, 0, 3, 1}) merged.merge(split[i]);
    RC_ASSERT(same(merged, whole));
  });
}

TEST_CASE("a range is the arithmetic series added one by one", "[base]") {
  // 10, 20, ..., 50: mean 30, two at or below 20.
  Histogram h;
  h.add_range(10, 50, 5);
  CHECK(h.count() == 5);
  CHECK(h.mean() == 30.0);
  CHECK(h.count_at_most(9) == 0);
  CHECK(h.count_at_most(10) == 1);
  CHECK(h.count_at_most(29) == 2);
  CHECK(h.count_at_most(30) == 3);
  CHECK(h.count_at_most(50) == 5);
  CHECK(h.max() == 50);

  rc::prop("buckets, count and sum", [] {
    const std::int64_t low = *rc::gen::inRange<std::int64_t>(0, 40'000'000);
    const std::int64_t step = *rc::gen::inRange<std::int64_t>(0, 200'000);
    const std::int64_t count = *rc::gen::inRange<std::int64_t>(2, 300);
    const std::int64_t high = low + step * (count - 1);
    Histogram at_once, one_by_one;
    at_once.add_range(low, high, static_cast<std::uint64_t>(count));
    for (std::int64_t k = 0; k < count; ++k) one_by_one.add(low + step * k);
    RC_ASSERT(same(at_once, one_by_one));
  });
}

TEST_CASE("a range conserves its count and its mean whatever its ends", "[base]") {
  rc::prop("conservation", [] {
    const auto low = *any_value();
    const auto high = low + *any_value();
    const auto count = *rc::gen::inRange<std::uint64_t>(0, 1'000'000'000);
    Histogram h;
    h.add_range(low, high, count);
    RC_ASSERT(h.count() == count);
    RC_ASSERT(h.count_at_most(INT64_MAX) == count);
    const double middle = static_cast<double>(low) + 0.5 * static_cast<double>(high - low);
    if (count > 0) RC_ASSERT(std::abs(h.mean() - middle) <= 1e-15 * middle);
    if (low > 0) RC_ASSERT(h.count_at_most(low - low / 256 - 1) == 0u);
  });
}
