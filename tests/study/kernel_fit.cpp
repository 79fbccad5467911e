#include <cmath>
#include <string>
#include <vector>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/study/kernel_fit.hpp"

using namespace tokenomics;

namespace {

/// A made-up part on which figures are round: 1 PFLOP/s in BF16, 4 TB/s, 400 GB/s to 8 neighbours, 50 GB/s beyond.
Gpu round_gpu() {
  Gpu gpu;
  gpu.name = "round";
  gpu.peak_bf16 = FlopsPerSecond{1e15};
  gpu.peak_fp8 = FlopsPerSecond{2e15};
  gpu.hbm_bandwidth = BytesPerSecond{4e12};
  gpu.scale_up_domain_gpus = 8;
  gpu.scale_up_bandwidth = BytesPerSecond{4e11};
  gpu.scale_out_bandwidth = BytesPerSecond{5e10};
  return gpu;
}

SourcedNumber prior(double value) { return {value, "assumed", "made up"}; }

Calibration base() {
  Calibration c;
  c.name = "base";
  for (const KernelFamily family :
       {KernelFamily::DenseGemm, KernelFamily::GroupedGemm, KernelFamily::BatchedGemm, KernelFamily::AttentionDecode,
        KernelFamily::AttentionPrefill, KernelFamily::Indexer, KernelFamily::Elementwise}) {
    c.kernels[family] = {prior(0.6), prior(0.8), prior(2), prior(5), prior(1)};
  }
  c.all_to_all_low_latency = c.all_to_all_normal = c.all_reduce = {prior(10), prior(0.6), prior(0.7), prior(1)};
  c.is_family_default = true;
  return c;
}

/// t of the calibration's formula in microseconds, from FLOPs at 1 PFLOP/s and bytes at 4 TB/s.
double kernel_us(double flops, double bytes, double compute, double memory, double p, double launch_us) {
  const double c = flops / (1e15 * compute) * 1e6, m = bytes / (4e12 * memory) * 1e6;
  return std::pow(std::pow(c, p) + std::pow(m, p), 1 / p) + launch_us;
}

KernelRow gemm_row(double m, double n, double k, double latency_us) {
  KernelRow row;
  row.gpu = "g";
  row.framework = "e";
  row.dtype = "bf16";
  row.kernel = KernelFamily::DenseGemm;
  row.launches = {{Precision::Bf16, 2 * n * k, m, 1, 2 * (n * k + m * k + m * n)}};
  row.latency_us = latency_us;
  row.work = std::to_string(m) + "," + std::to_string(n) + "," + std::to_string(k);
  return row;
}

/// Four shapes at m = 1 to 8192 with normal log errors of 3% under the given efficiencies.
KernelTables gemms(double compute, double memory, double p, double launch_us, double smallest_m = 1,
                   double largest_m = 8192) {
  KernelTables tables;
  tables.files = {"folder/gemms.csv"};
  RandomStream noise(11, "gemms");
  for (const double n : {1024.0, 4096.0, 7168.0, 16384.0}) {
    for (double m = smallest_m; m <= largest_m; m *= 2) {
      const double k = 7168;
      const double t = kernel_us(2 * m * n * k, 2 * (n * k + m * k + m * n), compute, memory, p, launch_us);
      tables.rows.push_back(gemm_row(m, n, k, t * std::exp(0.03 * noise.normal())));
    }
  }
  return tables;
}

const FittedNumber& number(const KernelFit& fit, const std::string& family, const std::string& name) {
  for (const FittedNumber& n : fit.numbers) {
    if (n.family == family && n.name == name) return n;
  }
  throw std::logic_error("no " + family + " " + name);
}

/// Within three standard errors, which are small against the distance that the fit had to go.
void check_found(const KernelFit& fit, const std::string& family, const std::string& name, double truth) {
  const FittedNumber& n = number(fit, family, name);
  INFO(family << " " << name << " " << n.value << " +- " << n.standard_error << ", true " << truth);
  CHECK(n.kept.empty());
  CHECK(std::abs(n.value - truth) < 3 * n.standard_error);
  CHECK(n.standard_error < 0.15 * truth);
}

}  // namespace

TEST_CASE("efficiencies that made the rows are found again within their standard errors", "[study]") {
  const KernelFit fit = fit_kernels(gemms(0.45, 0.7, 2.5, 8), {"g", "e"}, round_gpu(), base());
  check_found(fit, "dense_gemm", "compute", 0.45);
  check_found(fit, "dense_gemm", "memory", 0.7);
  check_found(fit, "dense_gemm", "sharpness", 2.5);
  check_found(fit, "dense_gemm", "launch_us", 8);
  const KernelEfficiency& e = fit.calibration.kernels.at(KernelFamily::DenseGemm);
  CHECK(e.compute.value == number(fit, "dense_gemm", "compute").value);
  CHECK(e.compute.kind == "fitted");
  CHECK_THAT(e.compute.source, Catch::StartsWith("56 rows of gemms.csv (g, e); standard error "));
  CHECK_THAT(e.compute.source, Catch::EndsWith("; prior 0.6 (base)"));
  CHECK(e.tile_m.value == 1);
  // The rows' own noise is what is left: the median of |N(0, 3%)| is 2.0%, its 90th percentile 4.9%.
  REQUIRE(fit.residuals.size() == 1);
  CHECK(fit.residuals[0].rows == 56);
  CHECK(fit.residuals[0].median == Approx(0.020).margin(0.006));
  CHECK(fit.residuals[0].p90 == Approx(0.049).margin(0.015));
  CHECK(std::abs(fit.residuals[0].bias) < 0.01);
  CHECK(fit.calibration.name == "round-e");
  CHECK(fit.calibration.engine == "e");
  CHECK_FALSE(fit.calibration.is_family_default);
  // Families without rows stay the base's, to the word.
  CHECK(fit.calibration.kernels.at(KernelFamily::Indexer).compute.source == "made up");
  CHECK(fit.calibration.fitted_on.back() == "everything else: as in base");
}

TEST_CASE("what no row decides keeps its prior and says so", "[study]") {
  // Up to 16 tokens a GEMM only reads weights.
  const KernelFit memory = fit_kernels(gemms(0.45, 0.7, 2.5, 8, 1, 16), {"g", "e"}, round_gpu(), base());
  CHECK(number(memory, "dense_gemm", "compute").kept == "too few rows are bound by compute");
  CHECK(number(memory, "dense_gemm", "compute").value == 0.6);
  CHECK(number(memory, "dense_gemm", "sharpness").kept == "rows are not bound by compute and by memory both");
  check_found(memory, "dense_gemm", "memory", 0.7);
  const SourcedNumber& kept = memory.calibration.kernels.at(KernelFamily::DenseGemm).compute;
  CHECK(kept.kind == "assumed");
  CHECK(kept.source == "as in base: too few rows are bound by compute. made up");
  // From 2048 tokens on it only computes, and takes too long to show a launch.
  const KernelFit compute = fit_kernels(gemms(0.45, 0.7, 2.5, 8, 2048), {"g", "e"}, round_gpu(), base());
  CHECK(number(compute, "dense_gemm", "memory").kept == "too few rows are bound by memory");
  CHECK(number(compute, "dense_gemm", "launch_us").kept == "too few rows are short enough to show it");
  // The p-norm at the prior's sharpness and memory takes a part that is not the truth's: near, not within the noise.
  CHECK(number(compute, "dense_gemm", "compute").value == Approx(0.45).epsilon(0.1));
}

TEST_CASE("two rows move a number a little, many take it over", "[study]") {
  KernelTables two = gemms(0.3, 0.7, 2.5, 8, 2048, 8192);
  two.rows.resize(2);
  KernelFitOptions options;
  options.least_rows = 2;
  const FittedNumber few = number(fit_kernels(two, {"g", "e"}, round_gpu(), base(), options), "dense_gemm", "compute");
  const KernelFit all = fit_kernels(gemms(0.3, 0.7, 2.5, 8), {"g", "e"}, round_gpu(), base());
  const FittedNumber many = number(all, "dense_gemm", "compute");
  CHECK(few.value < 0.45);
  CHECK(few.value > many.value);
  CHECK(few.standard_error > 3 * many.standard_error);
  // ln(0.3 / 0.6) / 0.3 = -2.3 standard deviations of the prior.
  CHECK(many.prior_distance == Approx(-2.3).margin(0.3));
}

TEST_CASE("rows that cannot be what is counted, and slower ones of the same work, are left out", "[study]") {
  KernelTables tables = gemms(0.45, 0.7, 2.5, 8);
  const KernelFit clean = fit_kernels(tables, {"g", "e"}, round_gpu(), base());
  // 16384 x 7168 weights are 235 MB, 58.7 us at 4 TB/s: 50 us are impossible, whatever the efficiency.
  tables.rows.push_back(gemm_row(1, 16384, 7168, 50));
  KernelRow slow = tables.rows[5];
  slow.latency_us *= 3;
  tables.rows.push_back(slow);
  const KernelFit fit = fit_kernels(tables, {"g", "e"}, round_gpu(), base());
  CHECK(number(fit, "dense_gemm", "memory").value == number(clean, "dense_gemm", "memory").value);
  REQUIRE(fit.left_out.size() == 2);
  CHECK(fit.left_out[0].file == "gemms.csv");
  CHECK(fit.left_out[0].reason == "another row of the same work is faster");
  CHECK(fit.left_out[0].rows == 1);
  CHECK(fit.left_out[1].reason == "faster than the data sheet allows for what is counted: it did less");
  // Both are predicted all the same.
  CHECK(fit.residuals.size() == 3);
  CHECK(fit.residuals[1].median == Approx(std::log(3)).margin(0.1));
}

TEST_CASE("formats that are not asked for are predicted, not fitted on", "[study]") {
  KernelTables tables = gemms(0.45, 0.7, 2.5, 8);
  const std::size_t rows = tables.rows.size();
  for (std::size_t i = 0; i < rows; ++i) {
    KernelRow other = tables.rows[i];
    other.dtype = "fp8";
    other.work += ",fp8";
    other.latency_us *= 1.5;
    tables.rows.push_back(other);
  }
  KernelFitOptions options;
  options.formats = {"bf16"};
  const KernelFit fit = fit_kernels(tables, {"g", "e"}, round_gpu(), base(), options);
  check_found(fit, "dense_gemm", "compute", 0.45);
  REQUIRE(fit.residuals.size() == 2);
  CHECK(fit.residuals[1].dtype == "fp8");
  CHECK(fit.residuals[1].left_out == "not a number format that was asked for");
  CHECK(fit.residuals[1].bias == Approx(-std::log(1.5)).margin(0.01));
}

TEST_CASE("a base without launches gets none, so that its layer overhead is not counted twice", "[study]") {
  Calibration without = base();
  without.kernels[KernelFamily::DenseGemm].launch_us = prior(0);
  const KernelFit fit = fit_kernels(gemms(0.45, 0.7, 2.5, 8), {"g", "e"}, round_gpu(), without);
  const FittedNumber& launch = number(fit, "dense_gemm", "launch_us");
  CHECK(fit.calibration.kernels.at(KernelFamily::DenseGemm).launch_us.value == 0);
  CHECK(launch.value == 0);
  CHECK_THAT(launch.kept, Catch::Contains("fitted and dropped: base holds launches in layer_overhead_us"));
  CHECK(launch.dropped == Approx(8).epsilon(0.1));
  CHECK(fit.residuals[0].median < 0.04);
  // The other numbers do not swallow it.
  CHECK(number(fit, "dense_gemm", "memory").value == Approx(0.7).epsilon(0.03));
  CHECK(number(fit, "dense_gemm", "compute").value == Approx(0.45).epsilon(0.03));
}

TEST_CASE("copies and empty kernels give what elementwise kernels reach", "[study]") {
  // 0.7 of 4 TB/s and 2.5 us: 4 KiB to 1 GiB, and three kernels of no bytes.
  KernelTables tables;
  tables.files = {"memory.csv"};
  RandomStream noise(3, "copies");
  for (int i = 0; i < 13; ++i) {
    const double bytes = i < 10 ? std::pow(4.0, i + 6) : 0;
    KernelRow row;
    row.gpu = "g";
    row.framework = "e";
    row.dtype = i < 10 ? "copy" : "launch";
    row.kernel = KernelFamily::Elementwise;
    row.launches = {{Precision::Bf16, 0, 1, 1, bytes}};
    row.latency_us = (bytes / 2.8e12 * 1e6 + 2.5) * std::exp(0.03 * noise.normal());
    row.work = std::to_string(i);
    tables.rows.push_back(row);
  }
  const KernelFit fit = fit_kernels(tables, {"g", "e"}, round_gpu(), base());
  CHECK(number(fit, "elementwise", "memory").value == Approx(0.7).epsilon(0.05));
  CHECK(number(fit, "elementwise", "launch_us").value == Approx(2.5).epsilon(0.05));
  CHECK(number(fit, "elementwise", "compute").kept == "too few rows are bound by compute");
}

TEST_CASE("links are found again, each by the rows that it decides", "[study]") {
  // Low latency: 8 copies of 7168 B a token; of 8 GPUs 7/8 travel at 0.5 x 400 GB/s, of 32 GPUs 24/32 at 0.9 x 50 GB/s
  // over the NIC, which is the slower of the two. 15 us each.
  KernelTables tables;
  tables.files = {"comm.csv"};
  RandomStream noise(7, "links");
  for (const int ranks : {8, 32}) {
    for (double tokens = 1; tokens <= 1024; tokens *= 2) {
      KernelRow row;
      row.gpu = "g";
      row.framework = "deepep";
      row.dtype = "dispatch fp8";
      MoeFfn moe;
      moe.experts_per_token = 8;
      moe.routed_experts = 256;
      row.message = {LinkFamily::AllToAllLowLatency, ranks, tokens, 7168, moe};
      const double bytes = tokens * 8 * 7168;
      const double seconds = ranks == 8 ? bytes * 7 / 8 / 2e11 : bytes * 24 / 32 / 4.5e10;
      row.latency_us = (15 + 1e6 * seconds) * std::exp(0.03 * noise.normal());
      row.work = std::to_string(ranks) + "," + std::to_string(tokens);
      tables.rows.push_back(row);
    }
  }
  const KernelFit fit = fit_kernels(tables, {"g", "any"}, round_gpu(), base());
  check_found(fit, "all_to_all_low_latency", "latency_us", 15);
  check_found(fit, "all_to_all_low_latency", "scale_up", 0.5);
  check_found(fit, "all_to_all_low_latency", "scale_out", 0.9);
  CHECK(fit.calibration.all_to_all_low_latency.sm_hold_us.value == 1);
  // Of one domain only, the NIC is not seen.
  tables.rows.resize(11);
  const KernelFit one_node = fit_kernels(tables, {"g", "any"}, round_gpu(), base());
  CHECK(number(one_node, "all_to_all_low_latency", "scale_out").kept == "too few rows are bound by the NIC");
  CHECK(timed_pairs(tables).front().framework == "generic");
}

TEST_CASE("an engine's own all-reduce goes before everybody's", "[study]") {
  KernelTables tables;
  tables.files = {"comm.csv"};
  for (const char* library : {"nccl", "e"}) {
    for (double bytes = 262144; bytes <= 67108864; bytes *= 2) {
      KernelRow row;
      row.gpu = "g";
      row.framework = library;
      row.dtype = "all_reduce half";
      row.message = {LinkFamily::AllReduce, 8, 0, bytes, {}};
      const double share = row.framework == "e" ? 0.7 : 0.4;
      row.latency_us = 6 + 1e6 * 2 * 7 / 8.0 * bytes / (4e11 * share);
      row.work = std::to_string(bytes);
      tables.rows.push_back(row);
    }
  }
  // Nine rows, expected to be off by 20%, leave the prior of 0.6 a few hundredths of a say.
  CHECK(fit_kernels(tables, {"g", "e"}, round_gpu(), base()).calibration.all_reduce.scale_up.value ==
        Approx(0.7).epsilon(0.03));
  CHECK(fit_kernels(tables, {"g", "f"}, round_gpu(), base()).calibration.all_reduce.scale_up.value ==
        Approx(0.4).epsilon(0.03));
}

TEST_CASE("a pair without rows is refused", "[study]") {
  const KernelTables tables = gemms(0.45, 0.7, 2.5, 8);
  CHECK_THROWS_WITH(fit_kernels(tables, {"g", "f"}, round_gpu(), base()),
                    "folder/gemms.csv: g, f; expected rows of this GPU and engine that a fit can use");
}

TEST_CASE("the same rows give the same calibration to the last bit", "[study]") {
  const KernelTables tables = gemms(0.45, 0.7, 2.5, 8);
  const KernelFit a = fit_kernels(tables, {"g", "e"}, round_gpu(), base());
  const KernelFit b = fit_kernels(tables, {"g", "e"}, round_gpu(), base());
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    CHECK(a.numbers[i].value == b.numbers[i].value);
    CHECK(a.numbers[i].standard_error == b.numbers[i].standard_error);
  }
}
