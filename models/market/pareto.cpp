#include "tokenomics/market/pareto.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace tokenomics {
namespace {

bool is_nowhere_worse(const Qualities& a, const Qualities& b) {
  return a.price <= b.price && a.ttft_s <= b.ttft_s && a.interactivity >= b.interactivity &&
         a.context_tokens >= b.context_tokens;
}

/// Whoever dominates a point stands before it in this order.
auto order_of(const Qualities& q, std::size_t index) {
  return std::tuple(q.price, q.ttft_s, -q.interactivity, -q.context_tokens, index);
}

}  // namespace

bool dominates(const Qualities& a, const Qualities& b) { return is_nowhere_worse(a, b) && !is_nowhere_worse(b, a); }

std::vector<std::size_t> pareto_front(const std::vector<Qualities>& points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return order_of(points[a], a) < order_of(points[b], b); });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    const bool is_beaten =
        std::any_of(front.begin(), front.end(), [&](std::size_t f) { return is_nowhere_worse(points[f], points[i]); });
    if (!is_beaten) front.push_back(i);
  }
  return front;
}

}  // namespace tokenomics
