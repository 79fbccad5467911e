#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tokenomics/workload/request.hpp"

namespace workload_test {

using tokenomics::PromptTree, tokenomics::Request, tokenomics::SegmentId, tokenomics::kNoSegment;

/// A prefix cache without end, by the letter of PromptTree: of each segment, up to where its tokens are held. Keeps no
/// references, so it is for trees whose ids are not used again while it lives.
class UnlimitedCache {
 public:
  explicit UnlimitedCache(const PromptTree& tree) : tree_(tree) {}

  /// Tokens of the request's prompt that are held.
  [[nodiscard]] std::int64_t hit(const Request& request) const {
    std::int64_t upto = request.input_tokens;
    for (SegmentId s = request.segment; s != kNoSegment; s = tree_.parent(s)) {
      if (held(s) > tree_.begin(s)) return std::min(upto, held(s));
      upto = std::min(upto, tree_.begin(s));
    }
    return 0;
  }

  void keep(const Request& request) {
    std::int64_t upto = request.reusable_tokens;
    for (SegmentId s = request.segment; s != kNoSegment; s = tree_.parent(s)) {
      if (s >= held_.size()) held_.resize(s + 1, 0);
      held_[s] = std::max(held_[s], upto);
      upto = std::min(upto, tree_.begin(s));
    }
  }

 private:
  [[nodiscard]] std::int64_t held(SegmentId s) const { return s < held_.size() ? held_[s] : 0; }

  const PromptTree& tree_;
  std::vector<std::int64_t> held_;
};

/// Tokens with which two prompts both begin.
inline std::int64_t shared_prefix(const PromptTree& tree, const Request& a, const Request& b) {
  const auto path = [&](const Request& request) {
    std::vector<std::pair<SegmentId, std::int64_t>> result;
    std::int64_t upto = request.input_tokens;
    for (SegmentId s = request.segment; s != kNoSegment; s = tree.parent(s)) {
      result.emplace_back(s, upto);
      upto = std::min(upto, tree.begin(s));
    }
    return result;
  };
  const auto left = path(a);
  for (const auto& [segment, upto] : path(b)) {
    for (const auto& [other, other_upto] : left) {
      if (segment == other) return std::min(upto, other_upto);
    }
  }
  return 0;
}

}  // namespace workload_test
