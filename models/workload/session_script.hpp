#pragma once

#include <memory>
#include <optional>

#include "tokenomics/workload/quantiles.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// What one agent, main or sub-agent, sends next and after how long, by the rules of SessionSpec. Knows nothing of time,
/// trees or other agents, so that sources and the law of lengths share it.
struct AgentState {
  RandomStream random;
  std::int64_t calls_left = 0;  ///< the one that is due or in flight included
  bool is_main = true;
  Lengths call;  ///< the one that is due or in flight; cached: what an unlimited cache holds
};

/// After a call that was not the last.
struct NextCall {
  double gap_s = 0;
  bool breaks_history = false;  ///< only the system prompt is still what it was
  std::int64_t sub_agents = 0;  ///< that start now and have to end first
};

class SessionScript {
 public:
  SessionScript(const SessionSpec& spec, double reasoning_share);

  /// An agent before its first call.
  [[nodiscard]] AgentState begin(RandomStream random, bool is_main) const;
  /// Makes the next call due; calls_left must be at least 2.
  NextCall advance(AgentState& agent) const;
  /// Tokens of prompt and answer that the next prompt begins with, unless it breaks the history.
  [[nodiscard]] static std::int64_t reusable(const Lengths& call) {
    return call.reasoning > 0 ? call.input : call.input + call.output;
  }
  /// Of a session, sub-agents included.
  [[nodiscard]] double mean_calls() const;
  [[nodiscard]] const SessionSpec& spec() const { return spec_; }

 private:
  struct SubAgents {
    MarginalSampler count, calls, first_prompt;
  };
  [[nodiscard]] Lengths call(std::int64_t input, std::int64_t held, std::int64_t output) const;
  [[nodiscard]] bool overflows(std::int64_t tokens) const {
    return spec_.context_limit_tokens && tokens > *spec_.context_limit_tokens;
  }
  double gap(AgentState& agent) const;
  std::int64_t sub_agents(AgentState& agent) const;

  SessionSpec spec_;
  double reasoning_share_;
  MarginalSampler first_prompt_, calls_, added_, output_;
  std::optional<MarginalSampler> compacted_, tool_time_, think_time_;
  std::optional<SubAgents> sub_agents_;
};

}  // namespace tokenomics
