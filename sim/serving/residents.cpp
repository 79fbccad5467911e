#include "residents.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "speculation.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/random.hpp"

namespace tokenomics {
namespace {

/// Ids of residents, far from those of arrivals.
constexpr std::uint64_t kFirstResidentId = std::uint64_t{1} << 40;
constexpr std::uint64_t kIdsPerInstance = 1'000'000;

double capped_context(const PoolConfig& pool, double context) {
  const auto cap = static_cast<double>(pool.timer->context_cap());
  return cap > 0 ? std::min(context, cap) : context;
}

/// `count` parts of mean prompts, of which `parts` make a prompt: each token still attends to the mean context, but what the
/// parts before it left, half of the computed tokens less half a part, is read again beside what was cached.
PrefillLoad parts_of_prompts(const PoolConfig& pool, const LengthStatistics& lengths, double count, double parts) {
  PrefillLoad load = prompts_of(pool, lengths, count / parts);
  if (parts <= 1) return load;
  const double computed = lengths.mean_input - lengths.mean_cached;
  load.reexpanded_tokens = count * (lengths.mean_cached + (computed - computed / parts) / 2);
  load.sequences = static_cast<std::int64_t>(std::ceil(count));
  load.finishing = static_cast<std::int64_t>(std::ceil(count / parts));
  return load;
}

/// A prompt longer than what the decoding sequences leave of its rank's share of a step takes several: 1 or more, not
/// whole.
double steps_of_prompt(const PoolConfig& pool, const LengthStatistics& lengths, double n) {
  if (!pool.batching.chunked_prefill) return 1;
  const double decoding = pool.batching.policy == BatchPolicy::ChunkedMixed ? n * (1 + pool.mtp.draft_tokens) : 0;
  const double share = (static_cast<double>(pool.batching.max_tokens_per_step) - decoding) / pool.ranks;
  return std::max(1.0, (lengths.mean_input - lengths.mean_cached) / std::max(1.0, share));
}

/// Mean time from one decode step to the next of n sequences at the mean context. In a mixed pool prompts share steps:
/// of less than one prompt (or part of one) a step, only that share of the steps carries one.
double stationary_step_s(const PoolConfig& pool, const LengthStatistics& lengths, double rate_per_s, double n) {
  const DecodeLoad decode = decode_load_of(pool, n, n * lengths.kv_per_output_token);
  const double plain_s = pool.timer->step(decode, {}).value();
  if (pool.role != PoolRole::Mixed) return plain_s;
  const double parts = steps_of_prompt(pool, lengths, n);
  double step_s = plain_s;
  for (int i = 0; i < 20; ++i) {
    const double per_step = rate_per_s * parts * step_s;
    const double shared_s =
        pool.timer->step(decode, parts_of_prompts(pool, lengths, std::max(1.0, per_step), parts)).value();
    const double next = plain_s + std::min(1.0, per_step) * (shared_s - plain_s);
    const bool settled = std::abs(next - step_s) < 1e-6 * step_s;
    step_s = std::min(next, 60.0);  // an overloaded pool has no fixed point: bisection then finds it saturated
    if (settled) break;
  }
  return step_s;
}

}  // namespace

DecodeLoad decode_load_of(const PoolConfig& pool, double sequences, double context_tokens) {
  const double capped = sequences > 0 ? sequences * capped_context(pool, context_tokens / sequences) : 0;
  return {std::max<std::int64_t>(1, std::llround(sequences)), context_tokens, capped};
}

PrefillLoad prompts_of(const PoolConfig& pool, const LengthStatistics& lengths, double prompts) {
  const double computed = lengths.mean_input - lengths.mean_cached, context = lengths.mean_cached + computed / 2;
  const double tokens = prompts * computed;
  const auto whole = static_cast<std::int64_t>(std::ceil(prompts));
  return {tokens, tokens * context, tokens * capped_context(pool, context), prompts * lengths.mean_cached, whole, whole, 0,
          0};
}

/// n / T(n) rises with n, so the fixed point n = rate * E[steps] * T(n) is found by bisection.
StationaryBatch stationary_batch(const PoolConfig& pool, const LengthStatistics& lengths, double rate_per_s) {
  const double steps = Speculation(pool.mtp).mean_steps(std::max(0.0, lengths.mean_output - 1));
  const double by_kv =
      static_cast<double>(pool.kv_tokens) / (lengths.kv_per_output_token + static_cast<double>(pool.block_tokens) / 2 +
                                             static_cast<double>(pool.kv_tokens_per_sequence));
  const double most = std::max(1.0, std::min(static_cast<double>(pool.batching.max_sequences), by_kv));
  const auto step_s = [&](double n) { return stationary_step_s(pool, lengths, rate_per_s, n); };
  const auto flow = [&](double n) { return n / (steps * step_s(n)); };  // requests/s that n sequences complete
  if (flow(most) < rate_per_s) return {most, Seconds{step_s(most)}, true};
  double low = 0, high = most;
  while (high - low > 1e-6 * most) {
    const double middle = (low + high) / 2;
    (flow(middle) < rate_per_s ? low : high) = middle;
  }
  return {high, Seconds{step_s(high)}, false};
}

Lengths TruncatedLaw::draw(RandomStream& random) const {
  constexpr int kMostDraws = 100'000;
  Lengths lengths = law_.draw(random);
  for (int draws = 1; lengths.input >= limit_; ++draws) {
    if (draws == kMostDraws)
      throw Infeasible(fmt::format(
          "context: prompt and answer may have {} tokens together, and no prompt of the workload is shorter", limit_));
    lengths = law_.draw(random);
  }
  lengths.output = std::min(lengths.output, limit_ - lengths.input);
  lengths.reasoning = std::min(lengths.reasoning, lengths.output - 1);
  return lengths;
}

Residents::Residents(const PoolConfig& pool, const StationaryStart& start, std::int64_t limit_tokens, std::uint64_t seed,
                     std::uint64_t replication)
    : pool_(pool),
      law_(*start.lengths, limit_tokens),
      sampler_(law_, RandomStream(seed, "resident lengths", replication)),
      batch_(stationary_batch(pool, sampler_.statistics(), start.rate_per_s / pool.instances)),
      seed_(seed),
      replication_(replication) {}

void Residents::for_each(int i, const std::function<void(const Resident&)>& place) const {
  RandomStream random(seed_, "residents", replication_ * 65536 + static_cast<std::uint64_t>(i));
  const double per_token_s = batch_.step.value() / Speculation(pool_.mtp).mean();
  const auto whole = static_cast<std::int64_t>(std::floor(batch_.sequences + random.uniform()));
  if (sampler_.statistics().mean_output <= 1) return;  // nobody ever decodes
  for (std::int64_t k = 0; k < std::min(whole, pool_.batching.max_sequences);) {
    const Lengths& l = sampler_.draw(random);
    if (l.output < 2) continue;  // never decodes
    Resident resident;
    resident.request.id =
        kFirstResidentId + static_cast<std::uint64_t>(i) * kIdsPerInstance + static_cast<std::uint64_t>(k++);
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
