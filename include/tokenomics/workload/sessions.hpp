#pragma once

#include <cstdint>
#include <optional>

#include "tokenomics/workload/marginals.hpp"

namespace tokenomics {

/// Helpers that a call of the main agent may start. They run side by side, each with its own history from the system prompt
/// on, and the main agent goes on when the last of them is done. Between their calls they wait for tools only.
struct SubAgentSpec {
  double probability = 0;  ///< that a call starts some; none after a session's last call
  LengthMarginal count{FixedLaw{1}};
  LengthMarginal calls{FixedLaw{1}};
  LengthMarginal first_prompt;  ///< as that of the session
  bool operator==(const SubAgentSpec&) const = default;
};

/// Generated conversations and agent loops. A session is a chain of calls, each prompt holding the history: the prompt
/// before, the visible answer (reasoning is dropped), and what the user or the tool added.
///
/// - Calls per session, their outputs, additions and gaps are drawn independently.
/// - The first `system_prompt_tokens` of every prompt are shared by all sessions that have the same version of it.
/// - Compaction: the history is replaced by a summary of `compacted` tokens (whole prompt; never longer than what it
///   replaces), with `compaction_probability`, and whenever prompt and answer would not fit into `context_limit_tokens`.
///   First prompts and summaries that do not fit are cut.
/// - Rewrites: the history changes right behind the system prompt while its length goes on, so that nothing behind that is
///   found in a cache.
struct SessionSpec {
  std::int64_t system_prompt_tokens = 0;
  std::int64_t system_prompt_versions = 1;  ///< equally likely
  LengthMarginal first_prompt;              ///< whole prompt; at least a token more than the system prompt
  LengthMarginal calls{FixedLaw{1}};
  LengthMarginal added;  ///< by user or tool between two calls, beside the visible answer
  LengthMarginal output;
  double tool_share = 0;                   ///< probability that the next call brings a tool's result
  std::optional<TimeMarginal> tool_time;   ///< before such a call; absent: 0
  std::optional<TimeMarginal> think_time;  ///< before the other calls; absent: 0
  double compaction_probability = 0;       ///< per call but the first
  std::optional<LengthMarginal> compacted;
  double rewrite_probability = 0;  ///< per call but the first
  std::optional<std::int64_t> context_limit_tokens;
  std::optional<SubAgentSpec> sub_agents;
  bool operator==(const SessionSpec&) const = default;
};

}  // namespace tokenomics
