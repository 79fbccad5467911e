#pragma once

#include <cmath>
#include <compare>

/// Quantities with a dimension over (time, byte, FLOP, token, USD, joule), held as a double in the base unit
/// (s, B, FLOP, token, USD, J). A product or quotient gets the right type and a mix-up does not compile: nearly
/// every formula here divides look-alike numbers, and a swapped pair still yields a plausible price.
namespace tokenomics {

template <int Time, int Byte, int Flop, int Token, int Usd, int Joule>
class Quantity {
  static constexpr bool kDimensionless = Time == 0 && Byte == 0 && Flop == 0 && Token == 0 && Usd == 0 && Joule == 0;

 public:
  constexpr Quantity() = default;
  explicit(!kDimensionless) constexpr Quantity(double value_in_base_unit) : value_(value_in_base_unit) {}

  /// The number in the base unit. The one way out of the type: keep it at edges (JSON, Eigen, libm).
  [[nodiscard]] constexpr double value() const { return value_; }
  /// A ratio of like quantities is a plain number.
  constexpr operator double() const requires kDimensionless { return value_; }

  constexpr Quantity operator-() const { return Quantity{-value_}; }
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  constexpr Quantity& operator*=(double factor) {
    value_ *= factor;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity{a.value_ + b.value_}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity{a.value_ - b.value_}; }
  friend constexpr Quantity operator*(Quantity a, double factor) { return Quantity{a.value_ * factor}; }
  friend constexpr Quantity operator*(double factor, Quantity a) { return Quantity{a.value_ * factor}; }
  friend constexpr Quantity operator/(Quantity a, double divisor) { return Quantity{a.value_ / divisor}; }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;

 private:
  double value_ = 0.0;
};

template <int T1, int B1, int F1, int K1, int U1, int J1, int T2, int B2, int F2, int K2, int U2, int J2>
constexpr auto operator*(Quantity<T1, B1, F1, K1, U1, J1> a, Quantity<T2, B2, F2, K2, U2, J2> b) {
  return Quantity<T1 + T2, B1 + B2, F1 + F2, K1 + K2, U1 + U2, J1 + J2>{a.value() * b.value()};
}

template <int T1, int B1, int F1, int K1, int U1, int J1, int T2, int B2, int F2, int K2, int U2, int J2>
constexpr auto operator/(Quantity<T1, B1, F1, K1, U1, J1> a, Quantity<T2, B2, F2, K2, U2, J2> b) {
  return Quantity<T1 - T2, B1 - B2, F1 - F2, K1 - K2, U1 - U2, J1 - J2>{a.value() / b.value()};
}

template <int T, int B, int F, int K, int U, int J>
constexpr auto operator/(double a, Quantity<T, B, F, K, U, J> b) {
  return Quantity<-T, -B, -F, -K, -U, -J>{a / b.value()};
}

using Seconds = Quantity<1, 0, 0, 0, 0, 0>;
using Bytes = Quantity<0, 1, 0, 0, 0, 0>;
using Flops = Quantity<0, 0, 1, 0, 0, 0>;
using Tokens = Quantity<0, 0, 0, 1, 0, 0>;
using Usd = Quantity<0, 0, 0, 0, 1, 0>;
using Joules = Quantity<0, 0, 0, 0, 0, 1>;

using BytesPerSecond = decltype(Bytes{} / Seconds{1});
using FlopsPerSecond = decltype(Flops{} / Seconds{1});
using TokensPerSecond = decltype(Tokens{} / Seconds{1});
using BytesPerToken = decltype(Bytes{} / Tokens{1});
using UsdPerSecond = decltype(Usd{} / Seconds{1});
using UsdPerToken = decltype(Usd{} / Tokens{1});
using Watts = decltype(Joules{} / Seconds{1});
using JoulesPerToken = decltype(Joules{} / Tokens{1});
using PerSecond = decltype(1.0 / Seconds{1});

inline constexpr double kSecondsPerHour = 3600.0;
inline constexpr double kSecondsPerDay = 86400.0;

/// USD per hour as written on price lists -> USD per second.
constexpr UsdPerSecond usd_per_hour(double usd) { return Usd{usd} / Seconds{kSecondsPerHour}; }
/// USD per million tokens as written on price cards -> USD per token.
constexpr UsdPerToken usd_per_mtok(double usd) { return Usd{usd} / Tokens{1e6}; }
constexpr double in_usd_per_mtok(UsdPerToken price) { return price.value() * 1e6; }
constexpr double in_usd_per_hour(UsdPerSecond rate) { return rate.value() * kSecondsPerHour; }

namespace literals {
constexpr Seconds operator""_s(long double v) { return Seconds{static_cast<double>(v)}; }
constexpr Seconds operator""_ms(long double v) { return Seconds{static_cast<double>(v) * 1e-3}; }
constexpr Seconds operator""_us(long double v) { return Seconds{static_cast<double>(v) * 1e-6}; }
constexpr Bytes operator""_GB(long double v) { return Bytes{static_cast<double>(v) * 1e9}; }
constexpr Bytes operator""_MB(long double v) { return Bytes{static_cast<double>(v) * 1e6}; }
constexpr BytesPerSecond operator""_GBps(long double v) { return BytesPerSecond{static_cast<double>(v) * 1e9}; }
constexpr BytesPerSecond operator""_TBps(long double v) { return BytesPerSecond{static_cast<double>(v) * 1e12}; }
constexpr FlopsPerSecond operator""_TFLOPS(long double v) { return FlopsPerSecond{static_cast<double>(v) * 1e12}; }
}  // namespace literals

}  // namespace tokenomics
