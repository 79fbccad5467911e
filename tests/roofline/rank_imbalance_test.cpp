#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <queue>

#include "roofline/plans.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/roofline/rank_imbalance.hpp"

using namespace plans;

namespace {

struct Measured {
  double sequences = 0, context = 0;
};

struct Leaving {
  double at = 0;
  std::size_t rank = 0;
  double context = 0;
  bool operator<(const Leaving& other) const { return at > other.at; }
};

/// Gamma with mean 1: sum of exponentials, for a shape 1/cv^2 that is a whole number.
double gamma_context(double cv, RandomStream& random) {
  const int shape = static_cast<int>(std::lround(1 / (cv * cv)));
  double sum = 0;
  for (int i = 0; i < shape; ++i) sum += random.exponential();
  return sum / shape;
}

std::size_t chosen(RankDispatch dispatch, const std::vector<int>& count, const std::vector<double>& kv,
                   RandomStream& random) {
  const std::size_t any = random.below(count.size());
  std::size_t best = any;
  for (std::size_t r = 0; r < count.size() && dispatch != RankDispatch::Random; ++r) {
    if (dispatch == RankDispatch::LeastSequences ? count[r] < count[best] : kv[r] < kv[best]) best = r;
  }
  return best;
}

/// Ranks to which sequences come as a Poisson process and from which they go: maxima over means.
Measured simulate_ranks(RankDispatch dispatch, int ranks, double per_rank, double cv, double services) {
  RandomStream random(7, "ranks");
  std::vector<int> count(static_cast<std::size_t>(ranks), 0);
  std::vector<double> kv(count.size(), 0.0);
  std::priority_queue<Leaving> leaving;
  double now = 0, look = 5, most = 0, most_kv = 0, all = 0, all_kv = 0;
  while (now < services) {
    const double next = now + random.exponential() / (ranks * per_rank);
    for (; !leaving.empty() && leaving.top().at < next; leaving.pop()) {
      --count[leaving.top().rank];
      kv[leaving.top().rank] -= leaving.top().context;
    }
    for (; look < next; look += 0.05) {
      most += *std::max_element(count.begin(), count.end());
      most_kv += *std::max_element(kv.begin(), kv.end());
      for (const int c : count) all += static_cast<double>(c) / ranks;
      for (const double k : kv) all_kv += k / ranks;
    }
    now = next;
    const double context = gamma_context(cv, random);
    const std::size_t rank = chosen(dispatch, count, kv, random);
    ++count[rank];
    kv[rank] += context;
    leaving.push({now + random.exponential(), rank, context});
  }
  return {most / all, most_kv / all_kv};
}

}  // namespace

TEST_CASE("Imbalance of each dispatch policy is that of a simulation of ranks", "[roofline]") {
  double worst = 0;
  for (const auto dispatch : {RankDispatch::Random, RankDispatch::LeastSequences, RankDispatch::LeastKv}) {
    for (const int ranks : {8, 32, 144}) {
      for (const double per_rank : {4.0, 16.0, 64.0}) {
        for (const double cv : {1.0 / 3, 0.5, 1.0}) {
          const double services = ranks * per_rank < 300 ? 150 : 30;
          const Measured measured = simulate_ranks(dispatch, ranks, per_rank, cv, services);
          const RankImbalance law(dispatch, ranks, cv);
          INFO(static_cast<int>(dispatch) << ": " << ranks << " ranks, " << per_rank << " each, cv " << cv);
          CHECK(law.sequences(per_rank) == Approx(measured.sequences).epsilon(0.08));
          CHECK(law.context(per_rank) == Approx(measured.context).epsilon(0.08));
          worst = std::max({worst, std::abs(law.sequences(per_rank) / measured.sequences - 1),
                            std::abs(law.context(per_rank) / measured.context - 1)});
        }
      }
    }
  }
  WARN("rank imbalance, closed form beside simulation: worst deviation " << 100 * worst << "%");
}

// E[z] of two normals is 1/sqrt(pi) = 0.5642, E[z^2] = 1: 100 random sequences a rank have 1 + 0.05642.
TEST_CASE("Two ranks by hand", "[roofline]") {
  CHECK(RankImbalance(RankDispatch::Random, 2, 0).sequences(100) == Approx(1.05642).epsilon(2e-4));
  CHECK(RankImbalance(RankDispatch::LeastSequences, 2, 0).sequences(100) == Approx(1.0075));
  // Even contexts: what evens out sequences evens out context.
  CHECK(RankImbalance(RankDispatch::LeastKv, 2, 0).context(100) == Approx(1.0075));
}

TEST_CASE("Imbalance falls with the sequences of a rank, the better policy has less, one rank has none", "[roofline]") {
  for (const double cv : {0.4, 1.0}) {
    const RankImbalance random(RankDispatch::Random, 64, cv), fewest(RankDispatch::LeastSequences, 64, cv),
        least(RankDispatch::LeastKv, 64, cv);
    for (double n = 4; n < 1000; n *= 2) {
      CHECK(random.context(2 * n) < random.context(n));
      CHECK(least.context(n) < fewest.context(n));
      CHECK(fewest.context(n) < random.context(n));
      CHECK(fewest.sequences(n) < random.sequences(n));
    }
    // 1/sqrt(n) for sums, 1/n where the policy evens them out.
    CHECK((random.context(4e4) - 1) / (random.context(1e4) - 1) == Approx(0.5).epsilon(0.02));
    CHECK((least.context(4e4) - 1) / (least.context(1e4) - 1) == Approx(0.25));
  }
  CHECK(RankImbalance(RankDispatch::Random, 1, 1).context(4) == 1);
}

TEST_CASE("Numbers that are typed in win over the dispatch policy", "[roofline]") {
  InstancePlan plan = v3_decode(16, 0);
  plan.balance = {1.0, 1.2, RankDispatch::Random, 1.0};
  InstancePlan typed = v3_decode(16, 0);
  typed.balance = {1.0, 1.2, {}, {}};
  const DecodeLoad load = decode_load(16 * 64, 4000);
  const Calibration calibration = h800_calibration();
  CHECK(StepModel(plan, calibration).step(load, {}) == StepModel(typed, calibration).step(load, {}));
  plan.balance.context_max_over_mean = 0;
  const double expected = RankImbalance(RankDispatch::Random, 16, 1).context(64);
  typed.balance.context_max_over_mean = expected;
  CHECK(StepModel(plan, calibration).step(load, {}).value() ==
        Approx(StepModel(typed, calibration).step(load, {}).value()).epsilon(1e-12));
}

TEST_CASE("With a dispatch policy runs of steps still add up to the steps one by one", "[roofline]") {
  InstancePlan plan = v3_decode(16, 0);
  for (const auto dispatch : {RankDispatch::Random, RankDispatch::LeastSequences, RankDispatch::LeastKv}) {
    plan.balance = {0, 0, dispatch, 0.8};
    const StepModel model(plan, h800_calibration());
    const double n = 16 * 40;
    double context = n * 1000, single = 0, in_runs = 0;
    for (int k = 0; k < 3000; ++k)
      single += model.step({static_cast<std::int64_t>(n), context + k * n, context + k * n}, {}).value();
    for (double k = 0; k < 3000;) {
      const double at = context + k * n;
      const LinearRun run = model.run({static_cast<std::int64_t>(n), at, at}, {n, n});
      const double steps = std::min(run.steps, 3000 - k);
      in_runs += steps * run.first_s + run.slope_s * steps * (steps - 1) / 2;
      k += steps;
    }
    CHECK(in_runs == Approx(single).epsilon(1e-9));
  }
}

TEST_CASE("A step is the slower the worse the policy", "[roofline]") {
  const auto step_s = [](RankDispatch dispatch, double per_rank) {
    InstancePlan plan = v3_decode(32, 0);
    plan.balance = {0, 0, dispatch, 0.8};
    return StepModel(plan, h800_calibration()).step(decode_load(static_cast<std::int64_t>(32 * per_rank), 5000), {}).value();
  };
  for (const double n : {16.0, 128.0}) {
    CHECK(step_s(RankDispatch::Random, n) > step_s(RankDispatch::LeastSequences, n));
    CHECK(step_s(RankDispatch::LeastSequences, n) > step_s(RankDispatch::LeastKv, n));
  }
}
