#pragma once

#include <nlohmann/json.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics::test {

inline const Catalogue& shipped() {
  static const Catalogue catalogue({TOKENOMICS_CATALOGUE});
  return catalogue;
}

/// A scenario that loads; what the results below say of it is made up.
inline Scenario small_scenario() {
  return load_scenario_text(
      R"({"name": "small", "model": "llama-3.3-70b", "workload": "chat-2023", "cost": {"usd_per_gpu_hour": 2},
                               "deployment": {"pools": [{"hardware": "h100-sxm", "parallelism": {"tp": 4}}]}})",
      "small.json", shipped());
}

/// Nothing was simulated.
inline RunResult empty_result() {
  RunResult result;
  result.scenario = small_scenario();
  result.hash = scenario_hash(result.scenario);
  return result;
}

inline PoolSummary pool(const char* name, PoolRole role, double gpus) {
  PoolSummary summary;
  summary.name = name;
  summary.role = role;
  summary.hardware = "h100-sxm";
  summary.instances = gpus / 4;
  summary.gpus = gpus;
  summary.calibration = "by hand";
  return summary;
}

/// 100 s of a service on 8 prefill and 8 decode GPUs, in round numbers.
inline RunResult round_result() {
  RunResult result = empty_result();
  ServiceResult& service = result.service;
  service.measured_s = 100;
  service.requests.arrived = 12;
  service.requests.completed = 10;
  service.requests.rejected_context_limit = 2;
  service.ttft.add(1'000'000'000, 0);
  service.ttft.add(3'000'000'000, 1);
  service.ttft.close();
  service.tpot.add(50'000'000, 0);   // 20 tok/s/user
  service.tpot.add(100'000'000, 1);  // 10 tok/s/user
  service.tpot.close();
  service.interactivity_sum = 30;
  service.interactivity_count = 2;
  service.answers_tokens = 4000;
  service.answers = 10;
  result.represents_s = 100;
  result.volume = {.input_computed = 6000, .input_cached = 2000, .output = 4000};
  result.requests_arrived = 12;
  result.answers = 10;
  result.pools = {pool("prefill", PoolRole::Prefill, 8), pool("decode", PoolRole::Decode, 8)};
  result.fleet = {.gpus_mean = 16,
                  .gpus_peak = 16,
                  .gpu_hours = 16.0 / 36,
                  .gpu_hours_released = 0,
                  .nodes_mean = 2,
                  .nodes_peak = 2,
                  .nodes_trough = 2,
                  .control = {},
                  .timeline = {},
                  .research = {}};
  result.cost.having = Usd{8};
  result.cost.in_use = Usd{1.0 / 3};
  result.price.prices = TokenPrices{usd_per_mtok(0.55), usd_per_mtok(0.14), usd_per_mtok(2.19)};
  result.price.from_card = true;
  result.binding = {{"hbm_bandwidth", 0.9, "by hand"}, {"load", 0.6, "by hand"}};
  return result;
}

}  // namespace tokenomics::test
