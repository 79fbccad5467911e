#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/study/steady_state.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kRequests = 8192;
constexpr std::size_t kLeastRequests = 4096;
constexpr std::size_t kRun = 1024;
constexpr std::size_t kStrata = 16;
constexpr std::size_t kPromptStrata = 8;

template <class T>
void shuffle(std::vector<T>& values, RandomStream& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

/// Random order of sorted values in which each run of kRun, from the beginning on, has its fair share of every size:
/// evaluations that take a few runs see the whole law.
template <class T>
void shuffle_in_runs(std::vector<T>& sorted, RandomStream& random) {
  const std::size_t runs = std::max<std::size_t>(1, sorted.size() / kRun);
  std::vector<T> ordered;
  for (std::size_t run = 0; run < runs; ++run) {
    std::vector<T> own;
    for (std::size_t i = run; i < sorted.size(); i += runs) own.push_back(sorted[i]);
    shuffle(own, random);
    ordered.insert(ordered.end(), own.begin(), own.end());
  }
  sorted = std::move(ordered);
}

/// Exponential gaps at the middles of equally likely cells, scaled to mean 1.
std::vector<double> exponential_gaps(std::size_t count, RandomStream& random) {
  std::vector<double> gaps;
  for (std::size_t i = 0; i < count; ++i)
    gaps.push_back(-std::log((static_cast<double>(i) + 0.5) / static_cast<double>(count)));
  const double mean = std::accumulate(gaps.begin(), gaps.end(), 0.0) / static_cast<double>(count);
  for (double& gap : gaps) gap /= mean;
  shuffle_in_runs(gaps, random);
  return gaps;
}

std::vector<double> strata_of_answers(const std::vector<Lengths>& requests) {
  std::vector<double> after;
  for (const Lengths& l : requests)
    if (l.output > 1) after.push_back(static_cast<double>(l.output - 1));
  std::sort(after.begin(), after.end());
  std::vector<double> strata;
  for (std::size_t i = 0; i < kStrata && !after.empty(); ++i)
    strata.push_back(after[(2 * i + 1) * after.size() / (2 * kStrata)]);
  return strata;
}

WorkloadSample::PromptStratum prompt_of(const Lengths& l) {
  const auto w = static_cast<double>(l.input - l.cached), cached = static_cast<double>(l.cached);
  return {w, cached, w * cached + w * (w + 1) / 2};
}

void stratify_prompts(WorkloadSample& sample) {
  std::vector<WorkloadSample::PromptStratum> prompts;
  for (const Lengths& l : sample.prompts) prompts.push_back(prompt_of(l));
  std::sort(prompts.begin(), prompts.end(), [](const auto& a, const auto& b) { return a.attended < b.attended; });
  double squared = 0;
  for (std::size_t i = 0; i < kPromptStrata; ++i) {
    const std::size_t from = i * prompts.size() / kPromptStrata, to = (i + 1) * prompts.size() / kPromptStrata;
    WorkloadSample::PromptStratum cell;
    for (std::size_t j = from; j < to; ++j) {
      cell.computed += prompts[j].computed / static_cast<double>(to - from);
      cell.cached += prompts[j].cached / static_cast<double>(to - from);
      cell.attended += prompts[j].attended / static_cast<double>(to - from);
    }
    sample.mean_prompt.computed += cell.computed / kPromptStrata;
    sample.mean_prompt.cached += cell.cached / kPromptStrata;
    sample.mean_prompt.attended += cell.attended / kPromptStrata;
    sample.prompt_strata.push_back(cell);
  }
  for (const auto& prompt : prompts) squared += prompt.computed * prompt.computed / static_cast<double>(prompts.size());
  sample.computed_variation = squared / (sample.mean_prompt.computed * sample.mean_prompt.computed);
}

/// Moments of the context of a sequence as found in a batch: each answer stays as long as it has tokens, and its context
/// grows evenly from the prompt to prompt + answer: E[c^2 | in, out] = in^2 + in out + out^2 / 3.
double context_variation(const std::vector<Lengths>& requests) {
  double weight = 0, first = 0, second = 0;
  for (const Lengths& l : requests) {
    const auto in = static_cast<double>(l.input), out = static_cast<double>(l.output);
    weight += out;
    first += out * (in + out / 2);
    second += out * (in * in + in * out + out * out / 3);
  }
  return second * weight / (first * first);
}

/// The law's own representatives as a service with this limit takes them, several times over where they are few. (Free
/// draws through TruncatedLaw would leave the mean prompt of a heavy-tailed law an error of 3%.)
std::vector<Lengths> accepted_of(const std::vector<Lengths>& offered, std::int64_t limit_tokens) {
  std::vector<Lengths> accepted;
  for (Lengths l : offered) {
    if (l.input >= limit_tokens) continue;
    l.output = std::min(l.output, limit_tokens - l.input);
    l.reasoning = std::min(l.reasoning, l.output - 1);
    accepted.push_back(l);
  }
  const std::size_t once = accepted.size();
  while (once > 0 && accepted.size() < kLeastRequests)
    for (std::size_t i = 0; i < once; ++i) accepted.push_back(accepted[i]);
  return accepted;
}

}  // namespace

WorkloadSample sample_workload(const LengthLaw& law, std::int64_t limit_tokens, std::uint64_t seed) {
  RandomStream random(seed, "steady state");
  const std::vector<Lengths> offered = law.representative(kRequests, random);
  WorkloadSample sample;
  double rejected = 0, truncated = 0;
  for (const Lengths& l : offered) {
    rejected += l.input >= limit_tokens ? 1 : 0;
    truncated += l.input < limit_tokens && l.input + l.output > limit_tokens ? 1 : 0;
  }
  sample.rejected_share = rejected / static_cast<double>(offered.size());
  sample.truncated_share = truncated / std::max(1.0, static_cast<double>(offered.size()) - rejected);
  sample.prompts = accepted_of(offered, limit_tokens);
  if (sample.prompts.empty())
    throw Infeasible(fmt::format(
        "context: prompt and answer may have {} tokens together, and no prompt of the workload is shorter", limit_tokens));
  sample.mean = statistics_of(sample.prompts);
  stratify_prompts(sample);
  sample.kv_variation = context_variation(sample.prompts);
  sample.tokens_after = strata_of_answers(sample.prompts);
  std::stable_sort(sample.prompts.begin(), sample.prompts.end(),
                   [](const Lengths& a, const Lengths& b) { return prompt_of(a).attended < prompt_of(b).attended; });
  shuffle_in_runs(sample.prompts, random);
  sample.gaps = exponential_gaps(sample.prompts.size(), random);
  return sample;
}

}  // namespace tokenomics
