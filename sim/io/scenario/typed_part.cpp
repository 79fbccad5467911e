#include "typed_part.hpp"

#include <filesystem>

#include "parts.hpp"

namespace tokenomics {

using nlohmann::json;

std::string part_key(const json& reference, const Reporter& report) {
  std::string key = std::filesystem::path(report.document().file).parent_path().string() + '\n';
  json::to_cbor(reference, key);  // unlike text, it tells bytes apart that are no UTF-8
  return key;
}

std::shared_ptr<const Network> typed_network(const json& reference, const Reporter& report, const Catalogue& catalogue) {
  return typed_part(catalogue, kModelPart, reference, report, &LoadCache::networks,
                    [](const Part& part) { return network_from(*part.value, part.report); });
}

std::shared_ptr<const Gpu> typed_gpu(const json& reference, const Reporter& report, const Catalogue& catalogue) {
  return typed_part(catalogue, kHardwarePart, reference, report, &LoadCache::gpus,
                    [](const Part& part) { return gpu_from(*part.value); });
}

std::shared_ptr<const Calibration> typed_calibration(const json& reference, const Reporter& report,
                                                     const Catalogue& catalogue) {
  return typed_part(catalogue, kCalibrationPart, reference, report, &LoadCache::calibrations,
                    [](const Part& part) { return calibration_from(*part.value); });
}

std::shared_ptr<const OverlapSchedule> typed_overlap(const json& reference, const Reporter& report,
                                                     const Catalogue& catalogue) {
  return typed_part(catalogue, kOverlapPart, reference, report, &LoadCache::overlaps,
                    [](const Part& part) { return overlap_from(*part.value, part.report); });
}

std::shared_ptr<const WorkloadSpec> typed_workload(const json& reference, const Reporter& report,
                                                   const Catalogue& catalogue) {
  return typed_part(catalogue, kWorkloadPart, reference, report, &LoadCache::workloads,
                    [&](const Part& part) { return workload_from(*part.value, part.report, catalogue); });
}

}  // namespace tokenomics
