#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace tokenomics {

/// A point judged by price and TTFT (less is better), interactivity and context (more is better).
struct Qualities {
  double price = 0;
  double ttft_s = 0;
  double interactivity = 0;
  double context_tokens = 0;
};

/// True when `a` is nowhere worse than `b` and somewhere better.
bool dominates(const Qualities& a, const Qualities& b);

/// Indices of the points that no other dominates, cheapest first; of equal points the first. O(n log n + n * front).
std::vector<std::size_t> pareto_front(const std::vector<Qualities>& points);

}  // namespace tokenomics
