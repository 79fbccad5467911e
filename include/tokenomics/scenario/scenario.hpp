#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/cost/gpu_hour.hpp"
#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/roofline/calibration.hpp"
#include "tokenomics/roofline/plan.hpp"
#include "tokenomics/sim/admission.hpp"
#include "tokenomics/sim/fleet.hpp"
#include "tokenomics/sim/policies.hpp"
#include "tokenomics/sim/prefix_cache.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// A place for KV below HBM. Exactly one of the two capacities, or none: unlimited.
struct CacheTierSpec {
  std::string name;
  bool shared = false;                        ///< one store for all instances of the pool
  std::optional<double> capacity_GB_per_gpu;  ///< of an instance's own tier
  std::optional<double> capacity_TB;          ///< of a shared tier
  double bandwidth_GBps_per_gpu = 0;          ///< of loads
  double latency_ms = 0;
  CacheWrite write = CacheWrite::Through;
  std::optional<double> ttl_s;
  double usd_per_GB_month = 0;   ///< of its capacity, or of what it holds when it has none
  double usd_per_TB_loaded = 0;  ///< wear, requests, network
};

/// Absent: prompts share nothing but what the workload's hit ratio or its trace says.
struct PrefixCacheSpec {
  bool in_hbm = true;
  std::int64_t block_tokens = 64;
  std::optional<double> ttl_s;  ///< in HBM
  std::vector<CacheTierSpec> tiers;
};

/// Preempted sequences: dropped and computed again, or swapped to host memory.
struct PreemptionSpec {
  bool swap = false;
  double host_GB_per_gpu = 0;
  double bandwidth_GBps_per_gpu = 0;  ///< one way
};

struct PoolSpec {
  std::string name;
  PoolRole role = PoolRole::Mixed;
  int instances = 1;
  int gpus_per_node = 8;
  InstancePlan plan;
  Calibration calibration;
  BatchingSpec batching;
  MtpSpec mtp;
  std::int64_t block_tokens = 64;
  std::optional<PrefixCacheSpec> prefix_cache;
  PreemptionSpec preemption;
};

struct KvTransferSpec {
  std::optional<double> bandwidth_GBps_per_gpu;  ///< default: the NIC of the prefill GPUs
  double latency_s = 0;
  bool layerwise_overlap = true;  ///< only the last layer's KV is on the way after prefill ends
  bool waits_for_place = false;   ///< pulled when the decode instance has a place for it; else sent after prefill
};

struct DeploymentSpec {
  std::vector<PoolSpec> pools;
  RouterPolicy router = RouterPolicy::RoundRobin;
  RouterRules router_rules;
  KvTransferSpec kv_transfer;
  double request_latency_s = 0;             ///< between a request's arrival and the router
  double request_latency_s_per_ktoken = 0;  ///< ... per 1,000 prompt tokens besides

  /// Whether some pool's router is this one.
  [[nodiscard]] bool routes_by(RouterPolicy policy) const { return router == policy || router_rules.decode == policy; }
};

/// How instances come up: the time from the order to the first request is provisioning + weights / bandwidth + warm-up.
struct StartUpSpec {
  double provisioning_s = 60;
  double load_GBps_per_gpu = 2;
  double warm_up_s = 60;
  bool operator==(const StartUpSpec&) const = default;
};

struct FailureSpec {
  double mtbf_gpu_hours = 50'677;  ///< an instance of n GPUs fails n times as often
  double repair_s = 0;
  double detect_s = 0;
  bool retry = true;
  bool paid_while_down = true;
};

/// One pool's rule inside a run. Pools without one keep their instances.
struct AutoscaleSpec {
  std::string pool;
  Scaling scaling;
};

/// Absent: the deployment's fixed instances. `HoldService`: per window of the day, as few units as hold the service.
/// `Schedule`: per window of the day, or in a run without windows by its clock. `Autoscale`: inside a run.
struct FleetSpec {
  enum class Kind { Fixed, HoldService, Schedule, Autoscale };
  Kind kind = Kind::Fixed;
  double interactivity_tok_s_user = 0;  ///< HoldService: decode or mixed units hold this mean speed
  double ttft_p90_s = 0;                ///< HoldService: prefill units hold this; mixed ones where it is above 0
  std::optional<int> max_nodes;
  std::vector<std::pair<double, int>> schedule_nodes;  ///< Schedule: (from hour, nodes), sorted
  std::vector<AutoscaleSpec> autoscale;
  std::optional<StartUpSpec> start_up;
  std::optional<FailureSpec> failures;
  std::optional<double> owned_gpus;                 ///< what is not held of them is lent to research
  std::optional<double> research_usd_per_gpu_hour;  ///< what a lent GPU-hour is worth
};

struct LimitsSpec {
  std::optional<std::int64_t> context_tokens;  ///< prompt + output; default: the network's
  std::optional<std::int64_t> queue_requests;  ///< waiting in one instance before "queue_full"
  AdmissionRules admission;
};

struct SloSpec {
  struct Bound {
    double percentile = 90;
    double value = 0;
  };
  std::optional<Bound> ttft_s;                    ///< at most
  std::optional<Bound> interactivity_tok_s_user;  ///< at least; percentile 90: nine users of ten get it
};

/// What a service really earns against its list: another model's prices for a share of the tokens, users who pay nothing.
struct RealisedRevenueSpec {
  double free_share = 0;  ///< of all tokens
  double other_model_share = 0;
  std::optional<TokenPrices> other_model_prices;
};

struct PricingSpec {
  std::optional<PriceCard> card;  ///< absent: price = cost / (1 - margin)
  double margin_over_revenue = 0;
  RealisedRevenueSpec realised;
};

struct MeasureSpec {
  enum class Start { Empty, Stationary };
  Start start = Start::Empty;
  double warm_up_s = 0;
  std::int64_t warm_up_requests = 0;     ///< arrivals left out, counted from the start
  std::optional<double> duration_s;      ///< after warm-up
  std::optional<std::int64_t> requests;  ///< arrivals measured after warm-up
  int windows_per_day = 0;               ///< > 0: that many windows spread over the day, each from its own start
  double window_s = 0;
  int replications = 1;
};

/// A figure that somebody published of the service that a scenario imitates. Printed beside ours, never used.
struct PublishedFigure {
  std::string quantity;  ///< "nodes_mean", "cost_usd_per_day": names that the report knows, with the unit
  double value = 0;
  std::string source;
};

struct Scenario {
  std::string name;
  std::string file;
  std::string description;
  std::vector<std::string> assumptions;  ///< printed with the result
  std::vector<PublishedFigure> published;
  WorkloadSpec workload;
  DeploymentSpec deployment;
  FleetSpec fleet;
  LimitsSpec limits;
  SloSpec slo;
  GpuHourCost cost;
  PricingSpec pricing;
  MeasureSpec measure;
  std::uint64_t seed = 1;
  std::vector<std::string> catalogue_directories;  ///< where relative trace paths are looked for
};

}  // namespace tokenomics
