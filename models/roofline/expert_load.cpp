#include "tokenomics/roofline/expert_load.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

/// pi_e = min(1, c * r^-s) with c such that they sum to k: a token cannot choose an expert twice.
std::vector<double> inclusion_probabilities(int experts, int k, double exponent) {
  std::vector<double> p(static_cast<std::size_t>(experts));
  for (int r = 0; r < experts; ++r) p[static_cast<std::size_t>(r)] = std::pow(r + 1.0, -exponent);
  std::size_t full = 0;  // the hottest are certain; the rest share what is left
  for (;;) {
    const double rest = std::accumulate(p.begin() + static_cast<std::ptrdiff_t>(full), p.end(), 0.0);
    const double scale = (k - static_cast<double>(full)) / rest;
    if (full < p.size() && p[full] * scale > 1.0) {
      p[full++] = 1.0;
      continue;
    }
    for (std::size_t i = full; i < p.size(); ++i) p[i] *= scale;
    return p;
  }
}

/// Experts in popularity order -> an order that has nothing to do with it, the same in every run.
void shuffle(std::vector<double>& p) {
  RandomStream random(0, "expert_placement");
  for (std::size_t i = p.size(); i > 1; --i) std::swap(p[i - 1], p[random.below(i)]);
}

/// Greedy EPLB: every redundant slot to the expert with the highest load per copy; slots heaviest first onto the
/// lightest rank that has room.
std::vector<double> balanced_slots(const std::vector<double>& p, int redundant, int ep) {
  std::vector<int> copies(p.size(), 1);
  for (int i = 0; i < redundant; ++i) {
    std::size_t hottest = 0;
    for (std::size_t e = 1; e < p.size(); ++e) {
      if (p[e] / copies[e] > p[hottest] / copies[hottest]) hottest = e;
    }
    ++copies[hottest];
  }
  std::vector<double> loads;
  for (std::size_t e = 0; e < p.size(); ++e)
    loads.insert(loads.end(), static_cast<std::size_t>(copies[e]), p[e] / copies[e]);
  std::stable_sort(loads.begin(), loads.end(), std::greater<>());
  const std::size_t room = loads.size() / static_cast<std::size_t>(ep);
  std::vector<std::vector<double>> ranks(static_cast<std::size_t>(ep));
  std::vector<double> sums(ranks.size(), 0.0);
  for (const double load : loads) {
    std::size_t best = ranks.size();
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      if (ranks[r].size() < room && (best == ranks.size() || sums[r] < sums[best])) best = r;
    }
    ranks[best].push_back(load);
    sums[best] += load;
  }
  std::vector<double> slots;
  for (const auto& rank : ranks) slots.insert(slots.end(), rank.begin(), rank.end());
  return slots;
}

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
  TOKENOMICS_CHECK((moe.routed_experts + routing.redundant_experts) % ep == 0, "experts do not divide over ranks");
  slots_ = inclusion_probabilities(moe.routed_experts, moe.experts_per_token, routing.zipf_exponent);
  if (routing.redundant_experts > 0) {
    slots_ = balanced_slots(slots_, routing.redundant_experts, ep);
  } else if (routing.zipf_exponent != 0) {
    shuffle(slots_);
  }
  make_classes(ep);
}

void ExpertLoad::make_classes(int ep) {
  const auto per_rank = static_cast<std::size_t>(slots_per_rank_);
  std::map<std::vector<double>, int> alike;
  for (std::size_t r = 0; r < static_cast<std::size_t>(ep); ++r) {
    std::vector<double> rank(slots_.begin() + static_cast<std::ptrdiff_t>(r * per_rank),
                             slots_.begin() + static_cast<std::ptrdiff_t>((r + 1) * per_rank));
    std::sort(rank.begin(), rank.end());
    ++alike[rank];
  }
  for (const auto& [slots, ranks] : alike) {
    RankClass made{static_cast<double>(ranks), std::accumulate(slots.begin(), slots.end(), 0.0), 1, {}};
    // A token hits a slot once at most: sum p (1 - p) instead of sum p; E / (E - 1) since the total is fixed.
    const double squares = std::inner_product(slots.begin(), slots.end(), slots.begin(), 0.0);
    made.dispersion = (1 - squares / made.copies_per_token) * experts_ / std::max(1.0, experts_ - 1.0);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (i == 0 || slots[i] != slots[i - 1]) made.slots.emplace_back(std::log1p(-std::min(slots[i], 1 - 1e-15)), 0);
      ++made.slots.back().second;
    }
    classes_.push_back(std::move(made));
  }
}

double ExpertLoad::max_over_mean(double tokens) const {
  return balanced_ ? 1 : expected_max_tokens(tokens) / (tokens * experts_per_token_ / ranks_);
}

ExpertLoad::Rank ExpertLoad::at(double tokens) const {
  Rank rank;
  rank.tokens_mean = tokens * experts_per_token_ / ranks_;
  for (const RankClass& c : classes_) {
    for (const auto& [log_missed, count] : c.slots)
      rank.touched_mean += c.ranks / ranks_ * count * touched(log_missed, tokens);
  }
  if (balanced_) {
    // The same tokens to every slot: all are touched as soon as there are enough.
    rank.tokens_max = rank.tokens_mean;
    rank.touched_mean = rank.touched_max = std::min<double>(slots_per_rank_, rank.tokens_mean);
    return rank;
  }
  rank.tokens_max = expected_max_tokens(tokens);
  // With all slots touched almost surely there is nothing left to maximise.
  const bool all = rank.touched_mean > slots_per_rank_ * (1 - 1e-6);
  rank.touched_max = all ? rank.touched_mean : std::min(expected_max_touched(tokens), rank.tokens_max);
  return rank;
}

double ExpertLoad::expected_max_tokens(double tokens) const {
  if (ranks_ <= 1) return tokens * experts_per_token_;
  const RankClass& hottest = *std::max_element(classes_.begin(), classes_.end(), [](const RankClass& a, const RankClass& b) {
    return a.copies_per_token < b.copies_per_token;
  });
  const double highest_mean = tokens * hottest.copies_per_token;
  if (highest_mean < 40) {
    // E[max] = sum over x >= 0 of 1 - prod over ranks of P(N <= x), N Poisson; the deviation is scaled to the variance.
    std::vector<double> term, cdf;
    for (const RankClass& c : classes_) {
      term.push_back(std::exp(-tokens * c.copies_per_token));
      cdf.push_back(term.back());
    }
    double expected = 0;
    for (int x = 0; x < 400; ++x) {
      double all = 1;
      for (std::size_t i = 0; i < classes_.size() && all > 0; ++i) all *= power(std::min(1.0, cdf[i]), classes_[i].ranks);
      const double more = 1 - all;
      expected += more;
      if (more < 1e-6) break;
      for (std::size_t i = 0; i < classes_.size(); ++i) cdf[i] += term[i] *= tokens * classes_[i].copies_per_token / (x + 1);
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
    for (const RankClass& c : classes_) {
      const double mean = tokens * c.copies_per_token;
      const double distance = x - mean;
      const double variance = mean * c.dispersion;
      if (distance * distance < 36 * variance) above += c.ranks * upper_tail(distance / std::sqrt(variance));
    }
    (above > kRanksAbove ? low : high) = x;
  }
  return 0.5 * (low + high);
}

double ExpertLoad::expected_max_touched(double tokens) const {
  // E[max] = sum over j of 1 - prod over ranks of P(D <= j); D is a sum of independent yes/no slots (Poisson binomial).
  std::vector<std::vector<double>> cdfs;
  for (const RankClass& c : classes_) {
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
    for (std::size_t i = 0; i < classes_.size() && all > 0; ++i) all *= power(cdfs[i][j], classes_[i].ranks);
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
