#include "tokenomics/roofline/expert_load.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tokenomics/roofline/expert_placement.hpp"

namespace tokenomics {
namespace {

double upper_tail(double z) { return 0.5 * std::erfc(z * 0.70710678118654752440); }

/// Most classes are one rank.
double power(double probability, double ranks) { return ranks == 1 ? probability : std::pow(probability, ranks); }

/// 1 - (1 - p)^T from log(1 - p)
double touched(double log_missed, double tokens) { return -std::expm1(tokens * log_missed); }

}  // namespace

ExpertLoad::ExpertLoad(const MoeFfn& moe, const ExpertRouting& routing, int ep)
    : balanced_(routing.force_balance),
      slots_per_rank_((moe.routed_experts + routing.redundant_experts) / ep),
      ranks_(ep),
      experts_per_token_(moe.experts_per_token),
      experts_(moe.routed_experts) {
  for (const auto& slots : expert_slots(moe, routing, ep)) moments_.push_back(moment_of(slots, ep));
}

ExpertLoad::Moment ExpertLoad::moment_of(std::vector<double> all_slots, int ep) const {
  Moment moment{std::move(all_slots), {}};
  const auto per_rank = static_cast<std::size_t>(slots_per_rank_);
  std::map<std::vector<double>, int> alike;
  for (std::size_t r = 0; r < static_cast<std::size_t>(ep); ++r) {
    std::vector<double> rank(moment.slots.begin() + static_cast<std::ptrdiff_t>(r * per_rank),
                             moment.slots.begin() + static_cast<std::ptrdiff_t>((r + 1) * per_rank));
    std::sort(rank.begin(), rank.end());
    ++alike[rank];
  }
  for (const auto& [slots, ranks] : alike) {
    RankClass made{static_cast<double>(ranks), std::accumulate(slots.begin(), slots.end(), 0.0), 1, {}};
    // A token hits a slot once at most: sum p (1 - p) instead of sum p; E / (E - 1) since the total is fixed.
    const double squares = std::inner_product(slots.begin(), slots.end(), slots.begin(), 0.0);
    if (made.copies_per_token > 0)
      made.dispersion = (1 - squares / made.copies_per_token) * experts_ / std::max(1.0, experts_ - 1.0);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (i == 0 || slots[i] != slots[i - 1]) made.slots.emplace_back(std::log1p(-std::min(slots[i], 1 - 1e-15)), 0);
      ++made.slots.back().second;
    }
    moment.classes.push_back(std::move(made));
  }
  return moment;
}

double ExpertLoad::max_over_mean(double tokens) const {
  if (balanced_) return 1;
  double most = 0;
  for (const Moment& moment : moments_) most += expected_max_tokens(moment, tokens);
  return most / static_cast<double>(moments_.size()) / (tokens * experts_per_token_ / ranks_);
}

ExpertLoad::Rank ExpertLoad::at(double tokens) const {
  if (moments_.size() == 1) return at(moments_.front(), tokens);
  Rank mean;
  for (const Moment& moment : moments_) {
    const Rank rank = at(moment, tokens);
    const double share = 1.0 / static_cast<double>(moments_.size());
    mean.tokens_mean += share * rank.tokens_mean;
    mean.tokens_max += share * rank.tokens_max;
    mean.touched_mean += share * rank.touched_mean;
    mean.touched_max += share * rank.touched_max;
  }
  return mean;
}

ExpertLoad::Rank ExpertLoad::at(const Moment& moment, double tokens) const {
  Rank rank;
  rank.tokens_mean = tokens * experts_per_token_ / ranks_;
  for (const RankClass& c : moment.classes) {
    for (const auto& [log_missed, count] : c.slots)
      rank.touched_mean += c.ranks / ranks_ * count * touched(log_missed, tokens);
  }
  if (balanced_) {
    // The same tokens to every slot: all are touched as soon as there are enough.
    rank.tokens_max = rank.tokens_mean;
    rank.touched_mean = rank.touched_max = std::min<double>(slots_per_rank_, rank.tokens_mean);
    return rank;
  }
  rank.tokens_max = expected_max_tokens(moment, tokens);
  // With all slots touched almost surely there is nothing left to maximise.
  const bool all = rank.touched_mean > slots_per_rank_ * (1 - 1e-6);
  rank.touched_max = all ? rank.touched_mean : std::min(expected_max_touched(moment, tokens), rank.tokens_max);
  return rank;
}

double ExpertLoad::expected_max_tokens(const Moment& moment, double tokens) const {
  const std::vector<RankClass>& classes = moment.classes;
  if (ranks_ <= 1) return tokens * experts_per_token_;
  const RankClass& hottest = *std::max_element(classes.begin(), classes.end(), [](const RankClass& a, const RankClass& b) {
    return a.copies_per_token < b.copies_per_token;
  });
  const double highest_mean = tokens * hottest.copies_per_token;
  if (highest_mean < 40) {
    // E[max] = sum over x >= 0 of 1 - prod over ranks of P(N <= x), N Poisson; the deviation is scaled to the variance.
    std::vector<double> term, cdf;
    for (const RankClass& c : classes) {
      term.push_back(std::exp(-tokens * c.copies_per_token));
      cdf.push_back(term.back());
    }
    double expected = 0;
    for (int x = 0; x < 400; ++x) {
      double all = 1;
      for (std::size_t i = 0; i < classes.size() && all > 0; ++i) all *= power(std::min(1.0, cdf[i]), classes[i].ranks);
      const double more = 1 - all;
      expected += more;
      if (more < 1e-6) break;
      for (std::size_t i = 0; i < classes.size(); ++i) cdf[i] += term[i] *= tokens * classes[i].copies_per_token / (x + 1);
    }
    return highest_mean + std::max(0.0, expected - highest_mean) * std::sqrt(hottest.dispersion);
  }
  // Mean of a Gumbel law: the x above which e^-gamma = 0.5615 ranks are expected. Normal ranks; bisection on x.
  constexpr double kRanksAbove = 0.56145948356688516;
  double low = highest_mean;
  double high = highest_mean + 8 * std::sqrt(highest_mean);
  while (high - low > 1e-4 * high) {
    const double x = 0.5 * (low + high);
    double above = 0;
    for (const RankClass& c : classes) {
      const double mean = tokens * c.copies_per_token;
      const double distance = x - mean;
      const double variance = mean * c.dispersion;
      if (distance * distance < 36 * variance) above += c.ranks * upper_tail(distance / std::sqrt(variance));
    }
    (above > kRanksAbove ? low : high) = x;
  }
  return 0.5 * (low + high);
}

double ExpertLoad::expected_max_touched(const Moment& moment, double tokens) const {
  const std::vector<RankClass>& classes = moment.classes;
  // E[max] = sum over j of 1 - prod over ranks of P(D <= j); D is a sum of independent yes/no slots (Poisson binomial).
  std::vector<std::vector<double>> cdfs;
  for (const RankClass& c : classes) {
    std::vector<double> pmf(static_cast<std::size_t>(slots_per_rank_) + 1, 0.0);
    pmf[0] = 1;
    std::size_t top = 0;
    for (const auto& [log_missed, count] : c.slots) {
      const double hit = touched(log_missed, tokens);
      for (int i = 0; i < count; ++i) {
        ++top;
        for (std::size_t j = top; j > 0; --j) pmf[j] = pmf[j] * (1 - hit) + pmf[j - 1] * hit;
        pmf[0] *= 1 - hit;
      }
    }
    std::partial_sum(pmf.begin(), pmf.end(), pmf.begin());
    cdfs.push_back(std::move(pmf));
  }
  double expected = 0;
  for (std::size_t j = 0; j < static_cast<std::size_t>(slots_per_rank_); ++j) {
    double all = 1;
    for (std::size_t i = 0; i < classes.size() && all > 0; ++i) all *= power(cdfs[i][j], classes[i].ranks);
    expected += 1 - all;
  }
  return expected;
}

double ExpertLoad::padded_rows(double tokens, double touched_slots, double tile) const {
  if (tile <= 1 || touched_slots <= 0) return tokens;
  const double mean = tokens / touched_slots;  // of a slot that is touched
  if (balanced_) return touched_slots * tile * std::ceil(mean / tile - 1e-12);
  if (mean > 8 * tile) return tokens + 0.5 * tile * touched_slots;
  // E[ceil(N / tile)] = 1 + sum over j >= 1 of P(N > j tile), N about Poisson.
  double tiles = 1;
  for (int j = 1; j < 64; ++j) {
    const double above = upper_tail((j * tile + 0.5 - mean) / std::sqrt(mean));
    tiles += above;
    if (above < 1e-7) break;
  }
  return touched_slots * tile * tiles;
}

}  // namespace tokenomics
