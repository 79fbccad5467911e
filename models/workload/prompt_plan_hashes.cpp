#include <unordered_map>

#include "prompt_plan.hpp"

namespace tokenomics {

namespace {

class HashPlanner {
 public:
  HashPlanner(const std::vector<std::uint32_t>& hashes, int block_tokens) : hashes_(hashes), block_tokens_(block_tokens) {}

  PromptPlan plan(const std::vector<TraceRow>& rows) {
    segment_of_.reserve(hashes_.size());
    for (const TraceRow& row : rows) plan_.of_row.push_back(segment(row));
    return std::move(plan_);
  }

 private:
  std::uint32_t segment(const TraceRow& row) {
    const std::uint32_t* ids = hashes_.data() + row.first_hash;
    std::uint32_t known = 0;
    while (known < row.hash_count && segment_of_.contains(ids[known])) ++known;
    if (known == row.hash_count) return segment_of_[ids[known - 1]];
    const std::uint32_t segment = known > 0 ? from(ids[known - 1], known) : add({-1, 0});
    for (std::uint32_t i = known; i < row.hash_count; ++i) segment_of_.try_emplace(ids[i], segment);
    last_block_[segment] = ids[row.hash_count - 1];
    return segment;
  }

  /// Where a prompt goes on that leaves the known ones after `blocks` blocks, the last of them `id`.
  std::uint32_t from(std::uint32_t id, std::uint32_t blocks) {
    const std::uint32_t segment = segment_of_[id];
    if (last_block_[segment] == id) return segment;
    return add({static_cast<std::int32_t>(segment), std::int64_t{blocks} * block_tokens_});
  }

  std::uint32_t add(PromptPlan::Segment segment) {
    plan_.segments.push_back(segment);
    last_block_.push_back(0);
    return static_cast<std::uint32_t>(plan_.segments.size() - 1);
  }

  const std::vector<std::uint32_t>& hashes_;
  int block_tokens_;
  PromptPlan plan_;
  std::unordered_map<std::uint32_t, std::uint32_t> segment_of_;  // by hash
  std::vector<std::uint32_t> last_block_;                        // of each segment so far
};

}  // namespace

PromptPlan plan_of_hashes(const std::vector<TraceRow>& rows, const std::vector<std::uint32_t>& hashes, int block_tokens) {
  return HashPlanner(hashes, block_tokens).plan(rows);
}

}  // namespace tokenomics
