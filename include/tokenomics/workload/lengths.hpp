#pragma once

#include <cstdint>
#include <memory>
#include <vector>

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
  /// One request's lengths; never allocates.
  virtual Lengths draw(RandomStream& random) const = 0;
  /// Equally likely requests that stand for the law, about `count` of them: means over them are far more exact than
  /// over free draws where the law can be stratified. Default: `count` free draws.
  [[nodiscard]] virtual std::vector<Lengths> representative(std::size_t count, RandomStream& random) const;
};

}  // namespace tokenomics
