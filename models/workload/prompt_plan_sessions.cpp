#include <algorithm>
#include <map>

#include "prompt_plan.hpp"

namespace tokenomics {

namespace {

/// One session after the other; positions in tokens, whole blocks.
class SessionPlanner {
 public:
  SessionPlanner(const std::vector<TraceRow>& rows, int block_tokens) : rows_(rows), block_tokens_(block_tokens) {}

  PromptPlan plan(const std::vector<std::size_t>& sessions) {
    for (std::size_t s = 0; s + 1 < sessions.size(); ++s) {
      plan_.sessions.push_back(count());
      latest_.clear();
      for (first_ = sessions[s]; plan_.of_row.size() < sessions[s + 1];) add_row(plan_.of_row.size());
    }
    plan_.sessions.push_back(count());
    return std::move(plan_);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(plan_.segments.size()); }
  [[nodiscard]] std::int64_t length(std::size_t row) const { return whole_blocks(rows_[row].input_tokens, block_tokens_); }

  void add_row(std::size_t row) {
    const auto found = latest_.find(rows_[row].agent);
    const std::size_t previous = found == latest_.end() ? kNone : found->second;
    const std::int64_t shared = rows_[row].cached_tokens;
    const std::size_t from = shared > 0 ? origin(row, previous) : kNone;
    plan_.of_row.push_back(from == kNone ? add({-1, 0}) : branch(plan_.of_row[from], shared, length(row)));
    std::int64_t& end = end_[plan_.of_row[row]];
    end = std::max(end, length(row));
    latest_[rows_[row].agent] = row;
  }

  /// The earlier row with which this one shares its cached tokens.
  [[nodiscard]] std::size_t origin(std::size_t row, std::size_t previous) const {
    const TraceRow& here = rows_[row];
    if (previous != kNone && here.shared_with_previous == here.cached_tokens) return previous;
    for (std::size_t other = row; other-- > first_;) {
      if (length(other) < here.cached_tokens || other == previous) continue;
      if (previous == kNone || shared(other, previous) == here.shared_with_previous) return other;
    }
    return kNone;
  }

  /// Tokens with which two earlier rows both begin.
  [[nodiscard]] std::int64_t shared(std::size_t a, std::size_t b) const {
    std::int64_t left = length(a), right = length(b);
    auto p = static_cast<std::int32_t>(plan_.of_row[a]), q = static_cast<std::int32_t>(plan_.of_row[b]);
    while (p != q) {  // parents stand before children: the later one cannot be the other's ancestor
      std::int32_t& later = p > q ? p : q;
      std::int64_t& upto = p > q ? left : right;
      const PromptPlan::Segment& segment = plan_.segments[static_cast<std::size_t>(later)];
      upto = std::min(upto, segment.begin);
      later = segment.parent;
    }
    return p < 0 ? 0 : std::min(left, right);
  }

  /// Segment of a prompt of `length` tokens that leaves the path of `segment` at `position`.
  std::uint32_t branch(std::uint32_t segment, std::int64_t position, std::int64_t length) {
    while (position <= plan_.segments[segment].begin && plan_.segments[segment].parent >= 0) {
      segment = static_cast<std::uint32_t>(plan_.segments[segment].parent);
    }
    if (position == length || position == end_[segment]) return segment;
    return add({static_cast<std::int32_t>(segment), position});
  }

  std::uint32_t add(PromptPlan::Segment segment) {
    plan_.segments.push_back(segment);
    end_.push_back(0);
    return count() - 1;
  }

  const std::vector<TraceRow>& rows_;
  int block_tokens_;
  PromptPlan plan_;
  std::vector<std::int64_t> end_;               // of each segment so far
  std::map<std::int32_t, std::size_t> latest_;  // row of each agent of the session
  std::size_t first_ = 0;                       // row of the session
};

}  // namespace

PromptPlan plan_of_sessions(const std::vector<TraceRow>& rows, const std::vector<std::size_t>& sessions, int block_tokens) {
  return SessionPlanner(rows, block_tokens).plan(sessions);
}

}  // namespace tokenomics
