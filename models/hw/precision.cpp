#include "tokenomics/hw/precision.hpp"

#include <array>
#include <utility>

namespace tokenomics {
namespace {

constexpr std::array<std::pair<Precision, std::string_view>, 6> kNames{{
    {Precision::Bf16, "bf16"},
    {Precision::Fp8, "fp8"},
    {Precision::Fp4, "fp4"},
    {Precision::Int8, "int8"},
    {Precision::Int4, "int4"},
    {Precision::Fp32, "fp32"},
}};

}  // namespace

double bytes_per_element(Precision precision) {
  switch (precision) {
    case Precision::Bf16: return 2.0;
    case Precision::Fp8:
      return 1.0 + 4.0 / (128.0 * 128.0);  // one FP32 scale for a block of 128 x 128 (DeepSeek-V3 checkpoints)
    case Precision::Fp4: return (4.0 + 8.0 / 32.0) / 8.0;    // OCP MX: one 8-bit exponent for 32 elements
    case Precision::Int8: return 1.0;                        // a scale per channel or tensor: below 0.1%
    case Precision::Int4: return (4.0 + 16.0 / 64.0) / 8.0;  // weight-only: a 16-bit scale for a group of 64
    case Precision::Fp32: return 4.0;
  }
  return 0.0;  // not reached: all enumerators are handled
}

Precision wider(Precision a, Precision b) { return bytes_per_element(b) > bytes_per_element(a) ? b : a; }

std::string_view name_of(Precision precision) {
  for (const auto& [value, name] : kNames) {
    if (value == precision) return name;
  }
  return "";
}

std::optional<Precision> precision_named(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace tokenomics
