#include "tokenomics/market/demand.hpp"

#include <cmath>
#include <numeric>
#include <string>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

double leaving_share(const Patience& patience, Seconds ttft) {
  if (patience.share_leaving == 0.0 || ttft <= patience.limit) return 0.0;
  TOKENOMICS_CHECK(patience.limit.value() > 0.0, "limit = " + std::to_string(patience.limit.value()));
  return -patience.share_leaving * std::expm1(-((ttft - patience.limit) / patience.limit));
}

Offer offer_to(const Segment& segment, const ProviderTerms& terms, double brand) {
  Offer offer;
  offer.price = segment.free ? Usd{0} : revenue(terms.prices, segment.tokens);
  offer.ttft = terms.service.ttft;
  offer.interactivity = terms.service.interactivity;
  offer.output = Tokens{segment.tokens.output};
  offer.context_tokens = terms.context_tokens;
  offer.served_share = terms.service.served_share;
  offer.brand = brand;
  offer.nest = terms.nest;
  return offer;
}

Tokens work(const WorkWeights& weights, const TokenVolume& volume) {
  return Tokens{weights.input_computed * volume.input_computed + weights.input_cached * volume.input_cached +
                weights.output * volume.output};
}

std::vector<double> sticky_shares(const ChoiceShares& logit, const std::vector<double>& previous, double switching_share) {
  TOKENOMICS_CHECK(switching_share >= 0.0 && switching_share <= 1.0, std::to_string(switching_share));
  TOKENOMICS_CHECK(previous.empty() || previous.size() == logit.offer.size(), std::to_string(previous.size()));
  std::vector<double> shares = logit.offer;
  shares.push_back(logit.outside);
  if (previous.empty()) return shares;
  const double staying = (1.0 - switching_share) * std::accumulate(previous.begin(), previous.end(), 0.0);
  for (double& share : shares) share *= 1.0 - staying;
  for (std::size_t j = 0; j < previous.size(); ++j) shares[j] += (1.0 - switching_share) * previous[j];
  return shares;
}

SegmentFlow segment_flow(const Segment& segment, const std::vector<ProviderTerms>& terms, const std::vector<double>& brands,
                         const std::vector<double>& previous, double reference_inclusive) {
  TOKENOMICS_CHECK(brands.empty() || brands.size() == terms.size(), std::to_string(brands.size()) + " brands");
  std::vector<Offer> offers;
  for (std::size_t j = 0; j < terms.size(); ++j) {
    offers.push_back(offer_to(segment, terms[j], brands.empty() ? 0.0 : brands[j]));
  }
  ChoiceWeights weights = segment.weights;
  if (segment.free) weights.log_price = 0.0;
  ChoiceSet set = choice_set(offers, weights, segment.context_need);
  set.outside_utility = segment.outside_utility;
  set.dissimilarity = segment.dissimilarity;
  const std::vector<double> shares = sticky_shares(logit_shares(set), previous, segment.switching_share);

  SegmentFlow flow;
  flow.inclusive_value = inclusive_value(set);
  flow.demand = elastic_demand(segment.requests, segment.elasticity, flow.inclusive_value, reference_inclusive);
  flow.outside = flow.demand * shares.back();
  for (std::size_t j = 0; j < terms.size(); ++j) {
    const double leaving = leaving_share(segment.patience, offers[j].ttft);
    const PerSecond sent = flow.demand * shares[j];
    const PerSecond arrived = sent * (1.0 - leaving);
    flow.sent.push_back(sent);
    flow.left.push_back(sent * leaving);
    flow.served.push_back(arrived * offers[j].served_share);
    flow.refused.push_back(arrived * (1.0 - offers[j].served_share));
  }
  return flow;
}

TokensPerSecond load_of(const std::vector<Segment>& segments, const std::vector<SegmentFlow>& flows,
                        const WorkWeights& weights, std::size_t provider) {
  TokensPerSecond load{0};
  for (std::size_t s = 0; s < segments.size(); ++s) {
    load += work(weights, segments[s].tokens) * (flows[s].served[provider] + flows[s].refused[provider]);
  }
  return load;
}

}  // namespace tokenomics
