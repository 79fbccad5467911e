// Uses an installed header of the lowest layer and, from the library, a function of the next: it compiles, links, runs.
#include <tokenomics/base/random.hpp>
#include <tokenomics/units/quantity.hpp>

int main() {
  using namespace tokenomics;
  // 2 USD an hour over 7,200,000 tokens an hour: 1/3.6 USD per million tokens.
  const UsdPerToken price = usd_per_hour(2.0) / (Tokens{7.2e6} / Seconds{kSecondsPerHour});
  const bool price_right = in_usd_per_mtok(price) > 0.2777 && in_usd_per_mtok(price) < 0.2778;
  RandomStream random(1, "consumer");
  const bool random_right = random.below(1) == 0;
  return price_right && random_right ? 0 : 1;
}
