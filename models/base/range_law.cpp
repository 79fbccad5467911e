#include "tokenomics/base/range_law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {

namespace {

using Kind = RangeLaw::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 5> kNames{{{Kind::Uniform, "uniform"},
                                                                   {Kind::LogUniform, "log_uniform"},
                                                                   {Kind::Triangular, "triangular"},
                                                                   {Kind::Normal, "normal"},
                                                                   {Kind::LogNormal, "lognormal"}}};

bool is_logarithmic(Kind kind) { return kind == Kind::LogUniform || kind == Kind::LogNormal; }

/// Share of the way from low to high. Density rises in a straight line to the mode at c and falls to 1:
/// F(t) = t^2 / c up to c, 1 - (1 - t)^2 / (1 - c) from there on.
double triangular_place(const RangeLaw& law, double u) {
  const double c = law.mode ? (*law.mode - law.low) / (law.high - law.low) : 0.5;
  return u < c ? std::sqrt(u * c) : 1 - std::sqrt((1 - u) * (1 - c));
}

/// z(u) / z(0.95) is -1 at the 5% and 1 at the 95% quantile: shares 0 and 1 of the way from low to high.
double normal_place(double u) { return 0.5 + 0.5 * normal_quantile(u) / normal_quantile(0.95); }

double place_of(const RangeLaw& law, double u) {
  switch (law.kind) {
    case Kind::Uniform:
    case Kind::LogUniform: return u;
    case Kind::Triangular: return triangular_place(law, u);
    case Kind::Normal:
    case Kind::LogNormal: return normal_place(u);
  }
  TOKENOMICS_CHECK(false, "unnamed law");
}

}  // namespace

std::string_view name_of(Kind kind) {
  for (const auto& [value, name] : kNames)
    if (value == kind) return name;
  return "";
}

std::optional<Kind> range_law_named(std::string_view name) {
  for (const auto& [value, known] : kNames)
    if (known == name) return value;
  return std::nullopt;
}

std::string fault_of(const RangeLaw& law) {
  // The difference too: a range that overflows has no place in it.
  if (!std::isfinite(law.high - law.low)) return fmt::format("low {} and high {} are not finite", law.low, law.high);
  if (!(law.low < law.high)) return fmt::format("low {} is not below high {}", law.low, law.high);
  if (is_logarithmic(law.kind) && law.low <= 0)
    return fmt::format("low {} is not above 0, which {} needs", law.low, name_of(law.kind));
  if (!law.mode) return "";
  if (law.kind != Kind::Triangular) return fmt::format("{} has no mode", name_of(law.kind));
  if (*law.mode >= law.low && *law.mode <= law.high) return "";
  return fmt::format("mode {} is not between low {} and high {}", *law.mode, law.low, law.high);
}

double quantile(const RangeLaw& law, double u) {
  TOKENOMICS_CHECK(u > 0 && u < 1, fmt::format("u = {}", u));
  TOKENOMICS_CHECK(fault_of(law).empty(), fault_of(law));
  const double place = place_of(law, u);
  const double value = is_logarithmic(law.kind) ? std::exp(std::lerp(std::log(law.low), std::log(law.high), place))
                                                : std::lerp(law.low, law.high, place);
  // exp(log(low)) may be a rounding below low.
  return law.kind == Kind::LogUniform ? std::clamp(value, law.low, law.high) : value;
}

double centre(const RangeLaw& law) { return quantile(law, 0.5); }

}  // namespace tokenomics
