#include "tokenomics/market/demand.hpp"

#include <cmath>
#include <numeric>

#include "support/catch.hpp"

#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

Segment chat() {
  Segment s;
  s.name = "chat";
  s.requests = PerSecond{100};
  s.tokens = {1000, 500, 300};
  s.weights.log_price = -2;
  return s;
}

ProviderTerms terms(double input_usd_per_mtok, double served = 1.0, double ttft = 1.0) {
  ProviderTerms t{{usd_per_mtok(input_usd_per_mtok), {}, usd_per_mtok(2 * input_usd_per_mtok)}, {}, 64e3};
  t.service = {TokensPerSecond{1}, Seconds{ttft}, TokensPerSecond{50}, 0.5, served, 8, usd_per_hour(16)};
  return t;
}

}  // namespace

TEST_CASE("patience: nobody leaves before the limit, then exponentially up to a share", "[market]") {
  const Patience patience{Seconds{10}, 0.4};
  CHECK(leaving_share(patience, Seconds{10}) == 0.0);
  CHECK(leaving_share(patience, Seconds{20}) == Approx(0.4 * (1 - 0.367879)));
  CHECK(leaving_share(patience, Seconds{1e6}) == Approx(0.4));
  CHECK(leaving_share({}, Seconds{1e6}) == 0.0);
}

TEST_CASE("the price of an answer is its tokens at the card, and nothing for free users", "[market]") {
  // 1,500 input at 0.5 (cached too: the card has no cached price) and 300 output at 1.0: 1,050 uUSD.
  CHECK(offer_to(chat(), terms(0.5), 0).price.value() == Approx(1050e-6));
  Segment free = chat();
  free.free = true;
  CHECK(offer_to(free, terms(0.5), 0).price.value() == 0.0);
  // Free users do not see that the second is dearer.
  const SegmentFlow flow = segment_flow(free, {terms(0.5), terms(5)}, {}, {}, 0);
  CHECK(flow.sent[0].value() == Approx(50));
}

TEST_CASE("users who do not reconsider stay; those without a last choice follow the logit", "[market]") {
  // Last: 0.6 and 0.2, 0.2 new. A quarter reconsiders, so 0.45 + 0.15 stay and 0.4 follow the logit 0.5, 0.25, 0.25.
  const std::vector<double> shares = sticky_shares({{0.5, 0.25}, 0.25}, {0.6, 0.2}, 0.25);
  CHECK(shares[0] == Approx(0.45 + 0.2));
  CHECK(shares[1] == Approx(0.15 + 0.1));
  CHECK(shares[2] == Approx(0.1));
  CHECK(sticky_shares({{0.5, 0.25}, 0.25}, {}, 0.25)[0] == 0.5);
}

TEST_CASE("a flow is served, refused, left or outside, and its load is what arrives", "[market]") {
  // Equal prices; the second serves half, which halves its odds: 2/3 and 1/3 of 100.
  Segment s = chat();
  s.patience = {Seconds{1}, 0.5};
  const SegmentFlow flow = segment_flow(s, {terms(1), terms(1, 0.5, 2)}, {}, {}, 0);
  CHECK(flow.sent[0].value() == Approx(200.0 / 3));
  CHECK(flow.left[1].value() == Approx(100.0 / 3 * 0.5 * 0.632121));
  CHECK(flow.refused[1].value() == Approx(flow.served[1].value()));
  const TokensPerSecond load = load_of({s}, {flow}, {0.5, 0, 1}, 1);
  CHECK(load.value() == Approx((flow.sent[1] - flow.left[1]).value() * (500 + 300)));
}

TEST_CASE("requests are conserved", "[market]") {
  rc::prop("demand = outside + served + refused + left", [] {
    const auto percent = [](int lo, int hi) { return *rc::gen::inRange(lo, hi) / 100.0; };
    Segment s = chat();
    s.elasticity = percent(0, 101);
    s.switching_share = percent(0, 101);
    s.patience = {Seconds{1}, percent(0, 101)};
    s.context_need = {{0.0, 1.0}, {100, 1e6}};
    std::vector<ProviderTerms> offers;
    std::vector<double> previous;
    const int n = *rc::gen::inRange(1, 6);
    for (int j = 0; j < n; ++j) {
      offers.push_back(terms(percent(1, 500), percent(0, 101), percent(1, 1000)));
      previous.push_back(1.0 / n);
    }
    const SegmentFlow f = segment_flow(s, offers, {}, previous, -1);
    double sum = f.outside.value();
    for (int j = 0; j < n; ++j) sum += (f.served[j] + f.refused[j] + f.left[j]).value();
    RC_ASSERT(std::abs(sum - f.demand.value()) <= 1e-9 * f.demand.value());
  });
}
