#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenomics/workload/lengths.hpp"

namespace tokenomics {

/// Mean figures of a law of lengths, in tokens.
struct LengthStatistics {
  double mean_input = 0;
  double mean_cached = 0;
  double mean_output = 0;
  double mean_reasoning = 0;
  /// Mean KV length per output token, E[out (in + out/2)] / E[out]: each output token weighs the same, and an answer's
  /// context grows from in to in + out. For independent lengths E[in] + E[out^2] / (2 E[out]).
  double kv_per_output_token = 0;
};
LengthStatistics statistics_of(const std::vector<Lengths>& sample);

/// Requests as found in a decode batch in its stationary state. A request stays in the batch for its output length, so
/// an inspection finds it with a probability proportional to that (length-biased sampling); its age is then uniform
/// over the output, which is the caller's to draw.
class LengthBiasedSampler {
 public:
  static constexpr std::size_t kDefaultCount = 16384;

  /// Draws the representatives once; the law need not outlive this.
  LengthBiasedSampler(const LengthLaw& law, RandomStream random, std::size_t count = kDefaultCount);
  [[nodiscard]] const Lengths& draw(RandomStream& random) const;
  /// Of the law itself, not of the biased one, over the same representatives.
  [[nodiscard]] const LengthStatistics& statistics() const { return statistics_; }

 private:
  std::vector<Lengths> sample_;
  std::vector<std::uint64_t> cumulative_output_;
  LengthStatistics statistics_;
};

}  // namespace tokenomics
