#include "tokenomics/base/random.hpp"

#include <Random123/philox.h>

#include <cmath>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

constexpr double kSqrtTwo = 1.41421356237309504880;
constexpr double kSqrtTwoPi = 2.50662827463100050242;

/// Coefficients of P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function"
/// (2003): relative error below 1.15e-9 over (0, 1/2].
constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                         1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                         -1.328068155288572e+01};
constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                         -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
constexpr double kLowerTail = 0.02425;

double acklam(double u) {
  if (u < kLowerTail) {
    const double q = std::sqrt(-2.0 * std::log(u));
    return (((((kC[0] * q + kC[1]) * q + kC[2]) * q + kC[3]) * q + kC[4]) * q + kC[5]) /
           ((((kD[0] * q + kD[1]) * q + kD[2]) * q + kD[3]) * q + 1.0);
  }
  const double q = u - 0.5;
  const double r = q * q;
  return (((((kA[0] * r + kA[1]) * r + kA[2]) * r + kA[3]) * r + kA[4]) * r + kA[5]) * q /
         (((((kB[0] * r + kB[1]) * r + kB[2]) * r + kB[3]) * r + kB[4]) * r + 1.0);
}

/// The lower half, 0 < u <= 1/2. Halley's step on f(x) = Phi(x) - u, with e = f(x) and t = e / phi(x):
/// x' = x - t / (1 + x t / 2). The tail Phi(x) = erfc(-x / sqrt 2) / 2 keeps its relative accuracy for x < 0.
double lower_quantile(double u) {
  const double x = acklam(u);
  const double e = 0.5 * std::erfc(-x / kSqrtTwo) - u;
  const double t = e * kSqrtTwoPi * std::exp(0.5 * x * x);
  return x - t / (1.0 + 0.5 * x * t);
}

}  // namespace

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// The key is 128 bits of Philox itself over (name, index) under the seed: neighbouring seeds and indices share
/// nothing.
RandomStream::RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index) {
  const r123::Philox4x64::ctr_type where = {{fnv1a(name), index, 0, 0}};
  const r123::Philox4x64::key_type who = {{seed, 0}};
  const auto mixed = r123::Philox4x64()(where, who);
  key_ = {mixed[0], mixed[1]};
}

void RandomStream::refill() {
  const r123::Philox4x64::ctr_type where = {{counter_++, 0, 0, 0}};
  const r123::Philox4x64::key_type who = {{key_[0], key_[1]}};
  const auto drawn = r123::Philox4x64()(where, who);
  block_ = {drawn[0], drawn[1], drawn[2], drawn[3]};
  used_ = 0;
}

std::uint64_t RandomStream::bits() {
  if (used_ == block_.size()) refill();
  return block_[used_++];
}

double RandomStream::exponential() { return -std::log(uniform()); }

double RandomStream::normal() { return normal_quantile(uniform()); }

std::uint64_t RandomStream::below(std::uint64_t n) {
  TOKENOMICS_CHECK(n > 0, "n = 0");
  __extension__ typedef unsigned __int128 uint128;
  return static_cast<std::uint64_t>((static_cast<uint128>(bits()) * n) >> 64);
}

double normal_quantile(double u) {
  TOKENOMICS_CHECK(u > 0.0 && u < 1.0, "u = " + std::to_string(u));
  // 1 - u is exact for u >= 1/2, and the upper half then has the accuracy of the lower.
  return u <= 0.5 ? lower_quantile(u) : -lower_quantile(1.0 - u);
}

}  // namespace tokenomics
