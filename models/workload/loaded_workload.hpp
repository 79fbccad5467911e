#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "prompt_plan.hpp"
#include "session_script.hpp"
#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/workload/gamma_quantile.hpp"
#include "tokenomics/workload/quantiles.hpp"
#include "tokenomics/workload/servegen.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// Everything that sources of one workload share, read-only.
struct LoadedWorkload::Data {
  WorkloadSpec spec;
  std::shared_ptr<const LengthLaw> law;
  std::vector<std::shared_ptr<const Data>> parts;        // of a mix
  std::shared_ptr<const SessionScript> sessions_script;  // of generated sessions

  // Trace of requests (Azure, Mooncake, Claude Code): the rows inside the window.
  std::vector<TraceRow> rows;
  std::vector<Lengths> row_lengths;   // parallel to rows
  std::vector<std::size_t> sessions;  // Claude Code: first row of each session, and one past the last row
  PromptPlan prompts;                 // where rows are played with their own lengths and their prompts are known
  int block_tokens = 0;
  double tick_s = 0;    // > 0: times are ticks of this width, to be spread
  double period_s = 0;  // trace time after which a looping replay starts again

  ServeGenTrace tenants;
  double from_s = 0, to_s = 0;             // ServeGen: the window in trace time
  std::map<int, UnitGammaQuantile> gamma;  // ServeGen, by gamma_key; gamma arrivals under key 0

  [[nodiscard]] bool replays() const { return std::holds_alternative<TraceArrivals>(spec.arrivals); }
  [[nodiscard]] bool uses_trace() const { return replays() || (!spec.lengths && !spec.sessions && spec.mix.empty()); }
  [[nodiscard]] bool plays_recorded_sessions() const {
    return uses_trace() && !replays() && spec.trace->format == TraceFormat::ClaudeCode;
  }
};

/// ServeGen shapes are rounded to a grid of 2% steps (the coefficient of variation moves by at most 0.5%), so that a
/// day's 3,000 windows share some hundred tables.
int gamma_key(double shape);
double gamma_shape_of(int key);

/// Sources, one per kind; see LoadedWorkload for what they do. Streams as in LoadedWorkload::source.
struct Streams {
  RandomStream arrivals;
  RandomStream lengths;
};
using DataPtr = std::shared_ptr<const LoadedWorkload::Data>;
std::unique_ptr<RequestSource> make_open_source(DataPtr data, Streams streams, double rate_scale);
std::unique_ptr<RequestSource> make_closed_source(DataPtr data, Streams streams);
/// Sources whose requests name segments add them to `prompts`, which may be shared with other sources of one thread.
using PromptsPtr = std::shared_ptr<PromptTree>;
std::unique_ptr<RequestSource> make_replay_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale);
std::unique_ptr<RequestSource> make_tenant_source(DataPtr data, Streams streams, double rate_scale);
std::unique_ptr<RequestSource> make_generated_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale);
std::unique_ptr<RequestSource> make_mix_source(std::vector<std::unique_ptr<RequestSource>> parts, PromptsPtr prompts);
/// The source itself where the priority is 0, which every request has.
std::unique_ptr<RequestSource> with_priority(std::unique_ptr<RequestSource> source, std::int32_t priority);
std::unique_ptr<RequestSource> make_session_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale);

/// Length laws.
std::unique_ptr<LengthLaw> make_independent_law(const WorkloadSpec& spec);
std::unique_ptr<LengthLaw> make_row_law(std::vector<Lengths> rows);
std::unique_ptr<LengthLaw> make_tenant_law(const LoadedWorkload::Data& data);
std::unique_ptr<LengthLaw> make_session_law(std::shared_ptr<const SessionScript> script);
std::unique_ptr<LengthLaw> make_mix_law(std::vector<std::shared_ptr<const LengthLaw>> laws,
                                        const std::vector<double>& weights);
Lengths draw_tenant_lengths(const ServeGenLengths& cell, const WorkloadSpec& spec, RandomStream& random);

/// Lengths from whole tokens and shares, within the contract of Request: cached below input, reasoning below output.
Lengths lengths_of(std::int64_t input, std::int64_t output, double cached_share, double reasoning_share);
Request request_of(std::uint64_t id, SimTime arrival, const Lengths& lengths, std::int32_t tenant);

}  // namespace tokenomics
