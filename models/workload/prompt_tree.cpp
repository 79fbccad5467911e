#include "tokenomics/workload/prompt_tree.hpp"

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

SegmentId PromptTree::add(SegmentId parent, std::int64_t from) {
  const bool is_root = parent == kNoSegment;
  TOKENOMICS_CHECK(is_root ? from == 0 : from >= begin(parent), fmt::format("segment from {} of {}", from, parent));
  if (!is_root) acquire(parent);
  ++live_;
  if (free_.empty()) {
    nodes_.push_back({parent, 1, from});
    return static_cast<SegmentId>(nodes_.size() - 1);
  }
  const SegmentId id = free_.back();
  free_.pop_back();
  nodes_[id] = {parent, 1, from};
  return id;
}

void PromptTree::acquire(SegmentId segment) { ++nodes_[segment].references; }

void PromptTree::release(SegmentId segment) {
  while (segment != kNoSegment) {
    Node& node = nodes_[segment];
    TOKENOMICS_CHECK(node.references > 0, fmt::format("segment {} released too often", segment));
    if (--node.references > 0) return;
    free_.push_back(segment);
    --live_;
    segment = node.parent;
  }
}

}  // namespace tokenomics
