#include <array>

#include "figures.hpp"

namespace tokenomics {
namespace {

std::optional<double> per_day(const RunResult& result, const std::optional<Usd>& money) {
  if (!money || !(result.represents_s > 0)) return std::nullopt;
  return money->value() * kSecondsPerDay / result.represents_s;
}

struct KnownQuantity {
  const char* name;
  std::optional<double> (*ours)(const RunResult&);
};

/// Quantities that a scenario may quote; scenario.schema.json lists the same names.
constexpr std::array<KnownQuantity, 12> kQuantities{{
    {"nodes_mean", [](const RunResult& r) { return std::optional(r.fleet.nodes_mean); }},
    {"nodes_peak", [](const RunResult& r) { return std::optional(r.fleet.nodes_peak); }},
    {"nodes_trough", [](const RunResult& r) { return std::optional(r.fleet.nodes_trough); }},
    {"cost_usd_per_day", [](const RunResult& r) { return per_day(r, r.cost.having); }},
    {"revenue_list_usd_per_day", [](const RunResult& r) { return per_day(r, r.price.revenue_list); }},
    {"revenue_realised_usd_per_day", [](const RunResult& r) { return per_day(r, r.price.revenue_realised); }},
    {"margin_over_cost_list", [](const RunResult& r) { return r.price.margin_over_cost_list; }},
    {"decode_tok_s_per_node", [](const RunResult& r) { return throughput_figures(r).output_tok_s_per_decode_node; }},
    {"prefill_tok_s_per_node", [](const RunResult& r) { return throughput_figures(r).input_tok_s_per_prefill_node; }},
    {"prefill_computed_tok_s_per_node",
     [](const RunResult& r) { return throughput_figures(r).computed_input_tok_s_per_prefill_node; }},
    {"interactivity_tok_s_user", [](const RunResult& r) { return interactivity_figures(r.service).mean; }},
    {"ttft_s",
     [](const RunResult& r) {
       const auto ttft = latency_figures(r.service.ttft, kNsPerS);
       return ttft ? std::optional(ttft->mean) : std::nullopt;
     }},
}};

}  // namespace

std::vector<PublishedComparison> compare_published(const RunResult& result) {
  std::vector<PublishedComparison> all;
  for (const PublishedFigure& figure : result.scenario.published) {
    PublishedComparison comparison{figure, std::nullopt, std::nullopt};
    for (const KnownQuantity& quantity : kQuantities) {
      if (figure.quantity == quantity.name) comparison.ours = quantity.ours(result);
    }
    if (comparison.ours && figure.value != 0) comparison.deviation = *comparison.ours / figure.value - 1.0;
    all.push_back(comparison);
  }
  return all;
}

}  // namespace tokenomics
