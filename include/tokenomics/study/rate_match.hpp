#pragma once

#include <optional>

#include "tokenomics/study/build_service.hpp"

namespace tokenomics {

/// Prefill and decode pools that fill up together: how many instances of one go with one of the other, and how a number of
/// GPUs is best shared between them.
struct RateMatch {
  double prefill_rate_per_s = 0;          ///< requests/s of one prefill instance whose queue is never empty
  double decode_rate_per_s = 0;           ///< requests/s of one decode instance at its fullest
  std::optional<double> held_tok_s_user;  ///< the mean speed that a decode instance holds; absent: full batches
  double prefill_per_decode = 0;          ///< instances: decode rate / prefill rate
  double gpus = 0;                        ///< that are shared
  int prefill = 0, decode = 0;            ///< whole instances that serve most requests with at most so many GPUs
  double rate_per_s = 0;                  ///< that they serve: the lower of what both pools do
};

/// The best whole shares of `gpus`; nothing where they do not hold one instance of each. Ties: the fewest GPUs.
struct InstanceLoad {
  double rate_per_s = 0;  ///< positive
  int gpus = 1;
};
std::optional<RateMatch> match_rates(const InstanceLoad& prefill, const InstanceLoad& decode, double gpus);

/// Of a service with two pools and the GPUs of its deployment. Decode at the mean speed that the fleet rule holds, else at
/// the scenario's bound of interactivity, else with full batches. Nothing for other services, for answers without a second
/// token, and where no load holds the speed.
/// `prefill_tok_s`: saturated_prefill_tok_s() of an instance.
std::optional<RateMatch> rate_match(const Scenario& scenario, const BuiltService& service, double prefill_tok_s);

}  // namespace tokenomics
