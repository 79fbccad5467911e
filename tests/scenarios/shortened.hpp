#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/catalogue.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics::test {

/// Names of the shipped services, one test case after the other: a new file is under test as soon as it is there.
inline std::vector<std::string> shipped_services() {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : shipped_catalogue().list(CatalogueKind::Services)) names.push_back(entry.name);
  return names;
}

/// The long ones, cut to a fraction of a second; everything else as shipped.
inline std::vector<std::string> shortened(const std::string& service) {
  const std::map<std::string, std::vector<std::string>> sets{
      {"bench-70b-8gpu", {"/measure/requests=10000"}},
      {"bench-agents", {"/measure/requests=10000"}},
      {"deepseek-api-2025-06-27", {"/measure/windows_per_day=3"}},
      {"deepseek-api-spring-2025", {"/measure/warm_up_s=300", "/measure/duration_s=120"}},
      {"deepseek-production-2025-02", {"/measure/windows_per_day=2"}},
      {"deepseek-schedule-2025-02", {"/measure/windows_per_day=3"}},
      {"llama-70b-autoscaled-day", {"/measure/duration_s=3600"}},
  };
  const auto found = sets.find(service);
  return found == sets.end() ? std::vector<std::string>{} : found->second;
}

/// Runs a service with its cuts and `sets` after them.
inline RunResult run_shortened(const std::string& service, const std::vector<std::string>& sets = {},
                               const RunOptions& options = {}) {
  std::vector<std::string> all = shortened(service);
  all.insert(all.end(), sets.begin(), sets.end());
  return run_scenario(shipped(service, all), options);
}

inline double seconds_at(const LatencyMetric& metric, double quantile) {
  return metric.histogram().quantile(quantile) * 1e-9;
}

}  // namespace tokenomics::test
