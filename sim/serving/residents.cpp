#include "residents.hpp"

#include <algorithm>
#include <cmath>

#include "speculation.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {
constexpr std::size_t kDraws = 16384;
}

LengthMeans length_means(const std::vector<Lengths>& drawn) {
  LengthMeans means;
  double context = 0;
  for (const Lengths& l : drawn) {
    const auto in = static_cast<double>(l.input), out = static_cast<double>(l.output);
    means.input += in;
    means.computed_input += in - static_cast<double>(l.cached);
    means.output += out;
    context += out * (in + out / 2);
  }
  const auto n = static_cast<double>(drawn.size());
  means.kv_per_output_token = context / means.output;
  means.input /= n;
  means.computed_input /= n;
  means.output /= n;
  return means;
}

/// n / T(n) rises with n, so the fixed point n = rate * E[steps] * T(n) is found by bisection. In mixed pools the
/// prompts that arrive during a step share it.
StationaryBatch stationary_batch(const PoolConfig& pool, const LengthMeans& lengths, double rate_per_s) {
  const double steps = Speculation(pool.mtp).mean_steps(std::max(0.0, lengths.output - 1));
  const double by_kv = static_cast<double>(pool.kv_tokens) / (lengths.kv_per_output_token + static_cast<double>(pool.block_tokens) / 2);
  const double most = std::max(1.0, std::min(static_cast<double>(pool.batching.max_sequences), by_kv));
  const auto step_at = [&](double n) {
    const DecodeLoad decode{std::max<std::int64_t>(1, std::llround(n)), n * lengths.kv_per_output_token,
                            n * std::min(lengths.kv_per_output_token, static_cast<double>(pool.timer->context_cap() > 0 ? pool.timer->context_cap() : kNever))};
    double step = pool.timer->step(decode, {}).value();
    for (int i = 0; pool.role == PoolRole::Mixed && i < 20; ++i) {
      const double prompts = rate_per_s * step, tokens = prompts * lengths.computed_input;
      if (tokens < 1e-9) break;
      const double cached = lengths.input - lengths.computed_input;
      PrefillLoad prefill{tokens, tokens * (cached + lengths.computed_input / 2), tokens * (cached + lengths.computed_input / 2), prompts * cached,
                          static_cast<std::int64_t>(std::ceil(prompts)), static_cast<std::int64_t>(std::ceil(prompts))};
      const double next = pool.timer->step(decode, prefill).value();
      if (std::abs(next - step) < 1e-6 * step) break;
      step = std::min(next, 60.0);
    }
    return step;
  };
  const auto flow = [&](double n) { return n / (steps * step_at(n)); };  // requests/s that n sequences complete
  if (flow(most) < rate_per_s) return {most, Seconds{step_at(most)}, true};
  double low = 0, high = most;
  for (int i = 0; i < 60 && high - low > 1e-3; ++i) {
    const double middle = (low + high) / 2;
    (flow(middle) < rate_per_s ? low : high) = middle;
  }
  return {high, Seconds{step_at(high)}, false};
}

Residents::Residents(const PoolConfig& pool, const StationaryStart& start, std::int64_t limit_tokens, std::uint64_t seed, std::uint64_t replication)
    : pool_(pool), seed_(seed), replication_(replication) {
  RandomStream random(seed, "resident lengths", replication);
  drawn_.reserve(kDraws);
  double sum = 0;
  while (drawn_.size() < kDraws) {
    Lengths l = start.lengths->draw(random);
    if (l.input >= limit_tokens) continue;  // would have been rejected
    l.output = std::min(l.output, limit_tokens - l.input);
    drawn_.push_back(l);
    cumulative_output_.push_back(sum += static_cast<double>(std::max<std::int64_t>(0, l.output - 1)));
  }
  batch_ = stationary_batch(pool, length_means(drawn_), start.rate_per_s / pool.instances);
}

void Residents::for_each(int i, const std::function<void(const Resident&)>& place) const {
  RandomStream random(seed_, "residents", replication_ * 65536 + static_cast<std::uint64_t>(i));
  const double per_token_s = batch_.step.value() / Speculation(pool_.mtp).mean();
  const auto whole = static_cast<std::int64_t>(std::floor(batch_.sequences + random.uniform()));
  for (std::int64_t k = 0; k < std::min(whole, pool_.batching.max_sequences); ++k) {
    const double target = random.uniform() * cumulative_output_.back();
    const auto found = std::upper_bound(cumulative_output_.begin(), cumulative_output_.end(), target);
    const Lengths& l = drawn_[static_cast<std::size_t>(std::min(found, cumulative_output_.end() - 1) - cumulative_output_.begin())];
    Resident resident;
    resident.request.id = (std::uint64_t{1} << 40) + static_cast<std::uint64_t>(i) * 1000000U + static_cast<std::uint64_t>(k);
    resident.request.input_tokens = l.input;
    resident.request.cached_tokens = l.cached;
    resident.request.output_tokens = l.output;
    resident.request.reasoning_tokens = l.reasoning;
    resident.emitted = 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(l.output - 1)));
    resident.first_token = -to_sim_time(Seconds{static_cast<double>(resident.emitted - 1) * per_token_s});
    place(resident);
  }
}

}  // namespace tokenomics
