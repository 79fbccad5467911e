#pragma once

#include <limits>
#include <vector>

#include "tokenomics/units/quantity.hpp"
#include "tokenomics/workload/workload.hpp"

/// Choice between providers: a logit over what users meet. Train, Discrete Choice Methods with Simulation (2nd ed. 2009),
/// chapter 3; McFadden, Conditional Logit Analysis of Qualitative Choice Behavior (1974).
namespace tokenomics {

/// What one kind of user meets at one provider.
struct Offer {
  Usd price{0};                      ///< per answer; > 0 unless the weight of price is 0
  Seconds ttft{0};                   ///< >= 0
  TokensPerSecond interactivity{0};  ///< per user, > 0
  Tokens output{0};                  ///< tokens of an answer, > 0
  double context_tokens = 0;         ///< longest input and output that is accepted together
  double served_share = 1;           ///< of the requests sent here, in [0, 1]; the rest is refused
  double brand = 0;                  ///< utility of everything else
  int nest = -1;                     ///< offers of one nest are close substitutes of each other; negative: of none
};

/// ttft + output / interactivity.
Seconds answer_time(const Offer& offer);

/// Utility per unit of each feature, in logit units: a difference of 1 multiplies the odds by e.
/// Expected signs: prices and times negative, shares positive.
struct ChoiceWeights {
  double log_price = 0;    ///< of ln(USD per answer): the elasticity of the odds; -2 is inverse square of price
  double log_seconds = 0;  ///< of ln(answer_time / 1 s)
  /// Of ln(1 + ttft / 1 s), over and above its part in the answer time: nothing is on the screen yet. Linear below a
  /// second, where a wait does not break the flow of thought (Nielsen, Usability Engineering, 1993), logarithmic above.
  double log_ttft = 0;
  /// Of ln(share of the requests that fit the context): users who leave a provider for good because some do not fit.
  /// That a request which does not fit cannot be sent is counted in any case: see ChoiceSet.
  double log_context_fit = 0;
  /// Of ln(served share). 1: refused requests choose again, as if the provider were there for that share of them.
  double log_served = 1;
};

/// Share of a distribution of total context (input and output) at or below `tokens`; 1 for an empty table. Linear in log
/// tokens between points, 0 below the first value, 1 from the last on: the inverse of quantile().
double share_that_fits(const QuantileLaw& context_need, double tokens);

/// Utility of one offer. -infinity when it serves nothing or nothing fits and that has a weight.
double utility(const Offer& offer, const ChoiceWeights& weights, const QuantileLaw& context_need);

/// What one user chooses from. Requests differ in length: one that fits k of the offers chooses among those k, so the
/// shares are a mixture over lengths (the exact choice sets of Train section 3.5, not a penalty).
struct ChoiceSet {
  std::vector<double> utility;  ///< of each offer; -infinity: not to be had
  std::vector<double> fit;      ///< share of requests that fit each offer, in [0, 1]; a longer limit fits more
  std::vector<int> nest;        ///< of each offer, or empty: no nests
  double dissimilarity = 1;     ///< of the nests, in (0, 1]; 1: nests do not matter
  /// Of not asking at all (or of asking another network). -infinity: everybody asks who can.
  double outside_utility = -std::numeric_limits<double>::infinity();
};

ChoiceSet choice_set(const std::vector<Offer>& offers, const ChoiceWeights& weights, const QuantileLaw& context_need);

struct ChoiceShares {
  std::vector<double> offer;  ///< of all requests, in the order of the offers
  double outside = 0;         ///< those that choose not to ask, and those that fit nowhere; offers + outside = 1
};

/// share_j = sum over lengths of P(length) e^V_j / (e^V_0 + sum over k that fit of e^V_k). The largest V is subtracted
/// first, so no utility overflows. Nested: a nest m with dissimilarity d counts as one offer of utility
/// I_m = d ln(sum of its e^(V_k / d)), and its offers share it as e^(V_j / d) (Train section 4.2, eq. 4.4, 4.5): the more
/// alike they are, the less another one adds. Inside a nest a weight counts as weight / d.
ChoiceShares logit_shares(const ChoiceSet& set);

/// ln(e^V_0 + sum e^V_k), averaged over lengths: the expected utility of the best choice but for a constant (Train eq.
/// 3.10). Lengths that fit nowhere are left out of the average; -infinity when none fits or nothing can be had.
double inclusive_value(const ChoiceSet& set);

/// Element (j, k): d share_j / d ln price_k = beta sum over lengths of P s_j (delta_jk - s_k), beta the weight of log
/// price. Divide by a price for the derivative to it, by a share for the elasticity: beta (1 - s) own, -beta s cross
/// (Train eq. 3.13, 3.14).
std::vector<std::vector<double>> share_slopes(const ChoiceSet& set, double log_price_weight);

/// Total demand d = d0 exp(elasticity (I - I0)), I the inclusive value: the nested logit with the providers in one nest
/// and elasticity as its dissimilarity parameter, in the limit that few of those who could ask do (Train section 4.2).
/// If every price rises by 1%, demand changes by elasticity x weight of log price in percent. Elasticity in [0, 1], 0:
/// fixed demand. 0 when I is -infinity and the elasticity is positive.
PerSecond elastic_demand(PerSecond reference, double elasticity, double inclusive, double reference_inclusive);

}  // namespace tokenomics
