#include "prefix_cache.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

/// When a segment has come and is used again (SGLang HiCache writes selectively from the second use on).
constexpr std::uint32_t kSelectedUses = 2;

}  // namespace

SharedTiers make_shared_tiers(const PrefixCacheConfig& config, PromptTree& tree) {
  SharedTiers tiers;
  for (const CacheTierConfig& tier : config.tiers) {
    tiers.push_back(tier.shared ? std::make_unique<CacheTier>(tree, tier.capacity_tokens, tier.time_to_live) : nullptr);
  }
  return tiers;
}

PrefixCache::PrefixCache(const PrefixCacheConfig& config, PromptTree& tree, const SharedTiers& shared, int ranks,
                         const Window& window, CacheResult& result)
    : config_(config),
      tree_(tree),
      window_(window),
      result_(result),
      hbm_(tree, std::nullopt, config.in_hbm ? config.time_to_live : -1) {
  for (std::size_t i = 0; i < config.tiers.size(); ++i) {
    const CacheTierConfig& tier = config.tiers[i];
    Below below{&tier, nullptr, shared[i].get(), std::vector<SimTime>(static_cast<std::size_t>(ranks), 0)};
    if (!tier.shared) {
      below.own = std::make_unique<CacheTier>(tree, tier.capacity_tokens, tier.time_to_live);
      below.tier = below.own.get();
    }
    below_.push_back(std::move(below));
  }
  const std::size_t places = 1 + config.tiers.size();  // HBM is place 0
  for (std::vector<double>* counts : {&result.loaded, &result.written, &result.evicted, &result.held_token_s})
    counts->resize(places, 0.0);
  for (std::size_t at = 0; at < places; ++at)
    on_evicted_.emplace_back([this, at](SegmentId segment, TokenSpan span) { evicted(at, segment, span); });
}

/// Segments of the first `to` tokens of a prompt (or of prompt and answer), root first, empty parts left out.
void PrefixCache::walk(const Request& request, std::int64_t to) {
  path_.clear();
  for (SegmentId segment = request.segment; segment != kNoSegment; segment = tree_.parent(segment)) {
    const std::int64_t begin = tree_.begin(segment);
    if (to > begin) {
      path_.push_back({segment, begin, to});
      to = begin;
    }
  }
  std::reverse(path_.begin(), path_.end());
}

void PrefixCache::expire(SimTime now) {
  sample(now);
  now_ = now;
  hbm_.expire(now);
  for (Below& below : below_) below.tier->expire(now);
}

PrefixCache::Found PrefixCache::find(const Request& request, SimTime now) {
  expire(now);
  walk(request, request.input_tokens);
  Found found;
  std::int64_t covered = 0;
  for (const Part& part : path_) {
    const TokenSpan held = hbm_.held(part.segment);
    if (held.size() == 0) break;
    if (!hbm_.pinned(part.segment)) found.unpinned += held.size();
    covered = std::min(held.to, part.to);
    if (covered < part.to) break;
  }
  found.tokens = std::min(whole_blocks(covered), most_reusable(request));
  return found;
}

CacheLoad PrefixCache::load(const Request& request, SimTime now) {
  if (below_.empty()) return {};
  const std::int64_t in_hbm = find(request, now).tokens;
  const std::int64_t to = std::min(whole_blocks(cover_over_tiers()), most_reusable(request));
  if (to <= in_hbm) return {};
  CacheLoad load{now, in_hbm, to};
  for (std::size_t place = 1; place < loading_.size(); ++place) {
    if (loading_[place] == 0) continue;
    Below& below = below_[place - 1];
    const auto tokens = static_cast<double>(loading_[place]);
    SimTime& link = *std::min_element(below.links_free.begin(), below.links_free.end());
    link = std::max(now, link) + to_sim_time(tokens * below.config->per_token);
    load.ready = std::max(load.ready, link + to_sim_time(below.config->latency));
    if (window_.contains(now)) result_.loaded[place] += tokens;
  }
  for (auto part = path_.rbegin(); part != path_.rend(); ++part) {
    for (std::size_t place = 0; place < loading_.size(); ++place) tier(place).touch(part->segment, now);
  }
  if (window_.contains(now)) {
    result_.loads += 1;
    result_.load_s += to_seconds(load.ready - now).value();
  }
  return load;
}

bool PrefixCache::finds_more(const Request& request, const CacheLoad& loaded, SimTime now) {
  if (below_.empty()) return false;
  const std::int64_t there = reusable(request, loaded, now);
  return std::min(whole_blocks(cover_over_tiers()), most_reusable(request)) > there;
}

/// How far all tiers together hold the path that was walked; loading_ gets the tokens that come from each, the highest
/// first.
std::int64_t PrefixCache::cover_over_tiers() {
  loading_.assign(1 + below_.size(), 0);
  std::int64_t covered = 0;
  for (const Part& part : path_) {
    for (std::size_t place = 0; place < loading_.size() && covered < part.to; ++place) {
      const TokenSpan held = tier(place).held(part.segment);
      if (!held.holds(covered)) continue;
      const std::int64_t to = std::min(held.to, part.to);
      loading_[place] += to - covered;
      covered = to;
    }
    if (covered < part.to) break;
  }
  return covered;
}

std::int64_t PrefixCache::reusable(const Request& request, const CacheLoad& loaded, SimTime now) {
  const std::int64_t in_hbm = find(request, now).tokens;
  return loaded.from <= in_hbm ? std::max(in_hbm, loaded.to) : in_hbm;  // else what lies before it has been evicted
}

std::int64_t PrefixCache::take(const Request& request, const CacheLoad& loaded, SimTime now) {
  const std::int64_t in_hbm = find(request, now).tokens, all = reusable(request, loaded, now);
  if (window_.contains(now)) {
    result_.looked_up += static_cast<double>(request.input_tokens);
    result_.found_in_hbm += static_cast<double>(in_hbm);
    result_.found_below += static_cast<double>(all - in_hbm);
  }
  for (const Part& part : path_) {
    if (part.from >= all) break;
    if (all > in_hbm) store(0, part.segment, {part.from, std::min(part.to, all)}, now);
    else hbm_.touch(part.segment, now);
    hbm_.pin(part.segment);
  }
  copy_down(now);
  return all;
}

std::int64_t PrefixCache::publish(const Request& request, std::int64_t pinned, std::int64_t to, SimTime now) {
  expire(now);
  to = whole_blocks(std::min(to, request.input_tokens));
  if (to <= pinned) return pinned;
  walk(request, to);
  for (const Part& part : path_) {
    store(0, part.segment, {part.from, part.to}, now);
    if (part.from >= pinned) hbm_.pin(part.segment);
  }
  copy_down(now);
  return to;
}

void PrefixCache::give_back(const Request& request, std::int64_t pinned, std::int64_t kept, SimTime now) {
  expire(now);
  kept = std::max(pinned, whole_blocks(kept));
  walk(request, kept);
  for (auto part = path_.rbegin(); part != path_.rend(); ++part) {
    if (part->to > pinned) store(0, part->segment, {part->from, part->to}, now);
    if (part->from < pinned) hbm_.unpin(part->segment, now);
  }
  if (kept > pinned) copy_down(now);
  if (!config_.in_hbm) make_room(evictable(), now);
}

void PrefixCache::make_room(std::int64_t tokens, SimTime now) {
  now_ = now;
  hbm_.make_room(tokens, config_.block_tokens, on_evicted_[0]);
}

void PrefixCache::store(std::size_t place, SegmentId segment, TokenSpan span, SimTime now) {
  CacheTier& to = tier(place);
  const std::int64_t before = to.written();
  to.store(segment, span, now, on_evicted_[place]);
  if (window_.contains(now)) result_.written[place] += static_cast<double>(to.written() - before);
}

/// Copies the path that was walked into the tiers that are to have it now. Leaf first: see CacheTier.
void PrefixCache::copy_down(SimTime now) {
  for (std::size_t place = 1; place <= below_.size(); ++place) {
    const CacheWrite write = below_[place - 1].config->write;
    if (write == CacheWrite::Back) continue;
    for (auto part = path_.rbegin(); part != path_.rend(); ++part) {
      if (write == CacheWrite::Selective && hbm_.uses(part->segment) < kSelectedUses) continue;
      store(place, part->segment, {part->from, std::min(part->to, hbm_.held(part->segment).to)}, now);
    }
  }
}

void PrefixCache::evicted(std::size_t place, SegmentId segment, TokenSpan span) {
  if (window_.contains(now_)) result_.evicted[place] += static_cast<double>(span.size());
  if (place == below_.size() || below_[place].config->write != CacheWrite::Back) return;
  store(place + 1, segment, span, now_);
}

void PrefixCache::sample(SimTime now) {
  for (std::size_t place = 0; place <= below_.size(); ++place)
    result_.held_token_s[place] += tier(place).sample(now, window_);
}

void PrefixCache::lose() {
  hbm_.clear();
  for (Below& below : below_) {
    if (below.own) below.own->clear();
    std::fill(below.links_free.begin(), below.links_free.end(), 0);
  }
}

}  // namespace tokenomics
