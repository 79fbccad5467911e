#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/study/solve.hpp"

namespace tokenomics {

/// A service as its users see it. Medians are over requests.
struct ObservedService {
  TokenPrices prices;
  std::optional<Seconds> ttft_p50;           ///< the way to the host and its router included
  std::optional<TokensPerSecond> speed_p50;  ///< output tokens of one request
};

enum class InferenceVerdict {
  Explained,          ///< some deployment gives this speed and first token, and earns its GPUs
  BelowCost,          ///< some deployment does, but not even the cheapest earns its GPUs at their market price
  TooFast,            ///< faster than every deployment that is nearly idle
  LateFirstToken,     ///< whatever gives this speed gives its first token later than observed
  SlowerThanFull,     ///< slower than deployments that are as full as they can be: a large batch alone does not explain it
  DoesNotFit,         ///< no deployment of the search space holds the network and one sequence of the context
  NotEnoughObserved,  ///< no speed: nothing to infer the batch from
  NotModelled         ///< the network is not known or not modelled, or no chip of the host has a price
};
/// "explained", "below_cost", "too_fast" ...
const char* to_string(InferenceVerdict verdict);

/// A deployment at the load at which it would be seen as observed.
struct InferredDeployment {
  PricedDeployment at_load;  ///< one instance, or a small unit of a pair of pools; the medians; its prices cover the cost at
                             ///< the query's margin
  double batch_per_gpu = 0;  ///< decoding sequences a GPU that decodes, mean
  double utilization = 0;    ///< of the pool that decodes: load over the highest it can take at all
  double cost_own_mix = 0;   ///< USD per token of the workload's own mix
  double price_own_mix = 0;  ///< the same, paid at the observed prices
  double margin_over_revenue = 0;
  std::optional<double> unexplained_ttft_s;  ///< observed above its own: network, router, queue. Slightly below 0 when
                                             ///< its own is within the tolerance
};

struct Span {
  double min = 0, max = 0;
};
/// What the consistent deployments of one chip, or of all, have in common.
struct InferredRange {
  std::string hardware;  ///< empty: of all chips
  std::size_t tried = 0, consistent = 0;
  Span batch_per_gpu, utilization, margin_over_revenue;  ///< 0 without a consistent one
};

struct HostInference {
  InferenceVerdict verdict = InferenceVerdict::NotEnoughObserved;
  std::string explanation;                     ///< a sentence with the numbers behind the verdict
  std::vector<InferredDeployment> consistent;  ///< cheapest first
  /// SlowerThanFull: the cheapest at its largest batch. LateFirstToken: the one with the soonest first token.
  std::optional<InferredDeployment> nearest;
  InferredRange all;
  std::vector<InferredRange> per_hardware;
  std::vector<std::string> missing;  ///< "speed", "ttft"
};

struct InferOptions {
  unsigned jobs = 1;            ///< the result does not depend on it
  double ttft_tolerance = 0.1;  ///< by which a deployment's own median TTFT may exceed the observed one
};

/// What prices, speed and first token imply, were the service one of the query's deployments under its workload.
///
/// Every deployment is loaded until its median speed is the observed one; a prefill pool beside it is as small as the
/// observed first token allows. The query's SLO, demand and fleet are not
/// looked at; its margin only sets the prices in `at_load`. No deployment is a verdict, not an error. Throws
/// ScenarioError when the workload's trace is broken.
HostInference infer_host(const Query& query, const ObservedService& observed, const InferOptions& options = {});

}  // namespace tokenomics
