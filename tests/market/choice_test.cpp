#include "tokenomics/market/choice.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Offer offer(double usd, double ttft_s, double tok_s, double context = 64e3) {
  return {Usd{usd}, Seconds{ttft_s}, TokensPerSecond{tok_s}, Tokens{1000}, context};
}

double total(const ChoiceShares& shares) {
  return std::accumulate(shares.offer.begin(), shares.offer.end(), shares.outside);
}

rc::Gen<ChoiceSet> any_set() {
  const auto real = rc::gen::map(rc::gen::inRange(-8000, 8000), [](int n) { return n / 10.0; });
  const auto unit = rc::gen::map(rc::gen::inRange(0, 1001), [](int n) { return n / 1000.0; });
  return rc::gen::apply(
      [](const std::vector<std::pair<double, double>>& offers, double outside, bool has_outside) {
        ChoiceSet set;
        for (const auto& [v, fit] : offers) {
          set.utility.push_back(v);
          set.fit.push_back(fit);
        }
        if (has_outside) set.outside_utility = outside;
        return set;
      },
      rc::gen::container<std::vector<std::pair<double, double>>>(rc::gen::pair(real, unit)), real,
      rc::gen::arbitrary<bool>());
}

}  // namespace

TEST_CASE("half the price at a weight of -2 has four times the users", "[market]") {
  // Odds = (1/2)^-2 = 4, so shares 0.8 and 0.2; nothing else differs.
  const ChoiceSet set = choice_set({offer(0.001, 1, 50), offer(0.002, 1, 50)}, {.log_price = -2}, {});
  const ChoiceShares shares = logit_shares(set);
  CHECK(shares.offer[0] == Approx(0.8));
  CHECK(shares.offer[1] == Approx(0.2));
  CHECK(shares.outside == 0.0);
}

TEST_CASE("the features of an offer are log price, log seconds per answer, and the wait for the first token", "[market]") {
  // Answer: 1 + 1000 / 50 = 21 s. V = -2 ln 0.001 - 0.5 ln 21 - 0.7 ln 2 + 0.25 + ln 0.5.
  Offer o = offer(0.001, 1, 50);
  o.brand = 0.25;
  o.served_share = 0.5;
  CHECK(answer_time(o).value() == Approx(21));
  const double v = utility(o, {.log_price = -2, .log_seconds = -0.5, .log_ttft = -0.7}, {});
  CHECK(v == Approx(13.815511 - 1.522261 - 0.485203 + 0.25 - 0.693147));
}

TEST_CASE("a request that fits one context only has no choice", "[market]") {
  // 80% of the requests need at most 64K, the rest up to 128K. Equal utilities: the short ones split 0.4 : 0.4, and the
  // long 0.2 go to the longer context.
  const QuantileLaw need{{0.0, 0.8, 1.0}, {1e3, 64e3, 128e3}};
  const ChoiceShares shares = logit_shares(choice_set({offer(1, 1, 50, 64e3), offer(1, 1, 50, 128e3)}, {}, need));
  CHECK(shares.offer[0] == Approx(0.4));
  CHECK(shares.offer[1] == Approx(0.6));
  // The same two at 64K: the long requests fit nowhere.
  const ChoiceSet short_only = choice_set({offer(1, 1, 50, 64e3), offer(1, 1, 50, 64e3)}, {}, need);
  CHECK(logit_shares(short_only).outside == Approx(0.2));
  CHECK(inclusive_value(short_only) == Approx(std::log(2.0)));
}

TEST_CASE("share that fits is the inverse of the quantile table", "[market]") {
  const QuantileLaw need{{0.0, 0.8, 1.0}, {1e3, 64e3, 128e3}};
  CHECK(share_that_fits(need, 8e3) == Approx(0.4));  // sqrt(1e3 x 64e3) is half way in log tokens
  CHECK(share_that_fits(need, 999) == 0.0);
  CHECK(share_that_fits(need, 128e3) == 1.0);
  CHECK(share_that_fits({}, 1) == 1.0);
}

TEST_CASE("an offer that is not to be had takes no share", "[market]") {
  ChoiceSet set{{0.0, -kInfinity}, {1.0, 1.0}, {}};
  CHECK(logit_shares(set).offer[0] == 1.0);
  set.utility[0] = -kInfinity;
  CHECK(logit_shares(set).outside == 1.0);
  CHECK(inclusive_value(set) == -kInfinity);
  set.outside_utility = -3;
  CHECK(inclusive_value(set) == Approx(-3));
}

TEST_CASE("demand answers a rise of every price by elasticity times the weight of price", "[market]") {
  // 10% dearer everywhere at weight -2 and elasticity 0.3: demand x 1.1^-0.6.
  const ChoiceSet before = choice_set({offer(1, 1, 50), offer(2, 1, 50)}, {.log_price = -2}, {});
  const ChoiceSet after = choice_set({offer(1.1, 1, 50), offer(2.2, 1, 50)}, {.log_price = -2}, {});
  const PerSecond d = elastic_demand(PerSecond{100}, 0.3, inclusive_value(after), inclusive_value(before));
  CHECK(d.value() == Approx(100 * std::pow(1.1, -0.6)));
  CHECK(elastic_demand(PerSecond{100}, 0, -kInfinity, 0).value() == 100);
  CHECK(elastic_demand(PerSecond{100}, 0.3, -kInfinity, 0).value() == 0);
}

TEST_CASE("shares sum to one and none is negative, whatever the utilities", "[market]") {
  rc::prop("sum", [] {
    const ChoiceShares shares = logit_shares(*any_set());
    RC_ASSERT(std::abs(total(shares) - 1.0) < 1e-12);
    for (const double s : shares.offer) RC_ASSERT(s >= 0.0);
  });
}

TEST_CASE("share slopes are the differences of shares, and sum to minus the outside's", "[market]") {
  // Two offers and an outside of equal utility: s = 1/3; own slope -2 (1/3)(2/3), cross 2/9.
  const auto slope = share_slopes({.utility = {0, 0}, .fit = {1, 1}, .nest = {}, .outside_utility = 0}, -2);
  CHECK(slope[0][0] == Approx(-4.0 / 9));
  CHECK(slope[0][1] == Approx(2.0 / 9));
  rc::prop("finite differences", [] {
    ChoiceSet set = *any_set();
    RC_PRE(!set.utility.empty());
    for (double& v : set.utility) v /= 400;
    set.outside_utility /= 400;
    const auto analytic = share_slopes(set, -1.5);
    ChoiceSet dearer = set;
    dearer.utility[0] += -1.5 * 1e-6;  // ln price of the first offer up by 1e-6
    const ChoiceShares a = logit_shares(set);
    const ChoiceShares b = logit_shares(dearer);
    for (std::size_t j = 0; j < a.offer.size(); ++j) {
      RC_ASSERT(std::abs((b.offer[j] - a.offer[j]) / 1e-6 - analytic[j][0]) < 1e-5);
    }
  });
}
