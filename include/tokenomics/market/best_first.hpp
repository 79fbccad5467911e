#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace tokenomics {

/// A search for the cheapest of many candidates whose prices are dear to find out exactly.
///
/// Level 0 of a candidate is a lower bound of its price, each further level a better one, the last the price itself:
/// price(c, l) <= price(c, l + 1). Infinity: out of the question. The candidate with the lowest price so far is refined
/// first; the search ends when one that is refined to the last level heads the list, which is then the cheapest of all.
/// Like A* with an admissible estimate (Hart, Nilsson, Raphael 1968).
struct BestFirst {
  std::size_t candidates = 0;
  int levels = 1;
  std::function<double(std::size_t candidate, int level)> price;  ///< called once a level, in order; from any thread
};

struct BestFirstResult {
  std::optional<std::size_t> best;
  double price = 0;
  std::vector<std::size_t> calls;  ///< how many candidates were refined to each level
};

/// Ties go to the candidate with the lower index. The result does not depend on `jobs`: candidates are refined in rounds
/// of a fixed size.
BestFirstResult cheapest(const BestFirst& search, unsigned jobs);

}  // namespace tokenomics
