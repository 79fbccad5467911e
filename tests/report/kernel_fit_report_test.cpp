#include "tokenomics/report/kernel_fit_report.hpp"
#include "support/catch.hpp"

using namespace tokenomics;

TEST_CASE("the page of a kernel fit has each number, its error and why it is kept", "[report]") {
  KernelFit fit;
  fit.calibration.name = "h200-sxm-sglang";
  fit.calibration.gpu = "h200-sxm";
  fit.calibration.engine = "sglang";
  fit.numbers = {{"dense_gemm", "compute", 0.6349, 0.0089, 0.6225, 0.1, false, ""},
                 {"dense_gemm", "memory", 0.92, 0.0, 0.9038, 0.1, true, ""},
                 {"dense_gemm", "launch_us", 7.6, 0.0, 7.6, 0, false, "too few rows are short enough to show it"},
                 {"attention_prefill", "compute", 0.18, 0.003, 0.62, -4.1, false, ""}};
  // ln 1.1 = 0.0953 is 10%.
  fit.residuals = {{"dense_gemm", "bf16", 210, "", 0.0953, 0.1823, -0.0202},
                   {"dense_gemm", "fp8", 1210, "not a number format that was asked for", 0.4055, 0.6931, 0.4055}};
  fit.left_out = {{"ops_gemm.csv", "another row of the same work is faster", 12}};
  const std::string page = kernel_fit_table(fit);
  INFO(page);
  CHECK_THAT(page, Catch::StartsWith("h200-sxm-sglang: h200-sxm under sglang\n"));
  CHECK_THAT(page, Catch::Matches("[^]*dense_gemm +compute +0\\.635 +0\\.0089 +0\\.623\n[^]*"));
  CHECK_THAT(page, Catch::Matches("[^]*dense_gemm +memory +0\\.920 +0\\.904 +at its bound\n[^]*"));
  CHECK_THAT(page, Catch::Matches("[^]*launch_us +7\\.60 +7\\.60 +kept: too few rows are short enough[^]*"));
  CHECK_THAT(page, Catch::Matches("[^]*attention_prefill +compute +0\\.180 +0\\.0030 +0\\.620 +far from the prior\n[^]*"));
  CHECK_THAT(page, Catch::Matches("[^]*dense_gemm +bf16 +210 +10\\.0 +20\\.0 +-2\\.0[^]*"));
  CHECK_THAT(page, Catch::Contains("1,210"));
  CHECK_THAT(page, Catch::Contains("12 of ops_gemm.csv: another row of the same work is faster"));
}
