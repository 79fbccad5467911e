#pragma once

#include <cstdint>
#include <memory>

#include "tokenomics/base/random.hpp"

namespace tokenomics {

/// Lengths of one request in tokens.
struct Lengths {
  std::int64_t input = 1;
  std::int64_t cached = 0;
  std::int64_t output = 1;
  std::int64_t reasoning = 0;
};

/// The joint law of input, cached, output and reasoning lengths.
class LengthLaw {
 public:
  virtual ~LengthLaw() = default;
  virtual Lengths draw(RandomStream& random) const = 0;
};

}  // namespace tokenomics
