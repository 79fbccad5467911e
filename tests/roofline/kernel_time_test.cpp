#include "support/catch.hpp"

#include <cmath>

#include "roofline/plans.hpp"
#include "tokenomics/roofline/kernel_time.hpp"

using namespace plans;

TEST_CASE("A p-norm without powers is the p-norm to 1e-5", "[roofline]") {
  for (const double p : {1.5, 2.0, 2.5, 3.0, 5.0, 8.0}) {
    const PNorm norm(p);
    for (double low = 0.0; low <= 1.0; low += 0.00371) {
      const double exact = 3.0 * std::pow(1.0 + std::pow(low, p), 1.0 / p);
      REQUIRE(norm(3.0, 3.0 * low) == Approx(exact).epsilon(1e-5));
      REQUIRE(norm(3.0 * low, 3.0) == norm(3.0, 3.0 * low));
    }
  }
}

TEST_CASE("A very sharp p-norm is the larger of the two times", "[roofline]") {
  const PNorm norm(1e9);
  CHECK(norm(2.0, 1.9999) == 2.0);
  CHECK(norm(0.0, 0.0) == 0.0);
}

TEST_CASE("A kernel takes its roofline time and its launch", "[roofline]") {
  Calibration c = h800_calibration();
  c.kernels[KernelFamily::DenseGemm] = kernel(0.5, 0.8, 2, 4, 64);
  const KernelTimer timer(h800(), c);
  // FP8: 1979e12 * 0.5 = 989.5e12 FLOP/s; 989.5e9 FLOP -> 1 ms. 3.35e12 * 0.8 = 2.68e12 B/s; 2.01e9 B -> 0.75 ms.
  // p = 2: sqrt(1 + 0.5625) = 1.25 ms, and 2 kernels launch in 8 us.
  KernelWork work{KernelFamily::DenseGemm, Precision::Fp8, 989.5e9, 989.5e9, 2.01e9, 2};
  CHECK(timer.time(work) == Approx(1.258e-3).epsilon(1e-5));
  // Half of the SMs: 2 ms of compute; sqrt(4 + 0.5625) = 2.13600 ms.
  CHECK(timer.time(work, 0.5) == Approx(2.144e-3).epsilon(1e-5));
  work.padded_flops *= 2;  // rows that fill a tile cost as much as useful ones
  CHECK(timer.time(work) == Approx(2.144e-3).epsilon(1e-5));
}

TEST_CASE("A lower sustained clock slows the arithmetic of GEMMs, not of attention nor of memory", "[roofline]") {
  Calibration c = speed_of_light();
  c.sustained_clock.value = 0.875;
  const KernelTimer timer(h800(), c);
  for (const KernelFamily gemm : {KernelFamily::DenseGemm, KernelFamily::GroupedGemm, KernelFamily::BatchedGemm}) {
    CHECK(timer.time({gemm, Precision::Bf16, 989e12 * 0.875, 989e12 * 0.875, 0, 1}) == Approx(1.0));
    CHECK(timer.time({gemm, Precision::Bf16, 0, 0, 3.35e12, 1}) == Approx(1.0));
  }
  CHECK(timer.time({KernelFamily::AttentionDecode, Precision::Bf16, 989e12, 989e12, 0, 1}) == Approx(1.0));
  c.sustained_clock.value = 0;
  CHECK_THROWS_AS(KernelTimer(h800(), c), ScenarioError);
}

TEST_CASE("Rows are computed in whole tiles", "[roofline]") {
  const KernelTimer timer(h800(), h800_calibration());
  CHECK(timer.padded_rows(KernelFamily::DenseGemm, 1) == 64);
  CHECK(timer.padded_rows(KernelFamily::DenseGemm, 64) == 64);
  CHECK(timer.padded_rows(KernelFamily::DenseGemm, 65) == 128);
  CHECK(timer.padded_rows(KernelFamily::AttentionPrefill, 65) == 65);
}

TEST_CASE("A calibration without efficiencies is refused with every family that lacks them", "[roofline]") {
  Calibration c = h800_calibration();
  c.kernels[KernelFamily::AttentionDecode].memory.value = 1.2;
  c.kernels[KernelFamily::GroupedGemm].compute.value = 0;
  try {
    const KernelTimer timer(h800(), c);
    FAIL("not refused");
  } catch (const ScenarioError& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(error.problems()[0].pointer == "/kernels/grouped_gemm/compute");
    CHECK(error.problems()[1].pointer == "/kernels/attention_decode/memory");
  }
  CHECK_THROWS_AS(KernelTimer(h800(), Calibration{}), ScenarioError);
}

TEST_CASE("A GPU without a peak is refused only when a kernel needs it", "[roofline]") {
  Gpu gpu = h800();
  gpu.peak_bf16.reset();
  const KernelTimer timer(gpu, h800_calibration());
  CHECK(timer.time({KernelFamily::DenseGemm, Precision::Fp8, 1e9, 1e9, 1e6, 1}) > 0);
  CHECK_THROWS_AS(timer.time({KernelFamily::DenseGemm, Precision::Bf16, 1e9, 1e9, 1e6, 1}), ScenarioError);
}

TEST_CASE("Weight-only formats are computed in the next type that the GPU has", "[roofline]") {
  const KernelTimer timer(h800(), speed_of_light());
  // No FP4 arithmetic on Hopper: 1979e12 FLOP take one second in FP8.
  CHECK(timer.time({KernelFamily::DenseGemm, Precision::Fp4, 1979e12, 1979e12, 0, 1}) == Approx(1.0));
  // INT4 is unpacked to BF16.
  CHECK(timer.time({KernelFamily::DenseGemm, Precision::Int4, 989e12, 989e12, 0, 1}) == Approx(1.0));
}
