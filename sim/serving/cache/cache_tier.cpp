#include "cache_tier.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

CacheTier::CacheTier(PromptTree& tree, std::optional<std::int64_t> capacity_tokens, SimTime time_to_live)
    : tree_(tree), capacity_(capacity_tokens), time_to_live_(time_to_live) {}

CacheTier::~CacheTier() { clear(); }

CacheTier::Place CacheTier::place_of(SegmentId segment) const {
  const auto found = where_.find(segment);
  return found == where_.end() ? kNowhere : found->second;
}

TokenSpan CacheTier::held(SegmentId segment) const {
  const Place place = place_of(segment);
  return place == kNowhere ? TokenSpan{} : entries_[place].span;
}

bool CacheTier::pinned(SegmentId segment) const {
  const Place place = place_of(segment);
  return place != kNowhere && entries_[place].pins > 0;
}

void CacheTier::clear() {
  for (const Entry& entry : entries_) {
    if (entry.segment != kNoSegment) tree_.release(entry.segment);
  }
  dropped_ += tokens_;
  tokens_ = evictable_ = 0;
  entries_.clear();
  free_.clear();
  where_.clear();
  oldest_ = newest_ = kNowhere;
}

double CacheTier::sample(SimTime now, const Window& window) {
  const double inside_s = window.overlap_s(sampled_, now);
  sampled_ = now;
  return inside_s * static_cast<double>(tokens_);
}

void CacheTier::expire(SimTime now) {
  if (time_to_live_ == kNever) return;
  while (oldest_ != kNowhere && now - entries_[oldest_].used > time_to_live_) erase(oldest_);
}

CacheTier::Entry& CacheTier::enter(SegmentId segment) {
  const Place known = place_of(segment);
  if (known != kNowhere) return entries_[known];
  Place place = static_cast<Place>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  entries_[place] = {};
  entries_[place].segment = segment;
  where_.emplace(segment, place);
  tree_.acquire(segment);
  link_newest(place);
  return entries_[place];
}

std::int64_t CacheTier::store(SegmentId segment, TokenSpan span, SimTime now, const Evicted& evicted) {
  if (span.size() <= 0) return 0;
  Entry& entry = enter(segment);
  const std::int64_t before = entry.span.size();
  const bool touches = before > 0 && span.from <= entry.span.to && entry.span.from <= span.to;
  TOKENOMICS_CHECK(touches || entry.pins == 0, fmt::format("segment {} is read while its tokens are replaced", segment));
  entry.span = touches ? TokenSpan{std::min(entry.span.from, span.from), std::max(entry.span.to, span.to)} : span;
  const std::int64_t more = entry.span.size() - before;
  tokens_ += more;
  written_ += std::max<std::int64_t>(0, touches || before == 0 ? more : span.size());
  if (entry.pins == 0) evictable_ += more;
  touch(segment, now);
  if (capacity_ && tokens_ > *capacity_) make_room(tokens_ - *capacity_, 1, evicted);
  return more;
}

void CacheTier::touch(SegmentId segment, SimTime now) {
  const Place place = place_of(segment);
  if (place == kNowhere) return;
  Entry& entry = entries_[place];
  entry.used = now;
  if (entry.pins == 0) {
    unlink(place);
    link_newest(place);
  }
  ++entry.uses;
}

std::uint32_t CacheTier::uses(SegmentId segment) const {
  const Place place = place_of(segment);
  return place == kNowhere ? 0 : entries_[place].uses;
}

void CacheTier::pin(SegmentId segment) {
  const Place place = place_of(segment);
  TOKENOMICS_CHECK(place != kNowhere, fmt::format("segment {} is pinned and not held", segment));
  Entry& entry = entries_[place];
  if (entry.pins++ > 0) return;
  unlink(place);
  evictable_ -= entry.span.size();
}

void CacheTier::unpin(SegmentId segment, SimTime now) {
  const Place place = place_of(segment);
  TOKENOMICS_CHECK(place != kNowhere && entries_[place].pins > 0, fmt::format("segment {} is not pinned", segment));
  Entry& entry = entries_[place];
  entry.used = now;
  if (--entry.pins > 0) return;
  link_newest(place);
  evictable_ += entry.span.size();
}

void CacheTier::make_room(std::int64_t tokens, std::int64_t block, const Evicted& evicted) {
  while (tokens > 0 && oldest_ != kNowhere) {
    Entry& entry = entries_[oldest_];
    const std::int64_t wanted = (tokens + block - 1) / block * block;
    const TokenSpan gone{std::max(entry.span.from, (entry.span.to - wanted) / block * block), entry.span.to};
    const SegmentId segment = entry.segment;
    tokens -= gone.size();
    if (gone.from == entry.span.from) {
      // The callee may still look at the segment: its reference goes last.
      tree_.acquire(segment);
      erase(oldest_);
      if (evicted) evicted(segment, gone);
      tree_.release(segment);
      continue;
    }
    entry.span.to = gone.from;
    tokens_ -= gone.size();
    evictable_ -= gone.size();
    dropped_ += gone.size();
    if (evicted) evicted(segment, gone);
  }
}

void CacheTier::erase(Place place) {
  const Entry entry = entries_[place];
  unlink(place);
  tokens_ -= entry.span.size();
  evictable_ -= entry.span.size();
  dropped_ += entry.span.size();
  where_.erase(entry.segment);
  entries_[place].segment = kNoSegment;
  free_.push_back(place);
  tree_.release(entry.segment);
}

void CacheTier::link_newest(Place place) {
  entries_[place].older = newest_;
  entries_[place].newer = kNowhere;
  (newest_ == kNowhere ? oldest_ : entries_[newest_].newer) = place;
  newest_ = place;
}

void CacheTier::unlink(Place place) {
  const Entry& entry = entries_[place];
  (entry.older == kNowhere ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNowhere ? newest_ : entries_[entry.newer].older) = entry.older;
}

}  // namespace tokenomics
