#pragma once

#include <cstdint>
#include <vector>

#include "tokenomics/workload/prompt_tree.hpp"
#include "tokenomics/workload/trace.hpp"

namespace tokenomics {

/// Which prompts of a recorded trace begin alike, as segments that a source adds to its own PromptTree. Read-only, shared
/// by all sources of a workload.
struct PromptPlan {
  struct Segment {
    std::int32_t parent = -1;  ///< position in `segments`, before this one; -1: none
    std::int64_t begin = 0;    ///< tokens that it shares with the parent
  };
  std::vector<Segment> segments;
  std::vector<std::uint32_t> of_row;  ///< position in `segments`, by row
  /// Claude Code: first segment of each session, and one past the last. A session's segments stand together.
  std::vector<std::uint32_t> sessions;

  [[nodiscard]] bool empty() const { return of_row.empty(); }
};

/// From prefix-chained hashes (an id stands for a block and all before it): a prompt goes on in the segment of the one
/// whose end it extends, else in a new one from its last known block. So a row makes at most one segment. `hashes` is what
/// the rows point into.
PromptPlan plan_of_hashes(const std::vector<TraceRow>& rows, const std::vector<std::uint32_t>& hashes, int block_tokens);

/// From the prefix lengths of Claude Code rows, session by session; `sessions` holds the first row of each session, and one
/// past the last row. A prompt shares `cached_tokens` with an earlier one: its agent's previous where that shares as
/// much, else the latest that is long enough and shares with the previous just what this prompt does.
/// Against the hashes of the original sessions each row's longest prefix comes out exactly, and of random pairs of a
/// session 0.6% otherwise, which moves 0.04% of the shared tokens.
PromptPlan plan_of_sessions(const std::vector<TraceRow>& rows, const std::vector<std::size_t>& sessions, int block_tokens);

/// Whole blocks of a prompt, in tokens: what the next one was recorded to begin with.
constexpr std::int64_t whole_blocks(std::int64_t tokens, int block_tokens) { return tokens / block_tokens * block_tokens; }

}  // namespace tokenomics
