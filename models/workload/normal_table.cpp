#include "tokenomics/workload/normal_table.hpp"

#include <cmath>

#include "tokenomics/base/random.hpp"

namespace tokenomics {

const NormalTable& NormalTable::instance() {
  static const NormalTable table;
  return table;
}

double NormalTable::node_u(std::size_t i) { return std::bit_cast<double>((kFirst + i) << (52 - kBits)); }

NormalTable::NormalTable() {
  constexpr double kSqrtTwoPi = 2.50662827463100050242;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const double z = normal_quantile(node_u(i));
    nodes_[i] = {z, kSqrtTwoPi * std::exp(0.5 * z * z)};
  }
}

}  // namespace tokenomics
