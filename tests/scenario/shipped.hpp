#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tokenomics/scenario/load.hpp"

namespace tokenomics {

inline const Catalogue& shipped() {
  static const Catalogue catalogue({TOKENOMICS_CATALOGUE});
  return catalogue;
}

/// What is wrong with a scenario, a line each; empty when it loads. Folders are cut off the file names.
inline std::vector<std::string> complaints(const std::string& path, const std::vector<std::string>& sets = {}) {
  try {
    load_scenario(path, shipped(), sets);
  } catch (const ScenarioError& error) {
    std::vector<std::string> lines;
    for (Problem problem : error.problems()) {
      problem.file = problem.file.substr(problem.file.rfind('/') + 1);
      lines.push_back(to_string(problem));
    }
    return lines;
  }
  return {};
}

inline std::string broken(const std::string& name) {
  return std::string(TOKENOMICS_TEST_DATA) + "/scenario/broken/" + name + ".json";
}

/// The minimal scenario: five lines, everything else is a default.
inline const char* const kMinimal = R"({
  "model": "llama-3.3-70b",
  "deployment": {"hardware": "h100-sxm", "tp": 8},
  "workload": "chat-2023"
})";

// clang-format off
/// Everything that can be written, once: owned GPUs, split pools, off-peak prices, a schedule of nodes, windows.
inline const char* const kEverything = R"({
  "name": "everything", "description": "d", "assumptions": ["a"], "seed": 9223372036854775807,
  "published": [{"quantity": "nodes_mean", "value": 1.5, "source": "s"}],
  "model": "deepseek-v3.2-exp",
  "workload": {"arrivals": {"kind": "gamma", "rate_per_s": 0.1, "cv": 1.7},
    "lengths": {"input": {"law": "lognormal", "mean": 3668.8, "sigma": 1.2, "min_tokens": 2, "max_tokens": 60000},
                "output": {"law": "pareto", "scale": 33.3, "alpha": 1.3}},
    "cache_hit_ratio": 0.563, "reasoning_share": 0.7},
  "deployment": {
    "pools": [
      {"role": "prefill", "hardware": "h800", "instances": 3, "parallelism": {"dp": 32, "ep": 32}, "overlap": "deepseek_prefill",
       "routing": {"zipf_exponent": 0.3, "redundant_experts": 32}, "batching": {"policy": "prefill_first", "wait": {"until_requests": 5, "at_most_s": 0.7}, "queue": "priority", "priority_aging_s": 2.3}},
      {"name": "d", "role": "decode", "hardware": {"base": "h20", "hbm_capacity_GB": 99.9}, "engine": "sglang", "gpus_per_node": 16,
       "parallelism": {"attention_dp": 72, "attention_tp": 2, "ep": 144}, "precision": {"kv": "fp8"}, "overlap": {"decode": "deepseek_decode"},
       "routing": {"redundant_experts": 32}, "balance": {"context_max_over_mean": 1.2}, "mtp": {"draft_tokens": 1, "acceptance": [0.85]},
       "memory": {"hbm_utilization": 0.88, "reserved_GB_per_gpu": 7.3, "block_tokens": 16}}],
    "router": "least_tokens", "decode_router": "power_of_two", "kv_transfer": {"bandwidth_GBps_per_gpu": 33.3, "latency_s": 0.007, "layerwise_overlap": false}},
  "fleet": {"kind": "schedule", "max_nodes": 99, "schedule_nodes": [[0, 10], [8.5, 40]]},
  "limits": {"context_tokens": 64000, "queue_requests": 100,
    "admission": {"default": {"rate_per_s": 3.3, "burst": 7}, "tenants": [{"tenant": 5, "unit": "prompt_tokens", "rate_per_s": 999.9, "burst": 50000}],
                  "shed": {"wait_s": 12.5, "waiting_requests_per_instance": 40, "kv_share": 0.93, "class_factor": 0.8}}},
  "slo": {"ttft_s": {"percentile": 99, "max": 2.2}, "interactivity_tok_s_user": {"min": 33}},
  "cost": {"owned": {"capex_usd_per_gpu": 31000, "cost_of_capital_per_year": 0.11, "life_years": 4.5, "residual_share": 0.1, "power_W_per_gpu": 1250,
           "pue": 1.23, "usd_per_kWh": 0.083, "hosting_usd_per_gpu_hour": 0.19, "staff_usd_per_gpu_hour": 0.07, "spares_share": 0.03},
           "kv_storage_usd_per_gpu_hour": 0.017},
  "pricing": {"usd_per_mtok": {"input": 0.55, "input_cached": 0.14, "output": 2.19},
    "off_peak": {"from_hour": 0.5, "to_hour": 8.5, "usd_per_mtok": {"input": 0.135, "output": 0.55}},
    "realised": {"free_share": 0.3, "other_model_share": 0.4, "other_model_usd_per_mtok": {"input": 0.27, "input_cached": 0.07, "output": 1.1}}},
  "measure": {"start": "stationary", "warm_up_s": 10.5, "windows_per_day": 24, "window_s": 20, "replications": 3}
})";
// clang-format on

}  // namespace tokenomics
