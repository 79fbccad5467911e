#include "tokenomics/llm/network.hpp"

namespace tokenomics {

int Network::layer_count() const {
  int count = 0;
  for (const LayerGroup& group : layers) count += group.count;
  return count;
}

const MoeFfn* Network::moe() const {
  for (const LayerGroup& group : layers) {
    if (const auto* ffn = std::get_if<MoeFfn>(&group.ffn)) return ffn;
  }
  return nullptr;
}

}  // namespace tokenomics
