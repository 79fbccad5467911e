#include <algorithm>

#include "family_fit.hpp"
#include "tokenomics/roofline/kernel_time.hpp"

namespace tokenomics {
namespace {

constexpr double kLaunchStart_us = 3.0;  // of a nuisance: about what a small kernel takes on any GPU

/// A calibration with one family only; the others' p-norms are not tabulated. Rows are short benchmarks: no throttling.
Calibration alone(KernelFamily family, const KernelEfficiency& efficiency) {
  const SourcedNumber one{1, "", ""}, zero{0, "", ""};
  Calibration result;
  result.kernels[KernelFamily::DenseGemm] = {one, one, zero, zero, one};
  result.kernels[KernelFamily::AttentionDecode] = {one, one, zero, zero, one};
  result.kernels[family] = efficiency;
  return result;
}

KernelWork work_of(const TimedLaunch& launch, KernelFamily family, const KernelTimer& timer) {
  // Prompts fill their tiles: the roofline does not pad them.
  const double rows = family == KernelFamily::AttentionPrefill ? launch.rows : timer.padded_rows(family, launch.rows);
  return {family,
          launch.arithmetic,
          launch.flops_per_row * launch.rows * launch.groups,
          launch.flops_per_row * rows * launch.groups,
          launch.bytes,
          1};
}

double row_time(const KernelRow& row, const KernelTimer& timer) {
  double sum = 0;
  for (const TimedLaunch& launch : row.launches) sum += timer.time(work_of(launch, *row.kernel, timer));
  return sum;
}

/// Parts of the row's time when each is taken for itself.
RowShares shares_of(const KernelRow& row, const KernelTimer& timer) {
  KernelParts sum;
  for (const TimedLaunch& launch : row.launches) {
    const KernelParts parts = timer.parts(work_of(launch, *row.kernel, timer));
    sum.compute_s += parts.compute_s;
    sum.memory_s += parts.memory_s;
    sum.launch_s += parts.launch_s;
  }
  const double all = std::max(sum.compute_s, sum.memory_s) + sum.launch_s;
  if (all <= 0) return {0, 0, 1};
  return {sum.compute_s >= sum.memory_s ? sum.compute_s / all : 0, sum.memory_s >= sum.compute_s ? sum.memory_s / all : 0,
          sum.launch_s / all};
}

}  // namespace

FamilyProblem kernel_problem(KernelFamily family, const Gpu& gpu, Calibration& calibration,
                             const std::vector<const KernelRow*>& rows, const KernelFitOptions& options) {
  KernelEfficiency& e = calibration.kernels.at(family);
  KernelEfficiency judged = e;  // by what the rows are sorted: the prior, with a launch even where it has none
  if (judged.launch_us.value <= 0) judged.launch_us.value = kLaunchStart_us;
  const KernelTimer timer(gpu, alone(family, judged));
  std::vector<RowShares> shares;
  for (const KernelRow* row : rows) shares.push_back(shares_of(*row, timer));
  // A number is known from rows that it takes half the time of; a launch already from a quarter.
  const bool compute = decided(shares, &RowShares::compute, 0.5, options.least_rows);
  const bool memory = decided(shares, &RowShares::memory, 0.5, options.least_rows);
  const bool launch = decided(shares, &RowShares::fixed, 0.25, options.least_rows);
  const KernelPriors& priors = options.priors;
  const bool attention = family == KernelFamily::AttentionDecode || family == KernelFamily::AttentionPrefill;
  const double most_compute = attention ? options.most_attention : 1;
  FamilyProblem problem;
  problem.family = std::string(name_of(family));
  problem.numbers = {
      {"compute", &e.compute, priors.compute, 0.01, most_compute, compute ? "" : "too few rows are bound by compute", 0},
      {"memory", &e.memory, priors.memory, 0.01, options.most_memory, memory ? "" : "too few rows are bound by memory", 0},
      {"sharpness", &e.sharpness, priors.sharpness, 1, 8,
       compute && memory ? "" : "rows are not bound by compute and by memory both", 0},
      {"launch_us", &e.launch_us, priors.launch, 0.01, 1000, launch ? "" : "too few rows are short enough to show it",
       e.launch_us.value > 0 ? 0 : kLaunchStart_us},
      {"tile_m", &e.tile_m, 0, 0, 0, "not fitted", 0}};
  problem.rows = rows;
  problem.times = [family, gpu, tile = e.tile_m](const std::vector<double>& v, const std::vector<const KernelRow*>& some) {
    const KernelEfficiency trial{{v[0], "", ""}, {v[1], "", ""}, {v[2], "", ""}, {v[3], "", ""}, tile};
    const KernelTimer timed(gpu, alone(family, trial));
    std::vector<double> seconds;
    for (const KernelRow* row : some) seconds.push_back(row_time(*row, timed));
    return seconds;
  };
  return problem;
}

}  // namespace tokenomics
