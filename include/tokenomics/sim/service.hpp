#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tokenomics/roofline/step_timer.hpp"
#include "tokenomics/sim/admission.hpp"
#include "tokenomics/sim/fleet.hpp"
#include "tokenomics/sim/observer.hpp"
#include "tokenomics/sim/policies.hpp"
#include "tokenomics/sim/prefix_cache.hpp"
#include "tokenomics/sim/result.hpp"
#include "tokenomics/workload/length_statistics.hpp"
#include "tokenomics/workload/lengths.hpp"
#include "tokenomics/workload/request.hpp"

namespace tokenomics {

/// Instances that are alike.
struct PoolConfig {
  PoolRole role = PoolRole::Mixed;
  int instances = 1;
  int ranks = 1;                     ///< data-parallel attention ranks; a sequence lives on one of them
  const StepTimer* timer = nullptr;  ///< not owned, shared by the instances
  BatchingSpec batching;
  MtpSpec mtp;
  std::int64_t kv_tokens = 0;                     ///< KV capacity of an instance, all ranks together
  std::int64_t kv_tokens_per_sequence = 0;        ///< held besides its context (sliding windows, alignment)
  std::int64_t block_tokens = 64;                 ///< allocation unit
  std::optional<PrefixCacheConfig> prefix_cache;  ///< where prompts are computed; needs a source that knows its prompts
};

/// From a prefill to a decode instance. Each end has as many links as it has data-parallel ranks; a sequence's KV goes
/// over one of each, one sequence after the other.
struct KvTransfer {
  enum class Start {
    AfterPrefill,   ///< pushed: sent as soon as it is there, then the request waits for a place
    OnDecodePlace,  ///< pulled: the decode instance first has a place and memory, prefill holds the KV until then
  };
  Seconds latency{0};
  Seconds per_token{0};   ///< for which a link is taken
  double tail_share = 1;  ///< of that, still to come when prefill ends: 1 / layers where layers are sent as they are done
  Start start = Start::AfterPrefill;
};

/// What lies between the arrival of a request and the router: front end, tokenization. Of every measured time it is part.
/// Requests reach the router in the order in which they are ready; limits and admission judge them there.
struct RequestLatency {
  Seconds fixed{0};
  Seconds per_ktoken{0};  ///< of 1,000 prompt tokens

  [[nodiscard]] SimTime of(std::int64_t prompt_tokens) const {
    return to_sim_time(fixed + static_cast<double>(prompt_tokens) / 1000 * per_ktoken);
  }
};

/// What is measured. Requests are judged by their arrival, tokens and busy time by when they happen.
struct Measurement {
  /// Part of the day, by a clock that shows `start_hour` at time 0; may wrap midnight.
  struct Hours {
    double start_hour = 0, from_hour = 0, to_hour = 0;
  };
  double warm_up_s = 0;
  std::uint64_t warm_up_requests = 0;
  std::optional<double> duration_s;       ///< measured time; the run stops at its end
  std::optional<std::uint64_t> requests;  ///< measured arrivals; the run stops when all of them ended
  bool drain = false;                     ///< with `requests`: no arrivals after the last measured one
  double slo_ttft_s = 0;                  ///< 0: no bound
  double slo_interactivity_tok_s = 0;
  std::optional<Hours> hours;  ///< requests that end in them are told apart (ServiceResult::billed_in_hours)
};

/// Start in the stationary state of this arrival rate instead of empty: decode batches at the fixed point of load and
/// step time, residents drawn with probability proportional to their output, ages uniform.
struct StationaryStart {
  const LengthLaw* lengths = nullptr;  ///< not owned
  double rate_per_s = 0;               ///< whole service
};

struct ServiceConfig {
  std::vector<PoolConfig> pools;  ///< one Mixed, or one Prefill and one Decode
  std::vector<PoolFleet> fleet;   ///< one a pool: instances come and go; empty: they are all on all the time
  RouterPolicy router = RouterPolicy::RoundRobin;
  RouterRules router_rules;
  RequestLatency request_latency;
  KvTransfer kv_transfer;
  std::int64_t context_limit_tokens = 0;             ///< prompt + output; 0: none
  std::optional<std::int64_t> queue_limit_requests;  ///< waiting in one instance
  AdmissionRules admission;
  int priority_classes = 1;  ///< > 1: results by class too; requests of later classes count as of the last
  Measurement measure;
  std::optional<StationaryStart> stationary;
  std::uint64_t seed = 1;
  std::uint64_t replication = 0;
  bool step_by_step = false;     ///< every step on its own: slow, and the proof of the fast way
  Observer* observer = nullptr;  ///< not owned
};

/// Simulates the service. Deterministic: the same configuration and source give the same result to the byte.
/// Cost: O(log n) per request and per change of a batch, whatever the output lengths and batch sizes.
/// Throws std::logic_error on a broken contract (a source that goes back in time, a pool without a timer).
ServiceResult simulate(const ServiceConfig& config, RequestSource& source);

/// `sequences` (at least one) of `context_tokens` together: each is taken to have the mean context where the pool's timer
/// caps contexts.
DecodeLoad decode_load_of(const PoolConfig& pool, double sequences, double context_tokens);

/// `prompts` mean prompts, whole ones where their number matters; each token attends to the mean context, capped as above.
PrefillLoad prompts_of(const PoolConfig& pool, const LengthStatistics& lengths, double prompts);

/// Mean batch of one decode (or mixed) instance at `rate_per_s` requests into it: n with n = rate * E[steps] * T(n).
/// Nothing when the instance cannot keep up within its limits.
struct StationaryBatch {
  double sequences = 0;
  Seconds step{0};
  bool saturated = false;
};
StationaryBatch stationary_batch(const PoolConfig& pool, const LengthStatistics& lengths, double rate_per_s);

/// The law as a service with a limit on prompt + answer sees it: longer prompts are rejected (drawn again), longer
/// answers end at the limit.
class TruncatedLaw final : public LengthLaw {
 public:
  TruncatedLaw(const LengthLaw& law, std::int64_t limit_tokens) : law_(law), limit_(limit_tokens) {}
  Lengths draw(RandomStream& random) const override;

 private:
  const LengthLaw& law_;
  std::int64_t limit_;
};

/// Longest prompt + answer of a service: the stated limit (0: none), and what one rank of the smallest KV cache holds.
std::int64_t sequence_limit(const ServiceConfig& config);

/// Mean decode steps that emit `tokens` tokens with multi-token prediction (all drafts and acceptances of `mtp`).
double mean_steps(const MtpSpec& mtp, double tokens);

}  // namespace tokenomics
