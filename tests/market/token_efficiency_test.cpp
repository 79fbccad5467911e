#include "tokenomics/market/token_efficiency.hpp"
#include "support/catch.hpp"

using namespace tokenomics;

namespace {

AnswerOffer offer(double usd_out, double ttft_s, double tok_s, double tokens) {
  return {"",
          {usd_per_mtok(1), std::nullopt, usd_per_mtok(usd_out)},
          Seconds{ttft_s},
          Tokens{tok_s} / Seconds{1},
          Tokens{1000},
          Tokens{tokens}};
}

}  // namespace

// 1,000 tokens at 45 tok/s after 2 s: 2 + 22.22 s; 1,000 x 1 + 1,000 x 15 USD per million = 0.016 USD.
TEST_CASE("An answer takes its first token and all its tokens, and costs prompt and tokens", "[market]") {
  CHECK(seconds_per_answer(offer(15, 2, 45, 1000)).value() == Approx(24.2222).epsilon(1e-5));
  CHECK(usd_per_answer(offer(15, 2, 45, 1000)).value() == Approx(0.016));
}

// Three times the tokens at 25 tok/s against 45: generation takes 3 x 45 / 25 = 5.4 times as long (first tokens left out).
TEST_CASE("A wordy model takes longer by its tokens and its speed", "[market]") {
  const double ratio = seconds_per_answer(offer(2, 0, 25, 3000)) / seconds_per_answer(offer(15, 0, 45, 1000));
  CHECK(ratio == Approx(5.4));
}

// 60 against 45 tok/s: 3,000 / 60 = 50 s against 1,000 / 45 = 22 s. 8 against 15 USD per million: 0.025 against 0.016 USD.
TEST_CASE("Orders turn round where the tokens per answer outweigh the token", "[market]") {
  const std::vector<AnswerOffer> offers{offer(15, 0, 45, 1000), offer(8, 0, 60, 3000)};
  const auto flips = order_flips(offers);
  REQUIRE(flips.size() == 2);
  CHECK(flips[0].first == 0);
  CHECK(flips[0].second == 1);
  CHECK(flips[0].of_time);
  CHECK_FALSE(flips[1].of_time);
  // With as many tokens nothing turns round.
  CHECK(order_flips({offer(15, 0, 45, 1000), offer(8, 0, 60, 1000)}).empty());
}
