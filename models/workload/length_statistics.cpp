#include "tokenomics/workload/length_statistics.hpp"

#include <algorithm>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

std::vector<Lengths> LengthLaw::representative(std::size_t count, RandomStream& random) const {
  std::vector<Lengths> sample(count);
  for (Lengths& lengths : sample) lengths = draw(random);
  return sample;
}

LengthStatistics statistics_of(const std::vector<Lengths>& sample) {
  TOKENOMICS_CHECK(!sample.empty(), "no lengths");
  LengthStatistics sums;
  for (const Lengths& lengths : sample) {
    const auto input = static_cast<double>(lengths.input);
    const auto output = static_cast<double>(lengths.output);
    sums.mean_input += input;
    sums.mean_cached += static_cast<double>(lengths.cached);
    sums.mean_output += output;
    sums.mean_reasoning += static_cast<double>(lengths.reasoning);
    sums.kv_per_output_token += output * (input + 0.5 * output);
  }
  const auto n = static_cast<double>(sample.size());
  return {sums.mean_input / n, sums.mean_cached / n, sums.mean_output / n, sums.mean_reasoning / n,
          sums.kv_per_output_token / sums.mean_output};
}

LengthBiasedSampler::LengthBiasedSampler(const LengthLaw& law, RandomStream random, std::size_t count)
    : sample_(law.representative(count, random)), statistics_(statistics_of(sample_)) {
  cumulative_output_.reserve(sample_.size());
  std::uint64_t total = 0;
  for (const Lengths& lengths : sample_) {
    total += static_cast<std::uint64_t>(lengths.output);
    cumulative_output_.push_back(total);
  }
}

const Lengths& LengthBiasedSampler::draw(RandomStream& random) const {
  const std::uint64_t token = random.below(cumulative_output_.back());
  const auto found = std::upper_bound(cumulative_output_.begin(), cumulative_output_.end(), token);
  return sample_[static_cast<std::size_t>(found - cumulative_output_.begin())];
}

}  // namespace tokenomics
