#include "support/catch.hpp"

#include <fstream>
#include <sstream>

#include "shipped.hpp"
#include "tokenomics/llm/counts.hpp"

namespace tokenomics {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

}  // namespace

TEST_CASE("parameters counted from each shipped network agree with the published total", "[scenario]") {
  std::ifstream csv(std::string(TOKENOMICS_TEST_DATA) + "/scenario/published_parameters.csv");
  std::string line;
  std::getline(csv, line);
  REQUIRE(
      line.starts_with("name,published_total,published_active,derived_total_b,derived_active_without_input_embedding_b,"
                       "derived_active_with_embedding_b,derived_kv_bytes_per_token_bf16,tolerance,not_modelled"));
  std::size_t networks = 0;
  while (std::getline(csv, line)) {
    const auto cells = cells_of(line);
    INFO(cells[0]);
    const Network network = load_network(cells[0], shipped());
    ++networks;
    CHECK(network.not_modelled.empty() == cells[8].empty());
    CHECK(network.published_parameters_total == std::stod(cells[1]));
    // Other attention kinds hold other parameters: what is not modelled is not counted.
    if (!network.not_modelled.empty()) continue;
    const double total = count_parameters(network).total();
    CHECK(total == Approx(std::stod(cells[1])).epsilon(std::stod(cells[7])));
    // An independent count of the same fields, which left the indexer of sparse attention out.
    if (!network.sparse) CHECK(total / 1e9 == Approx(std::stod(cells[3])).epsilon(0.001));
    if (!network.sparse) CHECK(active_parameters(network) / 1e9 == Approx(std::stod(cells[4])).epsilon(0.005));
    CHECK(kv_bytes_per_token(network, Precision::Bf16).value() == std::stod(cells[6]));
  }
  CHECK(networks == shipped().list(CatalogueKind::Models).size());
}

TEST_CASE("layer patterns become groups of alike layers", "[scenario]") {
  // Maverick: 48 layers; every second one is MoE, every fourth has full attention (a MoE one), the others a window of 8,192.
  const Network maverick = load_network("llama-4-maverick", shipped());
  int dense = 0, moe_full = 0, moe_windowed = 0;
  for (const LayerGroup& group : maverick.layers) {
    const bool is_moe = std::holds_alternative<MoeFfn>(group.ffn);
    if (!is_moe) dense += group.count;
    if (is_moe && group.window_tokens == 0) moe_full += group.count;
    if (is_moe && group.window_tokens == 8192) moe_windowed += group.count;
  }
  CHECK((dense == 24 && moe_full == 12 && moe_windowed == 12));
  // gpt-oss: windows of 128 in every second of 36 layers.
  const Network oss = load_network("gpt-oss-120b", shipped());
  int windowed = 0;
  for (const LayerGroup& group : oss.layers) windowed += group.window_tokens == 128 ? group.count : 0;
  CHECK((windowed == 18 && oss.layer_count() == 36));
  // DeepSeek-V3: the first 3 of 61 layers are dense.
  const Network v3 = load_network("deepseek-v3", shipped());
  CHECK((v3.layers.size() == 2 && v3.layer_count() == 61));
}

TEST_CASE("a network with attention that is not modelled loads, says so, and is refused when served", "[scenario]") {
  CHECK(load_network("minimax-m1", shipped()).not_modelled == "linear attention in 70 of 80 layers");
  CHECK(load_network("hunyuan-large", shipped()).not_modelled == "keys and values shared by every 2 layers");
}

}  // namespace tokenomics
