#include <concepts>
#include <type_traits>

#include "support/catch.hpp"

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/units/quantity.hpp"

using namespace tokenomics;
using namespace tokenomics::literals;

namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Subtractable = requires(A a, B b) {
  a - b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};
template <class A, class B>
concept AddAssignable = requires(A a, B b) {
  a += b;
};

// A mix-up does not compile.
static_assert(Addable<Seconds, Seconds>);
static_assert(!Addable<Seconds, Bytes>);
static_assert(!Addable<Usd, UsdPerToken>);
static_assert(!Addable<Tokens, double>);
static_assert(!Subtractable<TokensPerSecond, Tokens>);
static_assert(!Comparable<UsdPerToken, UsdPerSecond>);
static_assert(!Comparable<Seconds, double>);
static_assert(!AddAssignable<Flops, Bytes>);

// Numbers do not slip in or out unnoticed; a ratio of likes is a number.
static_assert(!std::convertible_to<double, Seconds>);
static_assert(std::constructible_from<Seconds, double>);
static_assert(!std::convertible_to<Seconds, double>);
static_assert(!std::convertible_to<Bytes, Flops>);
static_assert(std::convertible_to<decltype(Seconds{1} / Seconds{1}), double>);

// Products and quotients have the right type.
static_assert(std::same_as<decltype(Bytes{1} / BytesPerSecond{1}), Seconds>);
static_assert(std::same_as<decltype(Flops{1} / FlopsPerSecond{1}), Seconds>);
static_assert(std::same_as<decltype(UsdPerSecond{1} / TokensPerSecond{1}), UsdPerToken>);
static_assert(std::same_as<decltype(Watts{1} * Seconds{1}), Joules>);
static_assert(std::same_as<decltype(1.0 / Seconds{1}), PerSecond>);
static_assert(std::same_as<decltype(UsdPerToken{1} * Tokens{1}), Usd>);

// A quantity costs what a double costs.
static_assert(sizeof(UsdPerToken) == sizeof(double) && std::is_trivially_copyable_v<UsdPerToken>);

}  // namespace

TEST_CASE("literals are in the base unit", "[units]") {
  CHECK((2.5_ms).value() == 0.0025);
  CHECK((20.0_us).value() == Approx(2e-5));
  CHECK((1.5_s).value() == 1.5);
  CHECK((80.0_GB).value() == 80e9);
  CHECK((3.0_MB).value() == 3e6);
  CHECK((3.35_TBps).value() == 3.35e12);
  CHECK((50.0_GBps).value() == 50e9);
  CHECK((989.0_TFLOPS).value() == 989e12);
}

TEST_CASE("prices convert between lists and base units", "[units]") {
  // 2 USD per hour is 2 / 3600 = 0.000555... USD per second; 2.19 USD per million is 2.19e-6 USD per token.
  CHECK(usd_per_hour(2.0).value() == Approx(0.00055555555556));
  CHECK(in_usd_per_hour(usd_per_hour(2.0)) == Approx(2.0));
  CHECK(usd_per_mtok(2.19).value() == Approx(2.19e-6));
  CHECK(in_usd_per_mtok(usd_per_mtok(2.19)) == Approx(2.19));
}

TEST_CASE("a GPU-hour and a rate give the price of a token", "[units]") {
  // DeepSeek's decode: 2 USD per hour at 1850 tok/s is 2 / (1850 x 3600) = 0.3003e-6 USD per token.
  const UsdPerToken cost = usd_per_hour(2.0) / TokensPerSecond{1850};
  CHECK(in_usd_per_mtok(cost) == Approx(0.3003).epsilon(1e-4));
  // 141 GB at 4.8 TB/s take 29.375 ms.
  CHECK((141.0_GB / 4.8_TBps).value() == Approx(0.029375));
  // 700 W for an hour are 2.52 MJ = 0.7 kWh.
  CHECK((Watts{700} * Seconds{kSecondsPerHour}).value() == 2.52e6);
}

TEST_CASE("quantities add, scale and compare like numbers", "[units]") {
  Seconds t = 1.0_s + 2.0_s - 0.5_s;
  CHECK(t.value() == 2.5);
  t += 0.5_s;
  t -= 1.0_s;
  t *= 2.0;
  CHECK(t == 4.0_s);
  CHECK(-t < 0.0_s);
  CHECK((2.0 * t).value() == 8.0);
  CHECK((t / 2.0).value() == 2.0);
  CHECK(t > 3.9_s);
  const double ratio = t / 8.0_s;
  CHECK(ratio == 0.5);
}

TEST_CASE("simulated time rounds to the nearest nanosecond and back", "[units]") {
  CHECK(to_sim_time(1.5_s) == 1'500'000'000);
  CHECK(to_sim_time(Seconds{2.6e-9}) == 3);
  CHECK(to_sim_time(Seconds{-2.6e-9}) == -3);
  CHECK(to_seconds(2'500'000'000).value() == Approx(2.5));
}
