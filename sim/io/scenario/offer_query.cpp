#include "tokenomics/scenario/offer_query.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// Networks that reason before they answer: R1 (arXiv 2501.12948), MiniMax-M1 (arXiv 2506.13585), and the hybrid Qwen3 of
/// April 2025, which thinks unless told not to (arXiv 2505.09388).
constexpr std::array kReasoning{"deepseek-r1", "deepseek-r1-0528", "minimax-m1", "qwen3-235b-a22b", "qwen3-30b-a3b"};

/// Of DeepSeek's module: ISCA'25 (arXiv 2505.09343) has 0.8 to 0.9 for the second token; the catalogue's services take 0.8.
constexpr double kAcceptance = 0.8;

/// Own fleets may: DeepSeek's decode units have 144 GPUs, its prefill units 32.
bool may_spread_experts(const ProviderSpec& provider, const Network& network) {
  return provider.kind == ProviderKind::FirstParty && network.moe() != nullptr;
}

/// Servers of up to 8, two of them for experts.
json sizes(const ProviderSpec& provider, const Network& network) {
  json sizes{1, 2, 4, 8};
  if (network.moe() == nullptr) return sizes;
  sizes.push_back(16);
  if (may_spread_experts(provider, network)) sizes.insert(sizes.end(), {32, 64, 144});
  return sizes;
}

/// Experts hold nearly all weights and are what is quantised to 4 bits; 8 bits are used throughout.
json precision_of(const OfferSpec& offer, const Network& network) {
  json precision = json::object();
  const bool is_known = offer.quantization == "fp4" || offer.quantization == "fp8";
  if (is_known && network.moe() != nullptr) precision["experts"] = offer.quantization;
  if (is_known && (network.moe() == nullptr || offer.quantization == "fp8")) precision["weights"] = offer.quantization;
  return precision;
}

json search_of(const ProviderSpec& provider, const OfferSpec& offer, const Network& network) {
  json search{{"pools", may_spread_experts(provider, network) ? json{"mixed", "disaggregated"} : json{"mixed"}},
              {"gpus_per_instance", sizes(provider, network)},
              {"tokens_per_step", {8192}},
              {"precision", precision_of(offer, network)}};
  // Of units over several nodes only DeepSeek's schedules are published (open-infra-index, day 6).
  if (may_spread_experts(provider, network))
    search["overlap"] = {{"decode", "deepseek_decode"}, {"prefill", "deepseek_prefill"}};
  if (!provider.strategy.engine.empty()) search["engine"] = provider.strategy.engine;
  if (network.mtp_layers.value_or(0) > 0) search["mtp"] = {{"draft_tokens", {0, 1}}, {"acceptance", {kAcceptance}}};
  return search;
}

/// Of `wanted`, the chips whose GPU-hour has a price; `has_own_price`: the provider's, for each of them.
json priced_chips(const std::vector<std::string>& wanted, bool has_own_price, const Catalogue& catalogue,
                  std::vector<std::string>& notes) {
  json chips = json::array();
  for (const std::string& name : wanted) {
    if (has_own_price || load_gpu(name, catalogue).rental_price) {
      chips.push_back(name);
    } else {
      notes.push_back(name + " is left out: no market price of its GPU-hour is known");
    }
  }
  return chips;
}

std::int64_t context_of(const OfferSpec& offer, const Network& network, std::vector<std::string>& notes) {
  const std::int64_t most = network.max_context_tokens;
  const std::int64_t offered = offer.context_tokens.value_or(most);
  if (most <= 0 || offered <= most) return offered;
  notes.push_back(fmt::format("the offer's {} tokens of context are taken for the network's {}", offered, most));
  return most;
}

std::vector<std::string> assumptions_of(const ProviderSpec& provider, const OfferSpec& offer, const std::string& workload,
                                        const Network& network) {
  std::vector<std::string> all{"tokens of a request are those of " + workload + ", which come as a Poisson process",
                               may_spread_experts(provider, network)
                                   ? "prompts and answers on the same GPUs, or on pools of their own; over nodes with "
                                     "DeepSeek's overlap of computation and communication"
                                   : "mixed pools: prompts and answers on the same GPUs",
                               "the observed median speed is that of the gaps between tokens"};
  if (offer.quantization.empty()) all.push_back("number formats as the network was released");
  if (network.mtp_layers.value_or(0) > 0)
    all.push_back(fmt::format("none or one MTP draft, accepted with probability {:g}", kAcceptance));
  return all;
}

}  // namespace

std::string usual_workload(const std::string& network) {
  return std::find(kReasoning.begin(), kReasoning.end(), network) != kReasoning.end() ? "r1-api" : "chat-2023";
}

OfferQuery offer_query(const ProviderSpec& provider, const OfferSpec& offer, const OfferQueryOptions& options,
                       const Catalogue& catalogue) {
  OfferQuery result;
  if (!catalogue.find(CatalogueKind::Models, offer.model)) {
    result.why_none = "the catalogue has no network " + offer.model;
    return result;
  }
  const Network network = load_network(offer.model, catalogue);
  if (!network.not_modelled.empty()) {
    result.why_none = "not modelled: " + network.not_modelled;
    return result;
  }
  const bool has_own_price = options.hardware.empty() && provider.strategy.gpu_price;
  const auto& wanted = options.hardware.empty() ? provider.strategy.hardware : options.hardware;
  const json chips = priced_chips(wanted, has_own_price, catalogue, result.notes);
  if (chips.empty()) {
    result.why_none = "no candidate chip has a market price of its GPU-hour";
    return result;
  }
  const std::string workload = options.workload.empty() ? usual_workload(network.name) : options.workload;
  json file{{"name", provider.name + " " + offer.model},
            {"model", offer.model},
            {"workload", workload},
            {"hardware", chips},
            {"limits", {{"context", context_of(offer, network, result.notes)}}},
            {"assumptions", assumptions_of(provider, offer, workload, network)},
            {"search", search_of(provider, offer, network)}};
  if (has_own_price) file["usd_per_gpu_hour"] = in_usd_per_hour(*provider.strategy.gpu_price);
  result.query = load_query_text(file.dump(), "offer of " + provider.name, catalogue, options.sets);
  return result;
}

}  // namespace tokenomics
