// The library's fit of kernel rows against that of scripts/fit_kernels.py, on the rows that both may use.

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/kernel_fit.hpp"

using namespace tokenomics;

namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line + ",");
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

/// Dense GEMM rows of a published extract (gpu,engine,family,op,dtype,m,n,k,...,latency_us,source) as an ops_gemm table.
KernelTables gemm_rows(const std::string& gpu) {
  const std::string place = "kernel_fits_" + gpu + ".csv";
  std::ifstream extract(std::string(TOKENOMICS_TEST_DATA) + "/published/kernels/" + gpu + ".csv");
  std::ofstream table(place);
  table << "gpu,framework,dtype,m,n,k,latency_us\n";
  for (std::string line; std::getline(extract, line);) {
    const std::vector<std::string> c = cells_of(line);
    if (c.at(2) != "dense_gemm" || c.back() != "aic-gemm") continue;
    table << c[0] << ',' << c[1] << ',' << c[4] << ',' << c[5] << ',' << c[6] << ',' << c[7] << ',' << c[c.size() - 2]
          << '\n';
  }
  table.close();
  KernelTables tables = read_kernel_tables({place}, [](const std::string&) { return std::nullopt; });
  std::remove(place.c_str());
  return tables;
}

}  // namespace

TEST_CASE("dense GEMMs on Hopper are fitted as the shipped calibrations were", "[published]") {
  // Shipped: h200-sxm-sglang 0.6092, 0.9055, 2.694, 6.893 us; h200-sxm-trtllm 0.6269, 0.899, 2.141, 8.255 us;
  // h100-sxm-sglang 0.6353, 0.9149, 3.029, 6.896 us. Same rows, same formula, same tile of 1; that fit has no priors and
  // squares, so the priors are made weak here and the loss is left plain. It steps in a logistic transform and stops at
  // 1e-10 of the squares: both should stand in the same minimum, up to the four digits that files hold.
  KernelFitOptions as_script;
  as_script.soft = 0;
  as_script.priors = {10, 10, 10, 10, 10, 10};
  for (const auto& [gpu, engine] :
       std::vector<std::pair<std::string, std::string>>{{"h200", "sglang"}, {"h200", "trtllm"}, {"h100", "sglang"}}) {
    const Gpu part = load_gpu(gpu, test::shipped_catalogue());
    const KernelFit fit =
        fit_kernels(gemm_rows(gpu), {gpu, engine}, part, load_calibration("hopper", test::shipped_catalogue()), as_script);
    const Calibration shipped = load_calibration(part.name + "-" + engine, test::shipped_catalogue());
    const KernelEfficiency& theirs = shipped.kernels.at(KernelFamily::DenseGemm);
    const KernelEfficiency& ours = fit.calibration.kernels.at(KernelFamily::DenseGemm);
    INFO(gpu << " " << engine);
    CHECK(fit.residuals.at(0).rows + fit.residuals.at(1).rows + fit.residuals.at(2).rows == 168);
    CHECK(ours.compute.value == Approx(theirs.compute.value).epsilon(0.002));
    CHECK(ours.memory.value == Approx(theirs.memory.value).epsilon(0.002));
    CHECK(ours.sharpness.value == Approx(theirs.sharpness.value).epsilon(0.005));
    CHECK(ours.launch_us.value == Approx(theirs.launch_us.value).epsilon(0.002));
  }
}
