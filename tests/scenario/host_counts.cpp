#include "support/catch.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "shipped.hpp"
#include "tokenomics/scenario/host_counts.hpp"
#include "tokenomics/scenario/provider.hpp"

namespace tokenomics {
namespace {

const std::string kMarkets = TOKENOMICS_CATALOGUE "/markets/";

std::vector<HostCount> v3_hosts() { return read_host_counts(kMarkets + "openrouter-v3-0324-2025-06-27.csv"); }

/// Rows of the table of all offers, cell by cell.
std::vector<std::vector<std::string>> offer_rows() {
  std::ifstream csv(kMarkets + "openrouter-offers-2025-06-27.csv");
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(csv, line);) {
    if (line.starts_with('#') || line.starts_with("provider,")) continue;
    std::istringstream stream(line + ",");
    rows.emplace_back();
    for (std::string cell; std::getline(stream, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

std::optional<double> number(const std::string& cell) {
  if (cell.empty()) return std::nullopt;
  return std::stod(cell);
}

/// provider, model, input, cached input, output, context, longest output, first token, speed, quantization.
bool is_row_of(const OfferSpec& offer, const std::vector<std::string>& row) {
  const auto value = [](const auto& field) { return field ? std::optional<double>(field->value()) : std::nullopt; };
  const auto count = [](const auto& field) {
    return field ? std::optional<double>(static_cast<double>(*field)) : std::nullopt;
  };
  return offer.model == row[1] && offer.prices.input == usd_per_mtok(std::stod(row[2])) &&
         offer.prices.output == usd_per_mtok(std::stod(row[4])) && count(offer.context_tokens) == number(row[5]) &&
         count(offer.max_output_tokens) == number(row[6]) && value(offer.ttft_p50) == number(row[7]) &&
         value(offer.speed_p50) == number(row[8]) && offer.quantization == row[9];
}

}  // namespace

TEST_CASE("the 17 hosts of V3-0324 served 80,331 requests, DeepInfra most of them and DeepSeek 2.7%", "[scenario]") {
  // 28771 + 24843 + 4541 + 4490 + 3049 + 2427 + 2167 + 1683 + 1620 + 1457 + 1440 + 1047 + 1027 + 714 + 446 + 435 + 174.
  const auto hosts = v3_hosts();
  CHECK(hosts.size() == 17);
  std::int64_t requests = 0;
  for (const HostCount& host : hosts) requests += host.requests;
  CHECK(requests == 80331);
  const auto of = [&](const std::string& name) {
    return *std::find_if(hosts.begin(), hosts.end(), [&](const HostCount& host) { return host.provider == name; });
  };
  CHECK(of("DeepInfra").requests == 28771);
  CHECK(static_cast<double>(of("DeepSeek").requests) / 80331 == Approx(0.0270).margin(0.0001));
  CHECK(of("DeepSeek").context_tokens == 64000);
  CHECK(of("DeepSeek").ttft_p50.value() == Seconds{3.087});
  CHECK(of("DeepSeek").speed_p50.value() == TokensPerSecond{23.087});
  CHECK(of("Crusoe").quantization.empty());
}

TEST_CASE("every offer that a provider's file dates to OpenRouter's 27 June 2025 stands in the table of 131 offers",
          "[scenario]") {
  const auto rows = offer_rows();
  CHECK(rows.size() == 131);
  const auto hosts = v3_hosts();
  std::size_t offers = 0;
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Providers)) {
    for (const OfferSpec& offer : load_provider(entry.name, shipped()).offers) {
      if (offer.via != "OpenRouter" || offer.date != parse_utc_time("2025-06-27")) continue;
      ++offers;
      INFO(entry.name << " " << offer.model);
      CHECK(std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
        return shipped().find(CatalogueKind::Providers, row[0]) == entry.path && is_row_of(offer, row);
      }));
      if (!offer.requests_in_window) continue;
      CHECK(std::any_of(hosts.begin(), hosts.end(), [&](const HostCount& host) {
        return shipped().find(CatalogueKind::Providers, host.provider) == entry.path &&
               host.requests == offer.requests_in_window && host.prices.output == offer.prices.output;
      }));
    }
  }
  const auto have_file = [](const auto& row) { return shipped().find(CatalogueKind::Providers, row[0]).has_value(); };
  CHECK(offers == static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), have_file)));
}

TEST_CASE("of R1-0528's hosts on 27 June 2025 DeepSeek is the slowest on both counts, and all are below 5 s", "[scenario]") {
  // Source: SemiAnalysis 2025-07-03 ("nearly all R1-0528 hosts under 5 s"); the scrape itself.
  int hosts = 0;
  for (const auto& row : offer_rows()) {
    if (row[1] != "deepseek-r1-0528" || row[7].empty()) continue;
    ++hosts;
    CHECK(std::stod(row[7]) < 5);
    if (row[0] == "DeepSeek") continue;
    CHECK(std::stod(row[7]) < 3.275);
    CHECK(std::stod(row[8]) > 25.137);
  }
  CHECK(hosts == 13);
}

}  // namespace tokenomics
