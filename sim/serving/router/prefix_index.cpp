#include "prefix_index.hpp"

#include <algorithm>

namespace tokenomics {

PrefixIndex::PrefixIndex(PromptTree* prompts, int instances, std::size_t capacity)
    : prompts_(prompts), epoch_(static_cast<std::size_t>(instances), 0), sent_(capacity) {}

PrefixIndex::~PrefixIndex() {
  sent_.for_each([this](SegmentId segment, const Sent&) { prompts_->release(segment); });
}

/// From the prompt's own segment up: of each ancestor the prompt has what lies before the branch.
PrefixIndex::Match PrefixIndex::match(const RoutedRequest& request, double least_tokens) {
  if (prompts_ == nullptr) return {};
  std::int64_t shared = request.prompt_tokens;
  for (SegmentId segment = request.segment; segment != kNoSegment; segment = prompts_->parent(segment)) {
    if (static_cast<double>(shared) < least_tokens) return {};
    const Sent* sent = sent_.peek(segment);
    if (sent != nullptr && holds(*sent) && std::min(shared, sent->tokens) > prompts_->begin(segment)) {
      const std::int64_t tokens = std::min(shared, sent->tokens);
      return static_cast<double>(tokens) < least_tokens ? Match{} : Match{sent->instance, tokens};
    }
    shared = std::min(shared, prompts_->begin(segment));
  }
  return {};
}

/// The prompt's own segment is now there. Of an ancestor's, whoever has more of it is kept.
void PrefixIndex::remember(const RoutedRequest& request, int instance) {
  if (prompts_ == nullptr) return;
  Sent sent{instance, epoch_[static_cast<std::size_t>(instance)], request.prompt_tokens};
  for (SegmentId segment = request.segment; segment != kNoSegment; segment = prompts_->parent(segment)) {
    if (sent.tokens > prompts_->begin(segment)) put(segment, sent, segment == request.segment);
    sent.tokens = std::min(sent.tokens, prompts_->begin(segment));
  }
}

void PrefixIndex::put(SegmentId segment, const Sent& sent, bool is_own) {
  if (Sent* known = sent_.find(segment)) {
    if (is_own || !holds(*known) || known->tokens <= sent.tokens) *known = sent;
    return;
  }
  prompts_->acquire(segment);
  if (const auto forgotten = sent_.add(segment, sent)) prompts_->release(forgotten->first);
}

}  // namespace tokenomics
