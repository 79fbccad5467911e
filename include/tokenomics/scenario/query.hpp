#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/market/operating_point.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

enum class SolveFor {
  Price,          ///< the lowest price under the SLO
  Ttft,           ///< the earliest first token that a given price pays for
  Interactivity,  ///< the highest speed that a given price pays for
  Context,        ///< the longest context that a given price pays for
  Service,        ///< what a given fleet gives a given demand
  Demand,         ///< the largest demand that a fleet takes within the SLO
  GpuPrice,       ///< the price of a GPU-hour at which each chip is as cheap as the first
  Strategy,       ///< margin, share or GPUs for research: what each does with a fleet at a given price
  Scarcity        ///< a fixed fleet whose load grows until users are as slow as `slow_to_tok_s`
};
const char* to_string(SolveFor what);

/// A chip that a deployment may be built of.
struct HardwareChoice {
  Gpu gpu;
  Calibration calibration;
  UsdPerSecond price{0};     ///< of one GPU
  std::string price_source;  ///< "given", or what the hardware file says of it
};

/// How much KV memory a sequence is given when it is admitted.
enum class ContextReservation {
  None,  ///< what it holds; more as it grows
  Full   ///< the whole context limit: no sequence is ever preempted, and fewer fit
};

/// Deployments that are tried. Every list is tried with every other as far as they fit together.
struct SearchSpace {
  bool mixed = true;
  bool disaggregated = false;
  std::vector<int> gpus_per_instance;  ///< empty: 1, 2, 4, 8; with experts beyond that for disaggregated pools
  std::string engine;                  ///< chooses the default calibration
  std::vector<BatchPolicy> policies{BatchPolicy::ChunkedMixed, BatchPolicy::PrefillFirst};
  std::vector<std::int64_t> tokens_per_step{8192, 16384};  ///< prompt budget of one data-parallel rank
  std::vector<std::int64_t> sequences_per_rank{1024};      ///< batch limit of one data-parallel rank
  std::vector<ContextReservation> reservations{ContextReservation::None};
  std::vector<WaitRule> waits{WaitRule{}};
  std::vector<int> draft_tokens{0};  ///< MTP; above 0 only where the network has a module
  std::vector<double> acceptance;    ///< one a draft token
  Precisions precisions;
  RankBalance balance;                              ///< of pools with several data-parallel ranks
  OverlapSchedule decode_overlap, prefill_overlap;  ///< of expert-parallel instances over several nodes
  double hbm_utilization = 0.9;
  Bytes reserved_per_gpu{0};
  std::int64_t block_tokens = 64;
};

/// A question to the solver.
struct Query {
  std::string name;
  std::string file;
  std::string description;
  std::vector<std::string> assumptions;
  Network network;
  WorkloadSpec workload;  ///< lengths and cache hits; arrivals are Poisson at the load that is looked for
  std::vector<HardwareChoice> hardware;
  SloSpec slo;
  std::int64_t context_tokens = 0;              ///< prompt + output that every user may hold
  std::vector<std::int64_t> frontier_contexts;  ///< frontier: context limits to compare; empty: context_tokens
  double margin_over_revenue = 0;
  std::optional<TokenPrices> price_ratios;  ///< proportions of the three prices; absent: each class bears its own cost
  double max_reject = 0.001;
  std::optional<double> fleet_cap_gpus;
  std::optional<double> demand_requests_per_s;
  Objective objective = Objective::OwnMix;
  SolveFor solve_for = SolveFor::Price;
  std::optional<double> price;  ///< of the objective, USD per million tokens (per_answer: USD)
  /// Strategy: demand goes with seconds per answer to the power of minus this; `demand_requests_per_s` is that at the SLO.
  double demand_response = 0;
  std::optional<double> slow_to_tok_s;  ///< Scarcity
  SearchSpace search;
  std::uint64_t seed = 1;
  std::vector<std::string> catalogue_directories;  ///< where relative trace paths are looked for
};

class Catalogue;

/// Reads a query: a path, "-" or the name of one in queries/. `sets` as in load_scenario(). Throws ScenarioError with
/// every problem; IoError when a file cannot be read.
Query load_query(const std::string& path_or_name, const Catalogue& catalogue, const std::vector<std::string>& sets = {},
                 std::optional<std::uint64_t> seed = std::nullopt);
/// The same from JSON text; `file` names it in messages.
Query load_query_text(const std::string& text, const std::string& file, const Catalogue& catalogue,
                      const std::vector<std::string>& sets = {}, std::optional<std::uint64_t> seed = std::nullopt);

}  // namespace tokenomics
