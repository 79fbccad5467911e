#include "tokenomics/market/token_efficiency.hpp"

namespace tokenomics {

Seconds seconds_per_answer(const AnswerOffer& offer) { return offer.ttft + offer.output / offer.interactivity; }

Usd usd_per_answer(const AnswerOffer& offer) {
  return revenue(offer.prices, {offer.input.value(), 0.0, offer.output.value()});
}

std::vector<OrderFlip> order_flips(const std::vector<AnswerOffer>& offers) {
  std::vector<OrderFlip> flips;
  for (std::size_t a = 0; a < offers.size(); ++a)
    for (std::size_t b = 0; b < offers.size(); ++b) {
      const AnswerOffer &one = offers[a], &other = offers[b];
      if (one.interactivity < other.interactivity && seconds_per_answer(one) < seconds_per_answer(other))
        flips.push_back({a, b, true});
      if (one.prices.output > other.prices.output && usd_per_answer(one) < usd_per_answer(other))
        flips.push_back({a, b, false});
    }
  return flips;
}

}  // namespace tokenomics
