#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tokenomics/units/quantity.hpp"
#include "tokenomics/workload/lengths.hpp"
#include "tokenomics/workload/marginals.hpp"
#include "tokenomics/workload/request.hpp"
#include "tokenomics/workload/sessions.hpp"

namespace tokenomics {

/// Independent input and output lengths; a plain hit ratio of the prompt comes from a cache.
struct IndependentLengths {
  LengthMarginal input;
  LengthMarginal output;
  bool operator==(const IndependentLengths&) const = default;
};

// Traces ----------------------------------------------------------------------------------------------------------
enum class TraceFormat { Azure, Mooncake, ClaudeCode, ServeGen, Vllm };
struct TraceSpec {
  std::string file;
  TraceFormat format = TraceFormat::Azure;
  std::string lengths_file;  ///< ServeGen only: the tenants' length distributions
  double speed = 1.0;        ///< > 1: arrivals come faster
  double from_s = 0.0;       ///< window of the trace, in trace time
  std::optional<double> to_s;
  bool loop = false;  ///< start again at the end, for runs longer than the trace
};

// Arrivals --------------------------------------------------------------------------------------------------------
struct PoissonArrivals {
  double rate_per_s = 1;
};
/// Gamma renewal process with coefficient of variation `cv`: shape 1/cv^2.
struct GammaArrivals {
  double rate_per_s = 1;
  double cv = 1;
};
struct ClosedLoopArrivals {
  std::int64_t concurrency = 1;
  double think_s = 0;  ///< between an answer and the next request of the same user
};
struct AllAtOnceArrivals {
  std::int64_t requests = 1;
};
/// Poisson with a rate that follows the clock: rate(hour) = mean * shape[hour] / mean(shape).
struct DayNightArrivals {
  double mean_rate_per_s = 1;
  std::vector<double> hourly_shape;  ///< 24 values, by hour of local time
  double start_hour = 0;             ///< local time at simulated time 0
};
struct TraceArrivals {};
using ArrivalSpec =
    std::variant<PoissonArrivals, GammaArrivals, ClosedLoopArrivals, AllAtOnceArrivals, DayNightArrivals, TraceArrivals>;

struct WorkloadSpec {
  std::string name;
  ArrivalSpec arrivals;
  std::optional<IndependentLengths> lengths;  ///< absent: from the trace
  std::optional<TraceSpec> trace;
  std::optional<SessionSpec> sessions;  ///< generated: arrivals start sessions, which make the lengths
  double cache_hit_ratio = 0;           ///< share of every prompt found in a cache, where the trace does not say
  double reasoning_share = 0;           ///< of every output, where the trace does not say
  std::int32_t priority = 0;            ///< class of its requests
  /// Parts that arrive side by side, each by its own rules under its own name and priority. Nothing else is given then.
  std::vector<WorkloadSpec> mix;
};

/// Requests come out of sessions, recorded or generated, so that their rate depends on how they are answered.
bool plays_sessions(const WorkloadSpec& spec);

/// A workload whose files are read and checked and whose tables are built, once. Copies share them; sources and laws
/// made from it keep what they need alive, and may be made from several threads.
///
/// What the pieces of a specification mean together:
/// - Lengths given: input and output are drawn from the marginals and `cache_hit_ratio` and `reasoning_share` apply,
///   also under trace arrivals. A trace that neither arrivals nor lengths need is not read.
/// - Lengths absent: replay takes the row's own lengths, other arrivals draw whole rows of the trace. Prefix hits and
///   reasoning come from the trace where it says (hits: Mooncake, Claude Code; reasoning: ServeGen), else from the two
///   shares; a share given where the trace says is refused.
/// - Claude Code files have no absolute time: arrivals other than `trace` start *sessions* (closed loop: `concurrency`
///   users, each playing one session after the other), and inside a session a request follows the end of the one
///   before by the recorded gap. `rate_per_s` then counts sessions.
/// - Generated sessions do so too: rates count sessions. Their prefix hits are what an unlimited cache would hold.
/// - A mix merges its parts in order of arrival. Each part has random streams of its own, `rate_scale` is for all, and of n
///   parts the i-th has the tenants i, i + n, i + 2n ... and so its sessions. The law of lengths takes the parts by their
///   rates of requests; where one has none (closed loop, all at once) all count the same.
/// - Requests name the segment of their prompt in replays of Mooncake rows and in sessions (RequestSource::prompts()).
///   Rows that other arrivals draw at random name none: how often a prompt comes again would not be the trace's.
/// - Mooncake times are ticks of about 3 s: the requests of a tick are spread uniformly over it, in file order.
/// - ServeGen tenants are renewal processes in operational time (see servegen.hpp); with arrivals other than `trace`
///   only their lengths are used, request-weighted.
class LoadedWorkload {
 public:
  /// Throws ScenarioError for a specification that contradicts itself and for a malformed or truncated file, naming
  /// file and line.
  explicit LoadedWorkload(WorkloadSpec spec);

  /// A source of requests. `rate_scale` multiplies the arrival rates (1: as given; a replay runs that much faster; no
  /// effect on closed loop and all-at-once). Random streams ("arrivals", "lengths") derive from seed and replication.
  [[nodiscard]] std::unique_ptr<RequestSource> source(std::uint64_t seed, std::uint64_t replication,
                                                      double rate_scale = 1.0) const;
  /// The law of the lengths of a request, whatever the arrivals; a replay's is its rows, equally likely.
  [[nodiscard]] std::unique_ptr<LengthLaw> length_law() const;
  /// Mean rate in requests/s over the whole specification; nothing for closed loop and all-at-once.
  [[nodiscard]] std::optional<double> mean_arrival_rate() const;
  [[nodiscard]] const WorkloadSpec& spec() const;

  struct Data;

 private:
  std::shared_ptr<const Data> data_;
};

/// What policies of a service may look at in the requests: 1 + the last of their priority classes, whether they belong to
/// sessions, whether a prompt tree says which of them begin alike.
int priority_classes(const WorkloadSpec& spec);
bool has_sessions(const WorkloadSpec& spec);
bool tells_prompts(const WorkloadSpec& spec);

/// Shorthands that load the workload for one use.
std::unique_ptr<LengthLaw> make_length_law(const WorkloadSpec& spec);
std::unique_ptr<RequestSource> make_request_source(const WorkloadSpec& spec, std::uint64_t seed, std::uint64_t replication,
                                                   double rate_scale = 1.0);
std::optional<double> mean_arrival_rate(const WorkloadSpec& spec);

}  // namespace tokenomics
