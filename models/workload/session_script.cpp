#include "session_script.hpp"

#include <algorithm>

#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

std::optional<MarginalSampler> sampler_of(const std::optional<TimeMarginal>& time) {
  if (!time) return std::nullopt;
  return MarginalSampler(LengthMarginal{time->law});
}

}  // namespace

SessionScript::SessionScript(const SessionSpec& spec, double reasoning_share)
    : spec_(spec),
      reasoning_share_(reasoning_share),
      first_prompt_(spec.first_prompt),
      calls_(spec.calls),
      added_(spec.added),
      output_(spec.output),
      tool_time_(sampler_of(spec.tool_time)),
      think_time_(sampler_of(spec.think_time)) {
  if (spec.compacted) compacted_.emplace(*spec.compacted);
  if (const auto& subs = spec.sub_agents) {
    sub_agents_ = SubAgents{MarginalSampler(subs->count), MarginalSampler(subs->calls), MarginalSampler(subs->first_prompt)};
  }
}

/// Cut to the context limit, the answer first: what is left of it is the prompt's.
Lengths SessionScript::call(std::int64_t input, std::int64_t held, std::int64_t output) const {
  if (overflows(input + output)) {
    output = std::min(output, *spec_.context_limit_tokens - 1);
    input = std::min(input, *spec_.context_limit_tokens - output);
  }
  Lengths lengths = lengths_of(input, output, 0.0, reasoning_share_);
  lengths.cached = std::min(held, input - 1);
  return lengths;
}

AgentState SessionScript::begin(RandomStream random, bool is_main) const {
  AgentState agent{random, 0, is_main, {}};
  const double u = agent.random.uniform(), v = agent.random.uniform(), w = agent.random.uniform();
  agent.calls_left = (is_main ? calls_ : sub_agents_->calls).tokens(u);
  const std::int64_t first = (is_main ? first_prompt_ : sub_agents_->first_prompt).tokens(v);
  agent.call = call(std::max(first, spec_.system_prompt_tokens + 1), spec_.system_prompt_tokens, output_.tokens(w));
  return agent;
}

NextCall SessionScript::advance(AgentState& agent) const {
  TOKENOMICS_CHECK(agent.calls_left > 1, "no call left");
  --agent.calls_left;
  RandomStream& random = agent.random;
  const Lengths& last = agent.call;
  const std::int64_t grown = last.input + last.output - last.reasoning + added_.tokens(random.uniform());
  const std::int64_t output = output_.tokens(random.uniform());
  NextCall next;
  const bool compacts = compacted_ && (random.uniform() < spec_.compaction_probability || overflows(grown + output));
  const bool rewrites = spec_.rewrite_probability > 0 && random.uniform() < spec_.rewrite_probability;
  next.breaks_history = compacts || rewrites;
  std::int64_t input = grown;
  if (compacts) {
    input = std::min(grown, std::max(compacted_->tokens(random.uniform()), spec_.system_prompt_tokens + 1));
  }
  agent.call = call(input, next.breaks_history ? spec_.system_prompt_tokens : reusable(last), output);
  next.gap_s = gap(agent);
  next.sub_agents = sub_agents(agent);
  return next;
}

double SessionScript::gap(AgentState& agent) const {
  const bool tool = !agent.is_main || agent.random.uniform() < spec_.tool_share;
  const auto& law = tool ? tool_time_ : think_time_;
  if (!law) return 0;
  return std::min(law->value(agent.random.uniform()), (tool ? spec_.tool_time : spec_.think_time)->max_s);
}

std::int64_t SessionScript::sub_agents(AgentState& agent) const {
  if (!sub_agents_ || !agent.is_main || agent.random.uniform() >= spec_.sub_agents->probability) return 0;
  return sub_agents_->count.tokens(agent.random.uniform());
}

double SessionScript::mean_calls() const {
  const double own = calls_.mean_tokens();
  if (!sub_agents_) return own;
  const double starts = spec_.sub_agents->probability * (own - 1);  // not after the last call
  return own + starts * sub_agents_->count.mean_tokens() * sub_agents_->calls.mean_tokens();
}

}  // namespace tokenomics
