#include "tokenomics/roofline/expert_placement.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

constexpr int kMoments = 24;  ///< between two refreshes

std::vector<double> weights_of(const MoeFfn& moe, const ExpertRouting& routing) {
  const PopularityLaw& law = routing.popularity;
  if (law.kind == PopularityLaw::Kind::Histogram) return law.values;
  std::vector<double> w(static_cast<std::size_t>(moe.routed_experts));
  for (int r = 0; r < moe.routed_experts; ++r) {
    double& weight = w[static_cast<std::size_t>(r)];
    if (law.kind == PopularityLaw::Kind::Zipf) {
      weight = std::pow(r + 1.0, -routing.zipf_exponent);
      continue;
    }
    const double u = (moe.routed_experts - r - 0.5) / moe.routed_experts;
    const double power = 1 - law.alpha;
    weight = std::abs(power) < 1e-9 ? std::pow(law.ratio, u) : std::pow((std::pow(law.ratio, power) - 1) * u + 1, 1 / power);
  }
  return w;
}

/// Of weights in falling order.
void scale_to_inclusion(std::vector<double>& p, int k) {
  std::size_t full = 0;  // the hottest are certain; the rest share what is left
  for (;;) {
    const double rest = std::accumulate(p.begin() + static_cast<std::ptrdiff_t>(full), p.end(), 0.0);
    const double scale = rest > 0 ? (k - static_cast<double>(full)) / rest : 0;
    if (full < p.size() && p[full] * scale > 1.0) {
      p[full++] = 1.0;
      continue;
    }
    for (std::size_t i = full; i < p.size(); ++i) p[i] *= scale;
    return;
  }
}

/// The same in every run.
template <typename T>
void shuffle(std::vector<T>& items, RandomStream& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

/// Which expert each slot holds, and how many copies an expert has.
struct Placement {
  std::vector<std::size_t> expert_of;  ///< slot by slot, rank after rank
  std::vector<int> copies;             ///< expert by expert
};

std::vector<int> copies_of(const std::vector<double>& p, int redundant) {
  std::vector<int> copies(p.size(), 1);
  for (int i = 0; i < redundant; ++i) {
    std::size_t hottest = 0;
    for (std::size_t e = 1; e < p.size(); ++e) {
      if (p[e] / copies[e] > p[hottest] / copies[hottest]) hottest = e;
    }
    ++copies[hottest];
  }
  return copies;
}

Placement balanced(const std::vector<double>& p, int redundant, int ep) {
  Placement placement{{}, copies_of(p, redundant)};
  std::vector<std::size_t> slots;
  for (std::size_t e = 0; e < p.size(); ++e) slots.insert(slots.end(), static_cast<std::size_t>(placement.copies[e]), e);
  const auto load = [&](std::size_t e) { return p[e] / placement.copies[e]; };
  std::stable_sort(slots.begin(), slots.end(), [&](std::size_t a, std::size_t b) { return load(a) > load(b); });
  const std::size_t room = slots.size() / static_cast<std::size_t>(ep);
  std::vector<std::vector<std::size_t>> ranks(static_cast<std::size_t>(ep));
  std::vector<double> sums(ranks.size(), 0.0);
  for (const std::size_t e : slots) {
    std::size_t best = ranks.size();
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      if (ranks[r].size() < room && (best == ranks.size() || sums[r] < sums[best])) best = r;
    }
    ranks[best].push_back(e);
    sums[best] += load(e);
  }
  for (const auto& rank : ranks) placement.expert_of.insert(placement.expert_of.end(), rank.begin(), rank.end());
  return placement;
}

Placement in_order(std::size_t experts) {
  Placement placement{std::vector<std::size_t>(experts), std::vector<int>(experts, 1)};
  std::iota(placement.expert_of.begin(), placement.expert_of.end(), std::size_t{0});
  return placement;
}

std::vector<double> slots_of(const Placement& placement, const std::vector<double>& popularity) {
  std::vector<double> slots;
  slots.reserve(placement.expert_of.size());
  for (const std::size_t e : placement.expert_of) slots.push_back(popularity[e] / placement.copies[e]);
  return slots;
}

/// Popularities after a time in which a share `kept` of experts held theirs.
std::vector<double> drifted(std::vector<double> popularity, double kept, RandomStream& random) {
  std::vector<std::size_t> moved;
  for (std::size_t e = 0; e < popularity.size(); ++e) {
    if (random.uniform() >= kept) moved.push_back(e);
  }
  std::vector<std::size_t> from = moved;
  shuffle(from, random);
  const std::vector<double> before = popularity;
  for (std::size_t i = 0; i < moved.size(); ++i) popularity[moved[i]] = before[from[i]];
  return popularity;
}

}  // namespace

std::vector<double> expert_popularity(const MoeFfn& moe, const ExpertRouting& routing) {
  const std::vector<double> w = weights_of(moe, routing);
  std::vector<std::size_t> order(w.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return w[a] > w[b]; });
  std::vector<double> falling;
  for (const std::size_t e : order) falling.push_back(w[e]);
  scale_to_inclusion(falling, moe.experts_per_token);
  std::vector<double> p(w.size());
  for (std::size_t i = 0; i < order.size(); ++i) p[order[i]] = falling[i];
  return p;
}

std::vector<std::vector<double>> expert_slots(const MoeFfn& moe, const ExpertRouting& routing, int ep) {
  TOKENOMICS_CHECK((moe.routed_experts + routing.redundant_experts) % ep == 0, "experts do not divide over ranks");
  std::vector<double> popularity = expert_popularity(moe, routing);
  const bool is_balanced = routing.redundant_experts > 0 || routing.eplb;
  const bool is_uniform = routing.popularity.kind == PopularityLaw::Kind::Zipf && routing.zipf_exponent == 0;
  if (!is_balanced && !is_uniform && routing.popularity.kind != PopularityLaw::Kind::Histogram) {
    RandomStream random(0, "expert_placement");
    shuffle(popularity, random);
  }
  const Placement placement =
      is_balanced ? balanced(popularity, routing.redundant_experts, ep) : in_order(popularity.size());
  if (!is_balanced || routing.drift_time_const_s <= 0) return {slots_of(placement, popularity)};
  RandomStream random(0, "expert_drift");
  std::vector<std::vector<double>> moments;
  for (int i = 0; i < kMoments; ++i) {
    const double age_s = (i + 0.5) / kMoments * routing.refresh_s;
    const double kept = std::exp(-age_s / routing.drift_time_const_s);
    moments.push_back(slots_of(placement, drifted(popularity, kept, random)));
  }
  return moments;
}

}  // namespace tokenomics
