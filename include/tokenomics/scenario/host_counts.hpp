#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/cost/price_card.hpp"

namespace tokenomics {

/// One host of a network on a router: what it offered and how many requests came to it.
struct HostCount {
  std::string provider;
  TokenPrices prices;  ///< cached input has no price of its own
  std::int64_t context_tokens = 0;
  std::optional<Seconds> ttft_p50;           ///< as the router sees it
  std::optional<TokensPerSecond> speed_p50;  ///< output tokens of one request
  std::string quantization;                  ///< empty: not stated
  std::int64_t requests = 0;                 ///< in the router's window
};

/// Reads a table such as scenarios/markets/openrouter-v3-0324-2025-06-27.csv: lines that start with '#', then the header
///   provider,input_usd_per_mtok,output_usd_per_mtok,context_tokens,ttft_s,tok_s,quantization,requests
/// then a host a line, each once, at least one. Cells are not quoted; ttft_s, tok_s and quantization may be empty.
/// Throws ScenarioError with every problem, each with file and line; IoError when the file cannot be read.
std::vector<HostCount> read_host_counts(const std::string& path);

}  // namespace tokenomics
