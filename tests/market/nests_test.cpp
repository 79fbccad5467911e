// Nested logit: Train, Discrete Choice Methods with Simulation (2nd ed. 2009), section 4.2.
#include "tokenomics/market/choice.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

/// Offers that every request fits, against an outside of utility 0.
ChoiceSet nested(const std::vector<double>& utility, const std::vector<int>& nest, double dissimilarity) {
  ChoiceSet set{utility, std::vector<double>(utility.size(), 1.0), nest, dissimilarity};
  set.outside_utility = 0;
  return set;
}

struct AnyOffer {
  double utility = 0, fit = 0;
  int nest = -1;
};

/// Offers of any utility and fit in any of four nests or in none; dissimilarities down to 0.001.
rc::Gen<ChoiceSet> any_nested_set() {
  const auto real = rc::gen::map(rc::gen::inRange(-8000, 8000), [](int n) { return n / 10.0; });
  const auto unit = rc::gen::map(rc::gen::inRange(0, 1001), [](int n) { return n / 1000.0; });
  const auto offer = rc::gen::apply(
      [](double utility, double fit, int nest) {
        return AnyOffer{utility, fit, nest};
      },
      real, unit, rc::gen::inRange(-1, 4));
  return rc::gen::apply(
      [](const std::vector<AnyOffer>& offers, int thousandths, double outside, bool has_outside) {
        ChoiceSet set;
        for (const AnyOffer& o : offers) {
          set.utility.push_back(o.utility);
          set.fit.push_back(o.fit);
          set.nest.push_back(o.nest);
        }
        set.dissimilarity = thousandths / 1000.0;
        if (has_outside) set.outside_utility = outside;
        return set;
      },
      rc::gen::container<std::vector<AnyOffer>>(offer), rc::gen::inRange(1, 1001), real, rc::gen::arbitrary<bool>());
}

}  // namespace

TEST_CASE("a nest of two equal offers counts as 2 to the dissimilarity offers", "[market]") {
  // V = 0 for all: the nest's inclusive value is d ln(e^0 + e^0) = d ln 2, its share 2^d / (2^d + 1) (eq. 4.4), each half.
  // d = 1/2: sqrt 2 / (sqrt 2 + 1) = 0.585786. d = 1/4: 1.189207 / 2.189207 = 0.543213.
  const ChoiceShares half = logit_shares(nested({0, 0}, {7, 7}, 0.5));
  CHECK(half.offer[0] == Approx(0.292893).epsilon(1e-5));
  CHECK(half.offer[1] == Approx(half.offer[0]));
  CHECK(half.outside == Approx(0.414214).epsilon(1e-5));
  CHECK(logit_shares(nested({0, 0}, {0, 0}, 0.25)).outside == Approx(1 - 0.543213).epsilon(1e-5));
  // An offer of no nest, or alone in its nest, is one offer: d cancels.
  const ChoiceShares apart = logit_shares(nested({0, 0, 0}, {-1, -1, 3}, 0.25));
  for (const double share : apart.offer) CHECK(share == Approx(0.25));
}

TEST_CASE("inside a nest odds are e to the difference over the dissimilarity", "[market]") {
  // V = 0.3 and 0.1, d = 0.4: e^(0.2 / 0.4) = e^0.5 = 1.648721 (eq. 4.5), whatever else there is.
  const ChoiceShares shares = logit_shares(nested({0.3, 2.0, 0.1, 1.0}, {1, -1, 1, 2}, 0.4));
  CHECK(shares.offer[0] / shares.offer[2] == Approx(1.648721));
  // Between offers of no nest the odds are those of the plain logit: e^(2 - 0).
  CHECK(shares.offer[1] / shares.outside == Approx(7.389056));
}

TEST_CASE("two nests by hand", "[market]") {
  // d = 1/2. Nest A: V = ln 2, ln 1: e^(V/d) = 4, 1, I = ln(5) / 2, e^I = 2.236068. Nest B: V = ln 3 alone, e^I = 3.
  // Outside 1. Sum 6.236068: A 0.358570 split 0.8 : 0.2, B 0.481072, outside 0.160357.
  const ChoiceShares shares = logit_shares(nested({std::log(2.0), std::log(3.0), 0}, {0, 1, 0}, 0.5));
  CHECK(shares.offer[0] == Approx(0.286856).epsilon(1e-5));
  CHECK(shares.offer[1] == Approx(0.481072).epsilon(1e-5));
  CHECK(shares.offer[2] == Approx(0.071714).epsilon(1e-5));
  CHECK(shares.outside == Approx(0.160357).epsilon(1e-5));
  CHECK(inclusive_value(nested({std::log(2.0), std::log(3.0), 0}, {0, 1, 0}, 0.5)) == Approx(std::log(6.236068)));
}

TEST_CASE("as the dissimilarity goes to 0 a clone adds nothing and a worse twin gets nothing", "[market]") {
  // The blue bus problem: d = 1e-9, so 2^d = 1 + 7e-10.
  for (const double d : {1e-9, 1e-300, std::numeric_limits<double>::denorm_min()}) {
    INFO(d);
    const ChoiceShares clones = logit_shares(nested({1, 1}, {0, 0}, d));
    const ChoiceShares alone = logit_shares(nested({1}, {0}, d));
    CHECK(clones.offer[0] + clones.offer[1] == Approx(alone.offer[0]));
    CHECK(clones.offer[0] == Approx(clones.offer[1]));
    const ChoiceShares twin = logit_shares(nested({700, 700.001}, {0, 0}, d));
    CHECK(twin.offer[0] == Approx(0).margin(1e-12));
    CHECK(twin.offer[1] == Approx(1));
  }
}

TEST_CASE("a nest in which nothing can be had is not there", "[market]") {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const ChoiceShares shares = logit_shares(nested({kNever, 0, kNever}, {0, 1, 0}, 0.5));
  CHECK(shares.offer == std::vector<double>{0, 0.5, 0});
  CHECK(shares.outside == 0.5);
  CHECK(logit_shares(nested({kNever}, {0}, 0.5)).outside == 1);
}

TEST_CASE("nests in property", "[market]") {
  rc::prop("shares of any nests are between 0 and 1 and add up to 1", [] {
    const ChoiceSet set = *any_nested_set();
    const ChoiceShares shares = logit_shares(set);
    for (const double share : shares.offer) RC_ASSERT(share >= 0.0 && share <= 1.0 + 1e-12);
    RC_ASSERT(shares.outside >= 0.0 && shares.outside <= 1.0 + 1e-12);
    const double total = std::accumulate(shares.offer.begin(), shares.offer.end(), shares.outside);
    RC_ASSERT(std::abs(total - 1.0) < 1e-9);
  });
  rc::prop("nests of dissimilarity 1, and nests of one, are the plain logit", [] {
    ChoiceSet set = *any_nested_set();
    ChoiceSet plain = set;
    plain.nest.clear();
    plain.dissimilarity = 1;
    const bool is_alone = *rc::gen::arbitrary<bool>();
    if (is_alone) std::iota(set.nest.begin(), set.nest.end(), 0);
    else set.dissimilarity = 1;
    const ChoiceShares nests = logit_shares(set), logit = logit_shares(plain);
    for (std::size_t n = 0; n < set.utility.size(); ++n) RC_ASSERT(std::abs(nests.offer[n] - logit.offer[n]) < 1e-9);
    RC_ASSERT(std::abs(nests.outside - logit.outside) < 1e-9);
  });
  rc::prop("a share is how much the inclusive value rises with the utility of the offer", [] {
    // d I / d V_j = share_j (Williams 1977; Train eq. 3.10 nested). Utilities within +-4 and d >= 0.1, where central
    // differences of 1e-5 are good to (1e-5 / d)^2.
    ChoiceSet set = *any_nested_set();
    RC_PRE(!set.utility.empty());
    for (double& v : set.utility) v /= 200;
    std::fill(set.fit.begin(), set.fit.end(), 1.0);
    set.dissimilarity = 0.1 + 0.9 * set.dissimilarity;
    set.outside_utility = 0.5;
    const ChoiceShares shares = logit_shares(set);
    for (std::size_t j = 0; j < set.utility.size(); ++j) {
      ChoiceSet up = set, down = set;
      up.utility[j] += 1e-5;
      down.utility[j] -= 1e-5;
      const double slope = (inclusive_value(up) - inclusive_value(down)) / 2e-5;
      RC_ASSERT(std::abs(slope - shares.offer[j]) < 1e-6);
    }
  });
  rc::prop("the more alike the offers of a nest, the less they take together", [] {
    ChoiceSet set = *any_nested_set();
    RC_PRE(!set.utility.empty());
    std::fill(set.nest.begin(), set.nest.end(), 0);
    ChoiceSet alike = set;
    alike.dissimilarity = set.dissimilarity / 2;
    RC_ASSERT(logit_shares(alike).outside >= logit_shares(set).outside - 1e-12);
  });
}
