#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/cost/accounting.hpp"
#include "tokenomics/roofline/step_model.hpp"
#include "tokenomics/scenario/scenario.hpp"
#include "tokenomics/sim/result.hpp"
#include "tokenomics/study/rate_match.hpp"

namespace tokenomics {

/// One simulated window of the day and the fleet that served it.
struct WindowSummary {
  double hour = 0;             ///< local time of its middle
  double rate_per_s = 0;       ///< offered requests
  std::vector<int> instances;  ///< per pool
  double nodes = 0;
  bool capped = false;  ///< the fleet rule asked for more than the cap allows
  double ttft_p90_s = 0;
  double interactivity_tok_s_user = 0;  ///< mean
  double batch_per_instance = 0;        ///< decoding sequences
  Usd cost{0};                          ///< of the part of the day it stands for
  Usd revenue{0};
};

/// What a pool's prefix cache did. Shares are of the prompt tokens that were scheduled.
struct CacheSummary {
  struct Place {
    std::string name;  ///< "hbm", or the tier's
    double loaded_tokens = 0, written_tokens = 0, evicted_tokens = 0;
    double held_tokens_mean = 0;  ///< over all instances; HBM: what running requests share included
  };
  double hit_share = 0;
  double hbm_hit_share = 0;                ///< of the prompt tokens too
  std::optional<double> load_wait_s_mean;  ///< over the requests that waited for lower tiers
  std::vector<Place> places;
};

/// A pool over the whole run.
struct PoolSummary {
  std::string name;
  PoolRole role = PoolRole::Mixed;
  std::string hardware;
  double instances = 0;  ///< mean over the run
  double gpus = 0;       ///< mean
  double gpu_hours = 0;
  std::optional<double> busy_fraction;
  std::optional<double> batch_mean;  ///< decoding sequences per instance while busy
  std::optional<double> step_ms_mean;
  std::optional<double> kv_occupancy_mean;
  std::optional<double> mfu;           ///< 2 * active parameters * tokens / (dense peak of the GEMM arithmetic * GPU time)
  std::optional<double> mbu;           ///< HBM bytes of the mean step * steps / (peak bandwidth * GPU time)
  std::optional<double> balancedness;  ///< mean over max of the expert ranks' load
  std::optional<CacheSummary> cache;
  std::optional<double> saturated_tok_s_per_node;  ///< prefill pools: computed tokens/s of a node that never waits
  MemoryPlan memory;
  double kv_bytes_per_token = 0;  ///< of the network, all layers
  std::string calibration;
  bool calibration_is_family_default = false;
};

/// What a pool's instances did where they come and go. Seconds and counts are of the time the run stands for.
struct PoolControlSummary {
  double start_up_s = 0;  ///< from the order to the first request: provisioning, weights, warm-up
  double load_s = 0;      ///< of it: weights into the GPUs
  double starts = 0, stops = 0, failures = 0;
  double starting_gpu_hours = 0, draining_gpu_hours = 0, down_gpu_hours = 0;
  std::optional<double> availability;     ///< time up over time up or down; absent without failures
  std::optional<double> mtbf_instance_s;  ///< absent without failures
};

/// Instances held, by pool, on average over a part of the measured time.
struct FleetTimePoint {
  double from_s = 0;  ///< since the window's start
  std::vector<double> instances;
};

/// What GPUs that serving does not hold are worth. `having` of the cost is that of the held ones, from which prices are
/// made; here the whole fleet is paid for, and research pays for its part.
struct ResearchSummary {
  Usd owned{0};  ///< all owned GPU-hours, lent ones included
  Usd value{0};  ///< of the lent ones
  Usd net{0};    ///< owned - value: what serving has to earn
  std::optional<UsdPerToken> net_own_mix;
};

struct FleetSummary {
  double gpus_mean = 0;
  double gpus_peak = 0;
  double gpu_hours = 0;
  double gpu_hours_released = 0;  ///< against the peak held all the time: hours given back to research
  double nodes_mean = 0, nodes_peak = 0, nodes_trough = 0;
  std::vector<PoolControlSummary> control;  ///< by pool; empty where the instances stay
  std::vector<FleetTimePoint> timeline;     ///< of runs of a given duration
  std::optional<ResearchSummary> research;
};

struct PriceSummary {
  std::optional<TokenPrices> prices;  ///< the card's standard prices, or solved from cost and margin
  bool from_card = false;
  std::optional<double> own_mix_usd_per_token;  ///< revenue over all tokens
  std::optional<Usd> revenue;                   ///< by the card, off-peak hours at their prices
  std::optional<Usd> revenue_list;              ///< all tokens at standard prices ("theoretical")
  std::optional<Usd> revenue_realised;          ///< with the other model's share and free users; absent when not stated
  std::optional<double> margin_over_revenue;
  std::optional<double> margin_over_cost;
  std::optional<double> margin_over_cost_list;
};

struct BindingLimit {
  std::string name;     ///< hbm_capacity | hbm_bandwidth | compute | network | ttft | interactivity | context | fleet | load
  double strength = 0;  ///< 1: at the limit; only limits of 0.25 or more are listed
  std::string detail;   ///< the numbers
};

struct EnergySummary {
  double kwh = 0;  ///< busy GPU time at thermal design power
  std::optional<double> joule_per_output_token;
};

/// How many users of a context fit the memory of one instance that decodes, whatever the limit that is sold.
struct ContextFit {
  std::int64_t context_tokens = 0;
  double sequences_per_instance = 0;
  double sequences_per_gpu = 0;
};

/// Everything `run` reports. Money and tokens are scaled to the time the run stands for (a day for windows of a day,
/// else the measured time); `service` holds what was really simulated.
struct RunResult {
  Scenario scenario;
  std::string hash;
  ServiceResult service;               ///< all windows and replications merged
  double represents_s = 0;             ///< the time the totals below stand for
  double scale = 1;                    ///< represents_s over simulated seconds
  TokenVolume volume;                  ///< over represents_s
  double requests_arrived = 0;         ///< over represents_s
  double answers = 0;                  ///< over represents_s
  std::vector<WindowSummary> windows;  ///< empty without windows
  std::vector<PoolSummary> pools;
  std::int64_t max_context_tokens = 0;    ///< longest prompt + answer that is accepted
  double sequences_at_context_limit = 0;  ///< that fit one instance at that length
  std::vector<ContextFit> fits;           ///< by context, up to the network's longest
  std::optional<RateMatch> rate_match;    ///< of disaggregated services
  FleetSummary fleet;
  CostBreakdown cost;
  PriceSummary price;
  std::vector<BindingLimit> binding;
  std::optional<EnergySummary> energy;
  std::vector<std::string> notes;  ///< conventions, fall-backs and assumptions that a reader must know
};

}  // namespace tokenomics
