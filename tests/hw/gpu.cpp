#include "tokenomics/hw/gpu.hpp"

#include <functional>

#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;
using namespace tokenomics::literals;

namespace {

Gpu hopper() {
  Gpu gpu;
  gpu.name = "h100-sxm";
  gpu.peak_bf16 = 989.0_TFLOPS;
  gpu.peak_fp8 = 1979.0_TFLOPS;
  gpu.peak_int8 = 1979.0_TFLOPS;
  return gpu;
}

Gpu blackwell() {
  Gpu gpu;
  gpu.name = "b200-sxm";
  gpu.peak_bf16 = 2250.0_TFLOPS;
  gpu.peak_fp8 = 4500.0_TFLOPS;
  gpu.peak_fp4 = 9000.0_TFLOPS;
  return gpu;
}

Gpu only_bf16() {
  Gpu gpu;
  gpu.name = "plain";
  gpu.peak_bf16 = 280.0_TFLOPS;
  return gpu;
}

}  // namespace

TEST_CASE("arithmetic falls back to the next wider type that the part has", "[hw]") {
  CHECK(blackwell().arithmetic_for(Precision::Fp4) == Precision::Fp4);
  CHECK(hopper().arithmetic_for(Precision::Fp4) == Precision::Fp8);
  CHECK(only_bf16().arithmetic_for(Precision::Fp4) == Precision::Bf16);
  CHECK(hopper().arithmetic_for(Precision::Fp8) == Precision::Fp8);
  CHECK(only_bf16().arithmetic_for(Precision::Fp8) == Precision::Bf16);
  CHECK(hopper().arithmetic_for(Precision::Int8) == Precision::Int8);
  CHECK(blackwell().arithmetic_for(Precision::Int8) == Precision::Bf16);
}

TEST_CASE("INT4 is a storage format: it is always computed in BF16", "[hw]") {
  CHECK(blackwell().arithmetic_for(Precision::Int4) == Precision::Bf16);
  CHECK(blackwell().require_peak(Precision::Int4) == 2250.0_TFLOPS);
}

TEST_CASE("the peak is that of the type really computed in", "[hw]") {
  CHECK(blackwell().require_peak(Precision::Fp4) == 9000.0_TFLOPS);
  CHECK(hopper().require_peak(Precision::Fp4) == 1979.0_TFLOPS);
  CHECK(only_bf16().require_peak(Precision::Fp4) == 280.0_TFLOPS);
  CHECK(hopper().require_peak(Precision::Bf16) == 989.0_TFLOPS);
  CHECK(hopper().require_peak(Precision::Int8) == 1979.0_TFLOPS);
}

TEST_CASE("FP32 runs at half the BF16 rate", "[hw]") {
  CHECK(hopper().arithmetic_for(Precision::Fp32) == Precision::Fp32);
  CHECK(hopper().require_peak(Precision::Fp32) == 494.5_TFLOPS);
}

TEST_CASE("a missing figure is refused with the name of the part and of the figure", "[hw]") {
  Gpu unknown;
  unknown.name = "ascend-910b";
  struct Case {
    std::function<void()> ask;
    std::string pointer;
  };
  const std::vector<Case> cases{
      {[&] { (void)unknown.require_peak(Precision::Bf16); }, "/dense_peak_TFLOPS/bf16"},
      {[&] { (void)unknown.require_peak(Precision::Fp8); }, "/dense_peak_TFLOPS/bf16"},
      {[&] { (void)unknown.require_peak(Precision::Fp32); }, "/dense_peak_TFLOPS/bf16"},
      {[&] { (void)unknown.require_hbm_capacity(); }, "/hbm_capacity_GB"},
      {[&] { (void)unknown.require_hbm_bandwidth(); }, "/hbm_bandwidth_TBps"},
      {[&] { (void)unknown.require_scale_up_domain(); }, "/scale_up/domain_gpus"},
      {[&] { (void)unknown.require_scale_up_bandwidth(); }, "/scale_up/bandwidth_GBps_per_gpu"},
      {[&] { (void)unknown.require_scale_out_bandwidth(); }, "/scale_out_Gbps_per_gpu"},
  };
  for (const Case& c : cases) {
    INFO(c.pointer);
    try {
      c.ask();
      FAIL("not refused");
    } catch (const ScenarioError& error) {
      REQUIRE(error.problems().size() == 1);
      CHECK(error.problems()[0].file == "ascend-910b");
      CHECK(error.problems()[0].pointer == c.pointer);
    }
  }
}

TEST_CASE("a figure that is there is returned as it is", "[hw]") {
  Gpu gpu = hopper();
  gpu.hbm_capacity = 85.5_GB;
  gpu.hbm_bandwidth = 3.35_TBps;
  gpu.scale_up_domain_gpus = 8;
  gpu.scale_up_bandwidth = 450.0_GBps;
  gpu.scale_out_bandwidth = 50.0_GBps;
  CHECK(gpu.require_hbm_capacity() == 85.5_GB);
  CHECK(gpu.require_hbm_bandwidth() == 3.35_TBps);
  CHECK(gpu.require_scale_up_domain() == 8);
  CHECK(gpu.require_scale_up_bandwidth() == 450.0_GBps);
  CHECK(gpu.require_scale_out_bandwidth() == 50.0_GBps);
}
