#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "roofline/plans.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/roofline/expert_load.hpp"
#include "tokenomics/roofline/expert_placement.hpp"

using namespace plans;

namespace {

MoeFfn v3_experts() { return std::get<MoeFfn>(deepseek_v3().layers[1].ffn); }

ExpertRouting power_law(int redundant, bool eplb = true) {
  ExpertRouting routing;
  routing.popularity.kind = PopularityLaw::Kind::PowerLaw;
  routing.redundant_experts = redundant;
  routing.eplb = eplb;
  return routing;
}

double balancedness(const ExpertRouting& routing, int ep, double tokens) {
  const auto rank = ExpertLoad(v3_experts(), routing, ep).at(tokens);
  return rank.tokens_mean / rank.tokens_max;
}

/// Popularities drawn anew for each age of the placement, then every slot's tokens: mean of the fullest rank.
double sampled_max(const ExpertRouting& routing, int ep, int tokens, int trials) {
  const MoeFfn moe = v3_experts();
  ExpertRouting fresh = routing;
  fresh.drift_time_const_s = fresh.refresh_s = 0;
  const auto placed = expert_slots(moe, fresh, ep).front();
  const auto popularity = expert_popularity(moe, fresh);
  RandomStream random(11, "drift_sample");
  // Which expert a slot holds follows from its share: popularity over a number of copies, all different in a power law.
  std::vector<std::size_t> expert_of(placed.size());
  std::vector<int> copies(popularity.size(), 0);
  for (std::size_t s = 0; s < placed.size(); ++s) {
    double best = 1e9;
    for (std::size_t e = 0; e < popularity.size(); ++e) {
      for (int c = 1; c < 40; ++c) {
        const double miss = std::abs(popularity[e] / c - placed[s]);
        const bool used_up = copies[e] >= c;
        if (miss < best - 1e-15 && !used_up) best = miss, expert_of[s] = e;
      }
    }
    ++copies[expert_of[s]];
  }
  double total = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const double kept = std::exp(-(trial + 0.5) / trials * routing.refresh_s / routing.drift_time_const_s);
    std::vector<std::size_t> moved, from;
    for (std::size_t e = 0; e < popularity.size(); ++e) {
      if (random.uniform() > kept) moved.push_back(e);
    }
    from = moved;
    for (std::size_t i = from.size(); i > 1; --i) std::swap(from[i - 1], from[random.below(i)]);
    std::vector<double> now = popularity;
    for (std::size_t i = 0; i < moved.size(); ++i) now[moved[i]] = popularity[from[i]];
    double most = 0, rows = 0;
    const std::size_t per_rank = placed.size() / static_cast<std::size_t>(ep);
    for (std::size_t s = 0; s < placed.size(); ++s) {
      if (s % per_rank == 0) rows = 0;
      const double p = now[expert_of[s]] / copies[expert_of[s]];
      rows += std::max(0.0, tokens * p + std::sqrt(tokens * p * (1 - p)) * random.normal());
      most = std::max(most, rows);
    }
    total += most / trials;
  }
  return total;
}

}  // namespace

// alpha 0 is even between 1 and 3: with two experts at the quarters, 1.5 and 2.5. alpha 1 is 9^u: 9^0.75 and 9^0.25.
TEST_CASE("Power laws by hand", "[roofline]") {
  MoeFfn moe;
  moe.routed_experts = 2;
  moe.experts_per_token = 1;
  ExpertRouting routing = power_law(0, false);
  routing.popularity.alpha = 0;
  routing.popularity.ratio = 3;
  CHECK(expert_popularity(moe, routing)[0] == Approx(2.5 / 4));
  routing.popularity.alpha = 1;
  routing.popularity.ratio = 9;
  CHECK(expert_popularity(moe, routing)[0] == Approx(5.196152 / (5.196152 + 1.732051)));
}

TEST_CASE("Popularities are probabilities that sum to the experts of a token, whatever the law", "[roofline]") {
  ExpertRouting histogram;
  histogram.popularity.kind = PopularityLaw::Kind::Histogram;
  for (int e = 0; e < 256; ++e) histogram.popularity.values.push_back(e == 7 ? 1e6 : 1 + e % 5);
  ExpertRouting zipf;
  zipf.zipf_exponent = 1.2;
  for (const ExpertRouting& routing : {power_law(0), histogram, zipf, ExpertRouting{}}) {
    const auto p = expert_popularity(v3_experts(), routing);
    CHECK(std::accumulate(p.begin(), p.end(), 0.0) == Approx(8));
    CHECK(*std::max_element(p.begin(), p.end()) <= 1.0);
    CHECK(*std::min_element(p.begin(), p.end()) > 0);
  }
  CHECK(expert_popularity(v3_experts(), histogram)[7] == 1);
  CHECK(expert_popularity(v3_experts(), histogram)[1] == Approx(2 * expert_popularity(v3_experts(), histogram)[0]));
}

TEST_CASE("A histogram lies on ranks in the network's order until EPLB places it", "[roofline]") {
  ExpertRouting routing;
  routing.popularity.kind = PopularityLaw::Kind::Histogram;
  for (int e = 0; e < 256; ++e) routing.popularity.values.push_back(e < 128 ? 3 : 1);
  // The first half of 8 ranks has 1.5 times the mean.
  const auto slots = expert_slots(v3_experts(), routing, 8).front();
  CHECK(std::accumulate(slots.begin(), slots.begin() + 32, 0.0) == Approx(1.5));
  routing.eplb = true;
  const auto placed = expert_slots(v3_experts(), routing, 8).front();
  CHECK(std::accumulate(placed.begin(), placed.begin() + 32, 0.0) == Approx(1));
}

TEST_CASE("EPLB makes skewed experts more even, redundant copies more still", "[roofline]") {
  for (const int ep : {32, 72}) {
    const int redundant = 32;
    const double off = balancedness(power_law(ep == 72 ? 32 : 0, false), ep == 72 ? 72 : 32, 20000);
    const double placed = balancedness(power_law(redundant), ep, 20000);
    CHECK(placed > off - 1e-9);
  }
  CHECK(balancedness(power_law(0, false), 64, 20000) < 0.7);
  CHECK(balancedness(power_law(0), 64, 20000) > balancedness(power_law(0, false), 64, 20000));
  CHECK(balancedness(power_law(64), 64, 20000) > 0.85);
}

TEST_CASE("The longer a placement stays the less it fits a popularity that drifts", "[roofline]") {
  ExpertRouting routing = power_law(64);
  const double fresh = balancedness(routing, 64, 20000);
  double before = fresh;
  routing.drift_time_const_s = 3600;
  for (const double refresh : {10.0, 600.0, 3600.0, 86400.0}) {
    routing.refresh_s = refresh;
    const double now = balancedness(routing, 64, 20000);
    CHECK(now < before + 0.01);
    before = now;
  }
  routing.refresh_s = 1e-3;
  CHECK(balancedness(routing, 64, 20000) == Approx(fresh).epsilon(1e-3));
  // A placement for a popularity long gone: hot experts have one copy, cold ones several.
  routing.refresh_s = 1e9;
  CHECK(balancedness(routing, 64, 20000) < 0.65 * fresh);
}

TEST_CASE("Balancedness over a refresh interval is that of drawn popularities and tokens", "[roofline]") {
  ExpertRouting routing = power_law(64);
  routing.drift_time_const_s = 3600;
  for (const double refresh : {600.0, 3600.0}) {
    routing.refresh_s = refresh;
    for (const int tokens : {2000, 20000}) {
      const double ours = ExpertLoad(v3_experts(), routing, 64).at(tokens).tokens_max;
      const double sampled = sampled_max(routing, 64, tokens, 600);
      INFO("refresh " << refresh << " s, " << tokens << " tokens: " << ours << " beside " << sampled);
      CHECK(ours == Approx(sampled).epsilon(0.06));
    }
  }
}

TEST_CASE("Popularity that cannot be is refused", "[roofline]") {
  InstancePlan plan = v3_decode(16, 0);
  const auto refused = [&](const char* pointer) {
    try {
      StepModel(plan, h800_calibration());
    } catch (const ScenarioError& error) {
      return std::string(error.what()).find(pointer) != std::string::npos;
    }
    return false;
  };
  plan.routing.popularity = {PopularityLaw::Kind::Histogram, 1, 2, {1, 2, 3}};
  CHECK(refused("/routing/popularity/values"));
  plan.routing = power_law(0);
  plan.routing.drift_time_const_s = 5;
  CHECK(refused("/routing/eplb/refresh_s"));
  plan.routing.refresh_s = 5;
  CHECK(!refused("/"));
  plan.routing.eplb = false;
  CHECK(refused("/routing/drift"));
}
