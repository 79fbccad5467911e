#include "tokenomics/market/best_first.hpp"

#include <algorithm>
#include <cmath>
#include <queue>
#include <tuple>

#include "tokenomics/base/parallel.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kRound = 4;  ///< candidates refined together: cores of a laptop, little work in vain

/// Lowest price first, then lowest index.
using Entry = std::tuple<double, std::size_t, int>;
using Queue = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;

/// Takes up to `most` entries that are not refined to the end; stops at one that is.
std::vector<Entry> take_round(Queue& queue, int last_level, std::size_t most) {
  std::vector<Entry> round;
  while (!queue.empty() && round.size() < most && std::get<2>(queue.top()) < last_level) {
    round.push_back(queue.top());
    queue.pop();
  }
  return round;
}

}  // namespace

BestFirstResult cheapest(const BestFirst& search, unsigned jobs) {
  BestFirstResult result;
  result.calls.assign(static_cast<std::size_t>(search.levels), 0);
  std::vector<double> bounds(search.candidates);
  parallel_for(jobs, search.candidates, [&](std::size_t c) { bounds[c] = search.price(c, 0); });
  result.calls[0] = search.candidates;
  Queue queue;
  for (std::size_t c = 0; c < search.candidates; ++c)
    if (std::isfinite(bounds[c])) queue.emplace(bounds[c], c, 0);
  const int last = search.levels - 1;
  while (!queue.empty() && std::get<2>(queue.top()) < last) {
    std::vector<Entry> round = take_round(queue, last, kRound);
    parallel_for(jobs, round.size(), [&](std::size_t i) {
      auto& [price, candidate, level] = round[i];
      price = std::max(price, search.price(candidate, ++level));
    });
    for (const Entry& entry : round) {
      ++result.calls[static_cast<std::size_t>(std::get<2>(entry))];
      if (std::isfinite(std::get<0>(entry))) queue.push(entry);
    }
  }
  if (queue.empty()) return result;
  result.best = std::get<1>(queue.top());
  result.price = std::get<0>(queue.top());
  return result;
}

}  // namespace tokenomics
