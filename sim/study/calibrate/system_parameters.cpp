#include "tokenomics/study/system_parameters.hpp"

#include <algorithm>

namespace tokenomics {
namespace {

template <KernelFamily family, SourcedNumber KernelEfficiency::*member>
SourcedNumber* kernel(Calibration& c) {
  return &(c.kernels[family].*member);
}

template <LinkEfficiency Calibration::*link, SourcedNumber LinkEfficiency::*member>
SourcedNumber* of_link(Calibration& c) {
  return &(c.*link.*member);
}

template <SourcedNumber Calibration::*member>
SourcedNumber* own(Calibration& c) {
  return &(c.*member);
}

template <SourcedNumber FormatEfficiency::*member>
SourcedNumber* fp4(Calibration& c) {
  return &(c.formats[Precision::Fp4].*member);
}

constexpr auto kMemory = &KernelEfficiency::memory;

}  // namespace

double SystemParameter::value(const Calibration& calibration) const {
  Calibration copy = calibration;  // places point into what may be changed
  const double found = places.front()(copy)->value;
  return std::clamp(found > 0 ? found : guess, low, high);
}

void SystemParameter::set(Calibration& calibration, const SourcedNumber& number) const {
  for (const auto& place : places) *place(calibration) = number;
}

const std::vector<SystemParameter>& system_parameters() {
  static const std::vector<SystemParameter> all{
      {"hbm_dense",
       "share",
       "of HBM bandwidth, reading weights of projections, dense FFNs and heads",
       0.2,
       1,
       0.75,
       0.15,
       {kernel<KernelFamily::DenseGemm, kMemory>, kernel<KernelFamily::BatchedGemm, kMemory>}},
      {"hbm_experts",
       "share",
       "of HBM bandwidth, reading routed experts",
       0.2,
       1,
       0.8,
       0.2,
       {kernel<KernelFamily::GroupedGemm, kMemory>}},
      {"compute_experts",
       "share",
       "of the dense peak, grouped GEMMs of routed experts",
       0.03,
       1,
       0.25,
       0.4,
       {kernel<KernelFamily::GroupedGemm, &KernelEfficiency::compute>}},
      {"link",
       "share",
       "of scale-up bandwidth, all-reduce of large messages",
       0.1,
       1,
       0.6,
       0.25,
       {of_link<&Calibration::all_reduce, &LinkEfficiency::scale_up>}},
      {"launch_share",
       "share",
       "of the kernels' fixed times that captured graphs leave",
       0.05,
       1,
       0.5,
       0.35,
       {own<&Calibration::launch_share>}},
      {"prefill_host",
       "us per kernel",
       "host's time for each kernel of a step with prompts",
       1,
       400,
       40,
       0.6,
       {own<&Calibration::prefill_host_us_per_kernel>}},
      {"request_latency",
       "ms",
       "front end, before a request reaches the engine",
       1,
       400,
       60,
       0.6,
       {own<&Calibration::request_latency_ms>}},
      {"fp4_memory",
       "ratio",
       "of the share of HBM bandwidth, weights in four bits",
       0.3,
       1.6,
       1,
       0.5,
       {fp4<&FormatEfficiency::memory>}},
      {"fp4_launch",
       "ratio",
       "of the kernels' fixed times, weights in four bits",
       0.2,
       4,
       1,
       0.3,
       {fp4<&FormatEfficiency::launch>}}};
  return all;
}

Calibration with_parameters(Calibration calibration, const std::vector<double>& values) {
  const auto& all = system_parameters();
  for (std::size_t i = 0; i < all.size(); ++i) {
    SourcedNumber number{values[i], "fitted", "end-to-end points"};
    all[i].set(calibration, number);
  }
  calibration.prefill_host_floor_ms = {0, "fitted", "in prefill_host_us_per_kernel"};
  return calibration;
}

}  // namespace tokenomics
