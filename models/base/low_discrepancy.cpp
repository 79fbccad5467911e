#include "tokenomics/base/low_discrepancy.hpp"

#include <boost/random/sobol.hpp>
#include <string>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {

namespace {

constexpr unsigned kBits = 64;

/// Direction numbers v_r of all dimensions, read from Boost's engine. Its state after n points is the sum (exclusive or)
/// of v_r over the bits r of the Gray code of n, and n = 2^(r+1) - 1 is the number whose Gray code has bit r alone. Boost
/// leaves out the point n = 0, hence the seed n - 1.
std::vector<std::uint64_t> directions_of(std::size_t dimensions) {
  boost::random::sobol engine(dimensions);
  std::vector<std::uint64_t> all(kBits * dimensions);
  for (unsigned r = 0; r < kBits; ++r) {
    const std::uint64_t n = ~std::uint64_t{0} >> (kBits - 1 - r);
    engine.seed(n - 1);
    for (std::size_t d = 0; d < dimensions; ++d) all[r * dimensions + d] = engine();
  }
  return all;
}

}  // namespace

std::size_t SobolPoints::max_dimensions() { return boost::random::default_sobol_table::max_dimension; }

SobolPoints::SobolPoints(std::size_t dimensions, std::uint64_t seed) {
  TOKENOMICS_CHECK(dimensions >= 1 && dimensions <= max_dimensions(), "dimensions = " + std::to_string(dimensions));
  directions_ = directions_of(dimensions);
  for (std::size_t d = 0; d < dimensions; ++d) shift_.push_back(RandomStream(seed, "sobol shift", d).bits());
}

/// x_d = shift_d xor v_{r,d} over the bits r of the Gray code of the index.
std::vector<double> SobolPoints::point(std::uint64_t index) const {
  std::vector<std::uint64_t> bits = shift_;
  const std::uint64_t* direction = directions_.data();
  for (std::uint64_t code = index ^ (index >> 1); code != 0; code >>= 1, direction += bits.size())
    if ((code & 1) != 0)
      for (std::size_t d = 0; d < bits.size(); ++d) bits[d] ^= direction[d];
  std::vector<double> coordinates;
  coordinates.reserve(bits.size());
  for (const std::uint64_t b : bits) coordinates.push_back(open_unit(b));
  return coordinates;
}

}  // namespace tokenomics
