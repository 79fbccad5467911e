#include "tokenomics/sim/prompt_packer.hpp"

#include <algorithm>
#include <cmath>

namespace tokenomics {
namespace {

/// sum over tokens t = 1..n of min(done + t, cap); cap 0: none.
double attended(double done, double n, double cap) {
  const double full = n * done + n * (n + 1) / 2;
  if (cap <= 0 || done + n <= cap) return full;
  if (done >= cap) return n * cap;
  const double below = cap - done;  // the first `below` tokens still see everything
  return below * done + below * (below + 1) / 2 + (n - below) * cap;
}

}  // namespace

PromptPacker::PromptPacker(const PoolConfig& pool)
    : pool_(pool), cap_(static_cast<double>(pool.timer->context_cap())), ranks_(static_cast<std::size_t>(pool.ranks)) {
  if (pool.batching.prompt_budget == PromptBudget::EvenWork) weigh_attention();
}

void PromptPacker::begin(double decode_tokens) {
  const double left = static_cast<double>(pool_.batching.max_tokens_per_step) - decode_tokens;
  budget_ = std::max(1.0, std::floor(left / pool_.ranks));
  prompts_ = 0;
  std::fill(ranks_.begin(), ranks_.end(), Rank{});
}

std::int64_t PromptPacker::add(std::int64_t done_tokens, std::int64_t left_tokens) {
  const auto less = [](const Rank& a, const Rank& b) { return a.work < b.work; };
  Rank& rank = *std::min_element(ranks_.begin(), ranks_.end(), less);
  const auto done = static_cast<double>(done_tokens), left = static_cast<double>(left_tokens);
  const double tokens = share_of_prompt(left, done, rank);
  if (tokens < 1.0) return 0;
  rank.work += tokens + attention_weight_ * attended(done, tokens, 0) + reexpansion_weight_ * done;
  rank.tokens += tokens;
  rank.attended += attended(done, tokens, 0);
  rank.capped += attended(done, tokens, cap_);
  rank.reexpanded += done;
  ++prompts_;
  return static_cast<std::int64_t>(tokens);
}

PrefillLoad PromptPacker::load(std::int64_t finishing) const {
  Rank sum;
  const Rank* slowest = &ranks_.front();
  for (const Rank& rank : ranks_) {
    sum.tokens += rank.tokens;
    sum.attended += rank.attended;
    sum.capped += rank.capped;
    sum.reexpanded += rank.reexpanded;
    if (rank.work > slowest->work) slowest = &rank;
  }
  return {sum.tokens, sum.attended, sum.capped, sum.reexpanded, prompts_, finishing, slowest->tokens, slowest->attended};
}

/// Largest n with n + a (n done + n^2 / 2) + r done <= room, with the weights a and r of attention and re-expansion; an
/// empty rank takes at least a sixteenth of its room, so that the longest prompt gets on.
double PromptPacker::share_of_prompt(double left, double done, const Rank& rank) const {
  const bool rank_is_empty = rank.work == 0.0;
  const double room = budget_ - rank.work;
  const double linear = 1 + attention_weight_ * done, rest = room - reexpansion_weight_ * done;
  const double root = linear + std::sqrt(std::max(0.0, linear * linear + 2 * attention_weight_ * rest));
  double most = std::floor(std::max(0.0, 2 * rest / root));
  if (rank_is_empty) most = std::max(most, std::max(1.0, std::floor(room / 16)));
  if (pool_.batching.chunked_prefill) return std::min(left, most);
  return left <= most || rank_is_empty ? left : 0.0;
}

/// Weights from the timer itself: what a full step costs more per attended and per re-expanded token, over what it
/// costs per token. Measured far out, where attention is not hidden behind communication.
void PromptPacker::weigh_attention() {
  const auto tokens = static_cast<double>(pool_.batching.max_tokens_per_step);
  constexpr double kFarTokens = 32768;
  const auto step_s = [&](double attended_tokens, double reexpanded) {
    const double ranks = pool_.ranks;
    return pool_.timer
        ->step({}, {tokens, attended_tokens, attended_tokens, reexpanded, pool_.ranks, pool_.ranks, tokens / ranks,
                    attended_tokens / ranks})
        .value();
  };
  const double plain_s = step_s(tokens, 0), per_token_s = plain_s / tokens;
  attention_weight_ = std::max(0.0, step_s(tokens * kFarTokens, 0) - plain_s) / (tokens * kFarTokens) / per_token_s;
  reexpansion_weight_ = std::max(0.0, step_s(tokens, tokens * kFarTokens) - plain_s) / (tokens * kFarTokens) / per_token_s;
}

}  // namespace tokenomics
