#pragma once

#include <memory>
#include <vector>

#include "tokenomics/workload/prompt_tree.hpp"

namespace tokenomics {

/// References that a source gives up inside ended(): the service may still ask for the request's segment until that
/// returns, so they are released when the source is next called.
class LateReleases {
 public:
  explicit LateReleases(std::shared_ptr<PromptTree> tree) : tree_(std::move(tree)) {}

  void add(SegmentId segment) { waiting_.push_back(segment); }
  /// At the start of each call that may come after an ended().
  void settle() {
    for (const SegmentId segment : waiting_) tree_->release(segment);
    waiting_.clear();
  }

 private:
  std::shared_ptr<PromptTree> tree_;
  std::vector<SegmentId> waiting_;
};

}  // namespace tokenomics
