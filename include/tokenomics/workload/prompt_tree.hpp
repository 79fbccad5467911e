#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenomics {

using SegmentId = std::uint32_t;
inline constexpr SegmentId kNoSegment = 0xffffffffU;

/// Which prompts begin alike, without any text.
///
/// A segment is a run of tokens that goes on from a position of another segment (or from 0) and may grow for ever: a
/// conversation is one segment whose prompts get longer. Positions count tokens from the start of the prompt. A prompt is
/// a segment and a length: it holds the segment's tokens from where it begins up to that length, before them its parent's
/// up to that beginning, and so on. Prompts of one segment share the shorter one whole; prompts of two segments share what
/// lies before the first branch between them.
///
/// Segments are counted: whoever may still name one (a session under way, a cache that holds tokens of it) holds a
/// reference, and a segment without references gives its id back. So memory follows what is alive, not what was ever sent.
class PromptTree {
 public:
  /// A new segment with one reference, the caller's. It goes on from `parent` (kNoSegment: from nothing, `from` is 0) at
  /// position `from` >= begin(parent), and keeps its parent alive.
  SegmentId add(SegmentId parent, std::int64_t from);
  void acquire(SegmentId segment);
  void release(SegmentId segment);

  [[nodiscard]] SegmentId parent(SegmentId segment) const { return nodes_[segment].parent; }
  /// Position of its first own token.
  [[nodiscard]] std::int64_t begin(SegmentId segment) const { return nodes_[segment].begin; }
  [[nodiscard]] std::size_t live() const { return live_; }

 private:
  struct Node {
    SegmentId parent = kNoSegment;
    std::uint32_t references = 0;
    std::int64_t begin = 0;
  };
  std::vector<Node> nodes_;
  std::vector<SegmentId> free_;
  std::size_t live_ = 0;
};

}  // namespace tokenomics
