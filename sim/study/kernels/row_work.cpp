#include "row_work.hpp"

#include <algorithm>
#include <array>

#include "tokenomics/roofline/collectives.hpp"

namespace tokenomics {
namespace {

constexpr double kBf16 = 2.0;  // bytes
constexpr std::array<std::string_view, 6> kFormats{"bf16", "fp8", "fp8_block", "nvfp4", "w4a16_mxfp4", "w4a8_mxfp4_mxfp8"};

}  // namespace

std::vector<std::string> number_format_names() { return {kFormats.begin(), kFormats.end()}; }

std::optional<NumberFormat> number_format(std::string_view name) {
  const double fp4 = bytes_per_element(Precision::Fp4);
  if (name == "bf16") return NumberFormat{Precision::Bf16, kBf16, kBf16};
  if (name == "fp8") return NumberFormat{Precision::Fp8, 1.0, 1.0};  // a scale per tensor
  if (name == "fp8_block") {
    return NumberFormat{Precision::Fp8, bytes_per_element(Precision::Fp8), wire_bytes_per_element(Precision::Fp8)};
  }
  if (name == "nvfp4") return NumberFormat{Precision::Fp4, fp4, fp4};
  if (name == "w4a16_mxfp4") return NumberFormat{Precision::Bf16, fp4, kBf16, true};
  if (name == "w4a8_mxfp4_mxfp8") return NumberFormat{Precision::Fp8, fp4, 1.0, true};
  return std::nullopt;
}

TimedLaunch gemm_launch(const NumberFormat& format, double groups, double m, double n, double k) {
  return {format.arithmetic, 2 * n * k, m, groups,
          groups * (n * k * format.weight_B + m * k * format.activation_B + m * n * kBf16)};
}

std::vector<TimedLaunch> expert_launches(const NumberFormat& format, int hidden, const MoeFfn& moe, double tp,
                                         double tokens) {
  const double copies = tokens * moe.experts_per_token;
  const double touched = std::min(static_cast<double>(moe.routed_experts), copies);
  const double width = moe.intermediate / tp;
  return {gemm_launch(format, touched, copies / touched, 2 * width, hidden),
          gemm_launch(format, touched, copies / touched, hidden, width)};
}

TimedLaunch decode_launch(Precision arithmetic, double heads, double kv_heads, double qk, double v,
                          double cached_B_per_token, double batch, double context) {
  return {arithmetic, 2 * (qk + v) * context, heads / kv_heads, batch * kv_heads,
          batch * (context * cached_B_per_token + heads * (qk + v) * kBf16)};
}

TimedLaunch prefill_launch(Precision arithmetic, double heads, double kv_heads, double qk, double v, double batch,
                           double tokens) {
  return {arithmetic, 2 * heads * (qk + v) * (tokens + 1) / 2, batch * tokens, 1,
          batch * tokens * (heads + kv_heads) * (qk + v) * kBf16};
}

}  // namespace tokenomics
