#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tokenomics {

/// Number formats of weights, activations, KV cache and arithmetic; each of the four is chosen on its own.
enum class Precision { Bf16, Fp8, Fp4, Int8, Int4, Fp32 };

/// Bytes of one stored element. Block scales included where the format defines them: MXFP4 4.25 bit (a shared 8-bit
/// exponent for 32 elements), INT4 weight-only 4.25 bit (16-bit scale for 64), FP8 with 128x128 blocks 1 B + 4/16384.
double bytes_per_element(Precision precision);

/// The one of two formats with more bytes an element; the first where they are equal.
Precision wider(Precision a, Precision b);

/// "bf16", "fp8", "fp4", "int8", "int4", "fp32".
std::string_view name_of(Precision precision);
std::optional<Precision> precision_named(std::string_view name);

}  // namespace tokenomics
