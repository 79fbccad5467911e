#include "tokenomics/market/choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

/// weight x ln(x), where a weight of 0 does not look at x.
double weighted_log(double weight, double x) { return weight == 0.0 ? 0.0 : weight * std::log(x); }

/// Requests of one range of lengths: their share of all, and how many offers (in the order `by_fit`) they fit.
struct LengthClass {
  double probability = 0;
  std::size_t fitting = 0;
};

/// The offers from the longest context to the shortest, and the ranges of lengths between their limits.
struct LengthClasses {
  std::vector<std::size_t> by_fit;
  std::vector<LengthClass> classes;
};

LengthClasses length_classes(const std::vector<double>& fit) {
  LengthClasses result;
  result.by_fit.resize(fit.size());
  std::iota(result.by_fit.begin(), result.by_fit.end(), std::size_t{0});
  std::stable_sort(result.by_fit.begin(), result.by_fit.end(), [&](auto a, auto b) { return fit[a] > fit[b]; });
  double longer = 1.0;  // share of the requests that fit the offers seen so far
  for (std::size_t n = 0; n <= fit.size(); ++n) {
    const double next = n < fit.size() ? fit[result.by_fit[n]] : 0.0;
    TOKENOMICS_CHECK(next >= 0.0 && next <= 1.0, "fit = " + std::to_string(next));
    if (longer > next) result.classes.push_back({longer - next, n});
    longer = next;
  }
  return result;
}

/// Logit among the first `fitting` offers and outside: shares in the order by_fit, the outside share last; the log-sum.
struct Logit {
  std::vector<double> share;
  double log_sum = kNothing;
};

Logit plain_logit(std::vector<double> v) {
  const std::size_t fitting = v.size() - 1;
  const double top = *std::max_element(v.begin(), v.end());
  if (top == kNothing) {  // nothing to be had: not asking is all that is left
    Logit none{std::vector<double>(fitting + 1, 0.0), kNothing};
    none.share[fitting] = 1.0;
    return none;
  }
  double sum = 0.0;
  for (double& x : v) sum += x = std::exp(x - top);
  for (double& x : v) x /= sum;
  return {v, top + std::log(sum)};
}

/// Offers of a nest, and its inclusive value.
struct Nest {
  std::vector<std::size_t> members;  ///< places in the order by_fit
  std::vector<double> share;         ///< of the nest
  double value = kNothing;
};

Nest nest_of(const std::vector<double>& v, std::vector<std::size_t> members, double dissimilarity) {
  // Utilities relative to the best: over a tiny dissimilarity they themselves would overflow.
  double top = kNothing;
  for (const std::size_t n : members) top = std::max(top, v[n]);
  std::vector<double> inside;
  for (const std::size_t n : members) inside.push_back(v[n] == top ? 0.0 : (v[n] - top) / dissimilarity);
  inside.push_back(kNothing);  // nothing outside a nest
  Logit choice = plain_logit(std::move(inside));
  choice.share.pop_back();
  return {std::move(members), std::move(choice.share), top + dissimilarity * choice.log_sum};
}

/// Nests in the order of their first members; an offer of no nest is one by itself.
std::vector<std::vector<std::size_t>> members_of_nests(const ChoiceSet& set, const LengthClasses& lengths,
                                                       std::size_t fitting) {
  std::vector<std::vector<std::size_t>> nests;
  std::vector<int> ids;
  for (std::size_t n = 0; n < fitting; ++n) {
    const int id = set.nest[lengths.by_fit[n]];
    const auto found = id < 0 ? ids.end() : std::find(ids.begin(), ids.end(), id);
    if (found == ids.end()) {
      ids.push_back(id);
      nests.push_back({n});
    } else {
      nests[static_cast<std::size_t>(found - ids.begin())].push_back(n);
    }
  }
  return nests;
}

Logit logit(const ChoiceSet& set, const LengthClasses& lengths, std::size_t fitting) {
  std::vector<double> v(fitting + 1, set.outside_utility);
  for (std::size_t n = 0; n < fitting; ++n) v[n] = set.utility[lengths.by_fit[n]];
  if (set.nest.empty() || set.dissimilarity == 1.0) return plain_logit(std::move(v));
  std::vector<Nest> nests;
  std::vector<double> values;
  for (auto& members : members_of_nests(set, lengths, fitting)) {
    nests.push_back(nest_of(v, std::move(members), set.dissimilarity));
    values.push_back(nests.back().value);
  }
  values.push_back(set.outside_utility);
  const Logit among = plain_logit(std::move(values));
  Logit result{std::vector<double>(fitting + 1, 0.0), among.log_sum};
  for (std::size_t m = 0; m < nests.size(); ++m)
    for (std::size_t i = 0; i < nests[m].members.size(); ++i)
      result.share[nests[m].members[i]] = among.share[m] * nests[m].share[i];
  result.share[fitting] = among.share.back();
  return result;
}

void check_set(const ChoiceSet& set) {
  TOKENOMICS_CHECK(set.utility.size() == set.fit.size(), std::to_string(set.utility.size()) + " utilities");
  TOKENOMICS_CHECK(set.nest.empty() || set.nest.size() == set.fit.size(), std::to_string(set.nest.size()) + " nests");
  TOKENOMICS_CHECK(set.dissimilarity > 0.0 && set.dissimilarity <= 1.0, std::to_string(set.dissimilarity));
  for (const double v : set.utility) {
    TOKENOMICS_CHECK(v < std::numeric_limits<double>::infinity(), "utility = " + std::to_string(v));
  }
}

}  // namespace

Seconds answer_time(const Offer& offer) { return offer.ttft + offer.output / offer.interactivity; }

double share_that_fits(const QuantileLaw& need, double tokens) {
  const std::vector<double>& value = need.value;
  if (value.empty() || tokens >= value.back()) return 1.0;
  if (tokens < value.front()) return 0.0;
  const auto above = static_cast<std::size_t>(std::upper_bound(value.begin(), value.end(), tokens) - value.begin());
  const double t = std::log(tokens / value[above - 1]) / std::log(value[above] / value[above - 1]);
  return need.probability[above - 1] + t * (need.probability[above] - need.probability[above - 1]);
}

double utility(const Offer& offer, const ChoiceWeights& weights, const QuantileLaw& context_need) {
  TOKENOMICS_CHECK(weights.log_price == 0.0 || offer.price.value() > 0.0, "price = " + std::to_string(offer.price.value()));
  TOKENOMICS_CHECK(offer.interactivity.value() > 0.0, "interactivity = " + std::to_string(offer.interactivity.value()));
  return offer.brand + weighted_log(weights.log_price, offer.price.value()) +
         weighted_log(weights.log_seconds, answer_time(offer).value()) + weights.log_ttft * std::log1p(offer.ttft.value()) +
         weighted_log(weights.log_served, offer.served_share) +
         weighted_log(weights.log_context_fit, share_that_fits(context_need, offer.context_tokens));
}

ChoiceSet choice_set(const std::vector<Offer>& offers, const ChoiceWeights& weights, const QuantileLaw& context_need) {
  ChoiceSet set;
  for (const Offer& offer : offers) {
    set.utility.push_back(utility(offer, weights, context_need));
    set.fit.push_back(share_that_fits(context_need, offer.context_tokens));
    set.nest.push_back(offer.nest);
  }
  return set;
}

ChoiceShares logit_shares(const ChoiceSet& set) {
  check_set(set);
  ChoiceShares result{std::vector<double>(set.utility.size(), 0.0), 0.0};
  const LengthClasses lengths = length_classes(set.fit);
  for (const LengthClass& c : lengths.classes) {
    const Logit choice = logit(set, lengths, c.fitting);
    for (std::size_t n = 0; n < c.fitting; ++n) result.offer[lengths.by_fit[n]] += c.probability * choice.share[n];
    result.outside += c.probability * choice.share[c.fitting];
  }
  return result;
}

double inclusive_value(const ChoiceSet& set) {
  check_set(set);
  double sum = 0.0;
  double weight = 0.0;
  const LengthClasses lengths = length_classes(set.fit);
  for (const LengthClass& c : lengths.classes) {
    const double log_sum = logit(set, lengths, c.fitting).log_sum;
    if (log_sum == kNothing) continue;
    sum += c.probability * log_sum;
    weight += c.probability;
  }
  return weight > 0.0 ? sum / weight : kNothing;
}

std::vector<std::vector<double>> share_slopes(const ChoiceSet& set, double log_price_weight) {
  check_set(set);
  TOKENOMICS_CHECK(set.dissimilarity == 1.0, "slopes are those of a logit without nests");
  const std::size_t offers = set.utility.size();
  std::vector<std::vector<double>> slope(offers, std::vector<double>(offers, 0.0));
  const LengthClasses lengths = length_classes(set.fit);
  for (const LengthClass& c : lengths.classes) {
    const std::vector<double> s = logit(set, lengths, c.fitting).share;
    for (std::size_t j = 0; j < c.fitting; ++j) {
      for (std::size_t k = 0; k < c.fitting; ++k) {
        const double term = s[j] * ((j == k ? 1.0 : 0.0) - s[k]);
        slope[lengths.by_fit[j]][lengths.by_fit[k]] += c.probability * log_price_weight * term;
      }
    }
  }
  return slope;
}

PerSecond elastic_demand(PerSecond reference, double elasticity, double inclusive, double reference_inclusive) {
  TOKENOMICS_CHECK(elasticity >= 0.0 && elasticity <= 1.0, "elasticity = " + std::to_string(elasticity));
  if (elasticity == 0.0) return reference;
  return reference * std::exp(elasticity * (inclusive - reference_inclusive));
}

}  // namespace tokenomics
