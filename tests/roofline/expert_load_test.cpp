#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "roofline/plans.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/roofline/expert_load.hpp"

using namespace plans;

namespace {

MoeFfn v3_experts() { return std::get<MoeFfn>(deepseek_v3().layers[1].ffn); }

struct Sampled {
  double tokens_max = 0;
  double touched_mean = 0;
  double time_max = 0;
};

/// Grouped GEMM of one rank: rows at 1 each, experts at 20 each (the weights of V3's experts against its rows on an
/// H800), smoothly the larger of both.
double rank_time(double rows, double experts) { return std::pow(std::pow(rows, 3) + std::pow(20 * experts, 3), 1.0 / 3); }

/// Each token hits each slot with its probability, rank after rank as ExpertLoad lays them out.
Sampled sample(const ExpertLoad& load, int ep, int tokens, int trials) {
  RandomStream random(3, "expert_load");
  const auto& slots = load.slot_probabilities();
  const auto per_rank = slots.size() / static_cast<std::size_t>(ep);
  Sampled s;
  for (int trial = 0; trial < trials; ++trial) {
    double most = 0, slowest = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(ep); ++r) {
      double rows = 0, experts = 0;
      for (std::size_t e = r * per_rank; e < (r + 1) * per_rank; ++e) {
        int hits = 0;
        for (int t = 0; t < tokens; ++t) hits += random.uniform() < slots[e] ? 1 : 0;
        rows += hits;
        experts += hits > 0 ? 1 : 0;
      }
      s.touched_mean += experts / ep / trials;
      most = std::max(most, rows);
      slowest = std::max(slowest, rank_time(rows, experts));
    }
    s.tokens_max += most / trials;
    s.time_max += slowest / trials;
  }
  return s;
}

/// Uniform experts, token by token: k of E without replacement, one of the copies at random.
Sampled sample_exact(int experts, int k, const std::vector<std::vector<int>>& rank_experts, int tokens, int trials) {
  RandomStream random(5, "expert_load_exact");
  std::vector<std::vector<std::size_t>> slots_of(static_cast<std::size_t>(experts));
  std::size_t slot = 0;
  for (const auto& rank : rank_experts) {
    for (const int e : rank) slots_of[static_cast<std::size_t>(e)].push_back(slot++);
  }
  std::vector<int> order(static_cast<std::size_t>(experts));
  std::iota(order.begin(), order.end(), 0);
  Sampled s;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<int> hits(slot, 0);
    for (int t = 0; t < tokens; ++t) {
      for (int i = 0; i < k; ++i) {
        std::swap(order[static_cast<std::size_t>(i)],
                  order[static_cast<std::size_t>(i) + random.below(static_cast<std::uint64_t>(experts - i))]);
        const auto& copies = slots_of[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])];
        ++hits[copies[copies.size() == 1 ? 0 : random.below(copies.size())]];
      }
    }
    double most = 0, slowest = 0;
    std::size_t at = 0;
    for (const auto& rank : rank_experts) {
      double rows = 0, touched = 0;
      for (std::size_t i = 0; i < rank.size(); ++i, ++at) {
        rows += hits[at];
        touched += hits[at] > 0 ? 1 : 0;
      }
      s.touched_mean += touched / static_cast<double>(rank_experts.size()) / trials;
      most = std::max(most, rows);
      slowest = std::max(slowest, rank_time(rows, touched));
    }
    s.tokens_max += most / trials;
    s.time_max += slowest / trials;
  }
  return s;
}

std::vector<std::vector<int>> contiguous(int experts, int ep) {
  std::vector<std::vector<int>> ranks(static_cast<std::size_t>(ep));
  for (int e = 0; e < experts; ++e) ranks[static_cast<std::size_t>(e / (experts / ep))].push_back(e);
  return ranks;
}

}  // namespace

TEST_CASE("Uniform routing touches E (1 - (1 - k/E)^T) experts", "[roofline]") {
  const ExpertLoad one_rank(v3_experts(), {}, 1);
  // One token: its 8. Two: 8 + 8 * 248/256 = 15.75.
  CHECK(one_rank.at(1).touched_mean == Approx(8));
  CHECK(one_rank.at(2).touched_mean == Approx(15.75));
  CHECK(one_rank.at(100000).touched_mean == Approx(256));
  CHECK(one_rank.at(2).tokens_max == 16);  // nothing is random about the total
}

TEST_CASE("EP144 with 32 redundant experts is uneven by construction, and more so by chance", "[roofline]") {
  ExpertRouting routing;
  routing.redundant_experts = 32;
  const ExpertLoad load(v3_experts(), routing, 144);
  CHECK(load.slots_per_rank() == 2);
  // 224 experts have one copy, 32 two: the fullest of 144 ranks has two whole experts where 256/144 = 1.778 is the mean.
  const auto& slots = load.slot_probabilities();
  double fullest = 0;
  for (std::size_t i = 0; i < slots.size(); i += 2) fullest = std::max(fullest, slots[i] + slots[i + 1]);
  CHECK(fullest / (8.0 / 144.0) == Approx(1.125));
  const auto rank = load.at(88 * 144);
  CHECK(rank.tokens_mean == Approx(704));
  CHECK(rank.tokens_max / rank.tokens_mean == Approx(1.22).margin(0.012));
}

TEST_CASE("Forced balance gives every rank the mean", "[roofline]") {
  ExpertRouting routing;
  routing.force_balance = true;
  const ExpertLoad load(v3_experts(), routing, 128);
  const auto rank = load.at(128 * 128);
  CHECK(rank.tokens_max == 1024);
  CHECK(rank.touched_max == 2);
  CHECK(load.padded_rows(1024, 2, 64) == 1024);
  CHECK(load.padded_rows(1026, 2, 64) == 1152);
}

TEST_CASE("The slowest of uniform ranks agrees with drawing tokens", "[roofline]") {
  struct Case {
    int ep, tokens, trials;
  };
  for (const Case c : {Case{8, 16, 3000},
                       {8, 256, 800},
                       {32, 8, 2000},
                       {32, 64, 1500},
                       {32, 1024, 200},
                       {128, 128, 400},
                       {128, 2048, 60},
                       {2, 128, 2000}}) {
    CAPTURE(c.ep, c.tokens);
    const ExpertLoad load(v3_experts(), {}, c.ep);
    const auto rank = load.at(c.tokens);
    const Sampled drawn = sample_exact(256, 8, contiguous(256, c.ep), c.tokens, c.trials);
    CHECK(rank.tokens_max == Approx(drawn.tokens_max).epsilon(0.03));
    CHECK(rank.touched_mean == Approx(drawn.touched_mean).epsilon(0.02));
    CHECK(rank_time(rank.tokens_max, rank.touched_max) == Approx(drawn.time_max).epsilon(0.03));
  }
}

TEST_CASE("The slowest rank under a popularity law agrees with drawing tokens", "[roofline]") {
  MoeFfn moe = v3_experts();
  for (const double exponent : {0.5, 1.0}) {
    for (const int redundant : {0, 32}) {
      ExpertRouting routing;
      routing.zipf_exponent = exponent;
      routing.redundant_experts = redundant;
      for (const int tokens : {16, 256}) {
        CAPTURE(exponent, redundant, tokens);
        const ExpertLoad load(moe, routing, 32);
        const auto rank = load.at(tokens);
        const Sampled drawn = sample(load, 32, tokens, tokens > 100 ? 120 : 800);
        CHECK(rank.tokens_max == Approx(drawn.tokens_max).epsilon(0.03));
        CHECK(rank_time(rank.tokens_max, rank.touched_max) == Approx(drawn.time_max).epsilon(0.035));
      }
    }
  }
}

TEST_CASE("Popularity adds up to k and redundancy evens it out", "[roofline]") {
  ExpertRouting skewed;
  skewed.zipf_exponent = 1.2;
  ExpertRouting spread = skewed;
  spread.redundant_experts = 32;
  const ExpertLoad plain(v3_experts(), skewed, 32);
  const ExpertLoad balanced(v3_experts(), spread, 32);
  const auto& p = plain.slot_probabilities();
  CHECK(std::accumulate(p.begin(), p.end(), 0.0) == Approx(8));
  CHECK(*std::max_element(p.begin(), p.end()) <= 1);
  CHECK(balanced.at(4096).tokens_max < 0.75 * plain.at(4096).tokens_max);
  CHECK(balanced.at(4096).tokens_max >= balanced.at(4096).tokens_mean);
}

TEST_CASE("Whole tiles cost a half tile per expert on average", "[roofline]") {
  const ExpertLoad load(v3_experts(), {}, 8);
  CHECK(load.padded_rows(32, 32, 64) == Approx(32 * 64));           // one row each fills one tile
  CHECK(load.padded_rows(32 * 1000, 32, 64) == Approx(32 * 1032));  // 15.6 tiles -> 16.1 on average
  CHECK(load.padded_rows(500, 10, 1) == 500);
}
