#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

// Sections of a scenario file that its schema has accepted -> typed, and back. An absent section reads as an empty one.

/// What the deployment needs from the rest of the scenario.
struct DeploymentContext {
  const Catalogue* catalogue = nullptr;
  const Network* network = nullptr;             ///< null when it could not be read
  const nlohmann::json* calibration = nullptr;  ///< the scenario's, or null
  std::optional<Reporter> calibration_report;
};
DeploymentSpec deployment_from(const nlohmann::json& file, const Reporter& report, const DeploymentContext& context);
nlohmann::json json_of(const DeploymentSpec& deployment);

/// Parts of a pool's file that queries have too.
Precisions precisions_from(const nlohmann::json& file, const Network& network);
OverlapSchedule schedule_from(const nlohmann::json& reference, const Reporter& report, const Catalogue& catalogue);
BatchPolicy batch_policy_named(const std::string& name);
/// The best calibration of the catalogue for a GPU and engine ("" for any), marked as a default where it is one; nothing,
/// and a report, when there is none.
std::optional<Calibration> default_calibration(const Gpu& gpu, const std::string& engine, const Reporter& report,
                                               const Catalogue& catalogue);

PrefixCacheSpec prefix_cache_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const PrefixCacheSpec& cache);
PreemptionSpec preemption_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const PreemptionSpec& preemption);

FleetSpec fleet_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const FleetSpec& fleet);

LimitsSpec limits_from(const nlohmann::json& file);
nlohmann::json json_of(const LimitsSpec& limits);

SloSpec slo_from(const nlohmann::json& file);
nlohmann::json json_of(const SloSpec& slo);

/// Without a price the pools' rental price is taken; pools with different or unknown prices are reported.
GpuHourCost cost_from(const nlohmann::json& file, const Reporter& report, const std::vector<PoolSpec>& pools);
nlohmann::json json_of(const GpuHourCost& cost);

/// USD per million tokens: input, output and, optionally, input_cached.
TokenPrices prices_from(const nlohmann::json& file);

PricingSpec pricing_from(const nlohmann::json& file, const Reporter& report);
nlohmann::json json_of(const PricingSpec& pricing);

MeasureSpec measure_from(const nlohmann::json& file, const Reporter& report, const WorkloadSpec* workload);
nlohmann::json json_of(const MeasureSpec& measure);

// What contradicts each other across sections.
void check_pool(const PoolSpec& pool, const nlohmann::json& file, const Reporter& report);
void check_topology(const std::vector<PoolSpec>& pools, const Reporter& report);
void check_limits(const Network& network, const nlohmann::json& file, const Reporter& report);
void check_fleet(const Scenario& scenario, const Reporter& report);
/// What the fleet's section and the measured time ask of each other; `measure` must have been read.
void check_fleet_run(const Scenario& scenario, const nlohmann::json& file, const Reporter& report);
void check_measure(const Scenario& scenario, const Reporter& report);

}  // namespace tokenomics
