#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/units/quantity.hpp"

namespace tokenomics {

/// A model at a provider as one task sees it.
struct AnswerOffer {
  std::string name;
  TokenPrices prices;
  Seconds ttft{0};
  TokensPerSecond interactivity{0};  ///< > 0
  Tokens input{0};                   ///< of the prompt, nothing cached
  Tokens output{0};                  ///< that this model needs for the answer, reasoning included
};

/// seconds = ttft + output / interactivity, the convention of the article's charts.
Seconds seconds_per_answer(const AnswerOffer& offer);
Usd usd_per_answer(const AnswerOffer& offer);

/// Two offers whose order turns round when whole answers are compared instead of tokens: `first` makes each token more
/// slowly (or sells it dearer) and gives the answer sooner (or cheaper), because it needs fewer tokens.
struct OrderFlip {
  std::size_t first = 0;
  std::size_t second = 0;
  bool of_time = true;  ///< else of price
};
std::vector<OrderFlip> order_flips(const std::vector<AnswerOffer>& offers);

}  // namespace tokenomics
