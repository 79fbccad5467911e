#include <algorithm>
#include <cmath>
#include <utility>

#include "../serving/speculation.hpp"
#include "tokenomics/study/steady_state.hpp"

namespace tokenomics {
namespace {

constexpr double kDeviations = 2;    ///< of batch and memory, for which a feasible load leaves room
constexpr double kUnbounded_s = 60;  ///< a step that prompts stretch this far has no steady state

double capped(const PoolConfig& pool, double context) {
  const auto cap = static_cast<double>(pool.timer->context_cap());
  return cap > 0 ? std::min(context, cap) : context;
}

using Prompt = WorkloadSample::PromptStratum;

/// `count` prompts in one step, of which `largest` is the largest and `others` the mean of the rest.
///
/// Each prompt goes to the data-parallel rank with the least work (PromptPacker), and the step takes as long as the
/// fullest rank: the one with the largest prompt, or, with prompts enough for all ranks, what is even plus half of a
/// prompt, since ranks end up spread over the length of one.
PrefillLoad prompts_in_step(const PoolConfig& pool, const Prompt& largest, const Prompt& others, double count) {
  const double rest = count - 1, ranks = pool.ranks;
  const double tokens = largest.computed + rest * others.computed, attended = largest.attended + rest * others.attended;
  const double half = (1 - 1 / ranks) / 2 / count;
  const auto whole = static_cast<std::int64_t>(std::ceil(count));
  return {tokens,
          attended,
          tokens * capped(pool, attended / tokens),
          largest.cached + rest * others.cached,
          whole,
          whole,
          std::min(tokens, std::max(largest.computed, tokens * (1 / ranks + half))),
          std::min(attended, std::max(largest.attended, attended * (1 / ranks + half)))};
}

/// Time of a step with `together` prompts in the mean, of the lengths that come, beyond `without_s`, the same step
/// without them. Prompts longer than the budget of their rank take several steps: this is then the time of all of them
/// together. The largest of k prompts is in cell j of S with probability ((j + 1) / S)^k - (j / S)^k.
double prompt_step_s(const PoolConfig& pool, const WorkloadSample& workload, const DecodeLoad& decode, double without_s,
                     double together) {
  const double budget = static_cast<double>(pool.batching.max_tokens_per_step) / pool.ranks;
  const auto cells = static_cast<double>(workload.prompt_strata.size());
  double sum_s = 0, below = 0, cells_below = 0;
  Prompt sum;
  for (const Prompt& one : workload.prompt_strata) {
    sum = {sum.computed + one.computed, sum.cached + one.cached, sum.attended + one.attended};
    cells_below += 1;
    const double up_to = std::pow(cells_below / cells, together), weight = std::exchange(below, up_to);
    const Prompt others{sum.computed / cells_below, sum.cached / cells_below, sum.attended / cells_below};
    PrefillLoad load = prompts_in_step(pool, one, others, together);
    const double steps = std::max(1.0, std::ceil(load.fullest_rank_tokens / budget));
    load.tokens /= steps, load.attended_tokens /= steps, load.capped_attended_tokens /= steps;
    load.fullest_rank_tokens /= steps, load.fullest_rank_attention /= steps;
    sum_s += (up_to - weight) * steps * (pool.timer->step(decode, load).value() - without_s);
  }
  return sum_s;
}

struct Steps {
  double alone_s, mean_s, prompt_s;
};

/// Prompts that come within `seconds`, given that one does.
double prompts_together(double rate_per_s, double seconds) {
  const double mean = rate_per_s * seconds;
  return mean < 1e-9 ? 1 : mean / -std::expm1(-mean);
}

/// A step without prompts. Timers take whole sequences: between two whole batches, the line.
double step_alone_s(const PoolConfig& pool, const WorkloadSample& workload, double n) {
  const auto at = [&](double whole) {
    return pool.timer->step(decode_load_of(pool, whole, whole * workload.mean.kv_per_output_token), {}).value();
  };
  const double below = std::floor(n), share = n - below;
  const double below_s = at(below);
  return share > 0 ? below_s + share * (at(below + 1) - below_s) : below_s;
}

/// Time from one decode step to the next in a batch of n >= 1: T = alone + rate T * prompt_s, where prompts that come within
/// one step are computed together. Chunked: they lengthen decode steps; prefill first: they stand between them.
Steps step_times(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s, double n) {
  const double alone_s = step_alone_s(pool, workload, n);
  if (pool.role != PoolRole::Mixed) return {alone_s, alone_s, 0};
  const bool shared = pool.batching.policy == BatchPolicy::ChunkedMixed;
  const DecodeLoad decode = shared ? decode_load_of(pool, n, n * workload.mean.kv_per_output_token) : DecodeLoad{};
  const double without_s = shared ? pool.timer->step(decode, {}).value() : 0;
  double mean_s = alone_s, prompt_s = 0, step_s = alone_s;
  for (int i = 0; i < 30; ++i) {
    // Those that come in a step without prompts are fewer than those that come in a step with some. Of the time, prompts
    // add 1 - alone / mean; steps that carry some take as much (prefill first), or that and the decoding beside it.
    const double added = 1 - alone_s / mean_s, whole = shared ? step_s / std::max(1e-12, step_s - alone_s) : 1;
    const double in_prompts = std::min(1.0, added * whole);
    const double after_alone = prompts_together(rate_per_s, alone_s), after_prompts = prompts_together(rate_per_s, step_s);
    const double together = 1 / ((1 - in_prompts) / after_alone + in_prompts / after_prompts);
    const double added_s = prompt_step_s(pool, workload, decode, without_s, together);
    step_s = shared ? alone_s + added_s : added_s;
    prompt_s = added_s / together;
    const double prompt_load = rate_per_s * prompt_s;
    const double next_s = prompt_load >= 1 ? kUnbounded_s : std::min(kUnbounded_s, alone_s / (1 - prompt_load));
    const bool settled = std::abs(next_s - mean_s) < 1e-6 * mean_s;
    mean_s = next_s;
    if (settled) break;
  }
  return {alone_s, mean_s, prompt_s};
}

double mean_answer_steps(const PoolConfig& pool, const WorkloadSample& workload) {
  return mean_steps(pool.mtp, std::max(0.0, workload.mean.mean_output - 1));
}

/// The n in (0, most] with flow(n) = rate, flow rising and flow(most) >= rate: regula falsi (Illinois).
template <class Flow>
double fixed_point(double most, double rate, const Flow& flow) {
  double low = 0, high = most, f_low = -rate, f_high = flow(most) - rate;
  for (int i = 0, side = 0; i < 60 && high - low > 1e-5 * high && f_high > f_low; ++i) {
    const double n = (low * f_high - high * f_low) / (f_high - f_low);
    const double f = flow(n) - rate;
    if (std::abs(f) < 1e-6 * rate) return n;
    double& moved = f > 0 ? high : low;
    (f > 0 ? f_high : f_low) = f;
    moved = n;
    const int now = f > 0 ? 1 : -1;
    if (side == now) (f > 0 ? f_low : f_high) /= 2;
    side = now;
  }
  return high;
}

double tokens_a_step(const MtpSpec& mtp) {
  constexpr double kMany = 1e6;
  return kMany / mean_steps(mtp, kMany);
}

/// A request whose prompt is done meets the prompts that came while it was computed, and those that come while these
/// are: its first tokens come more slowly than later ones. R, the rest of the busy period in which its own prompt was:
///
/// Prompts are computed in stages, in each those that came during the one before; the first after a decode step of
/// length a. With s per prompt, rho = rate s, and v = E[s^2] / E[s]^2, a request's own stage takes, in the mean,
///   w = s (v + others that came with it) = s (v + (1 - rho) rate a + rho rate w),   w = s (v + (1 - rho) rate a) / (1 -
///   rho^2)
/// as it came during a decode step with probability 1 - rho and during a stage otherwise; and what came during w keeps
/// the instance for R = rho w / (1 - rho).
double busy_rest_s(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s, const DecodeState& state) {
  const double rho = std::min(0.95, rate_per_s * state.prompt_s);
  if (pool.role != PoolRole::Mixed || pool.batching.policy == BatchPolicy::ChunkedMixed) return 0;
  const double own_s =
      state.prompt_s * (workload.computed_variation + (1 - rho) * rate_per_s * state.alone_s) / (1 - rho * rho);
  return rho * own_s / (1 - rho);
}

/// Mean time of an answer of `steps` decode steps: prefill first, R stands in place of the prompts of one mean step.
/// (Chunked, a request decodes in that time too.)
double answer_s(const DecodeState& state, double steps) {
  const double instead_s = state.busy_rest_s > 0 ? state.busy_rest_s - (state.step_s - state.alone_s) : 0;
  return steps * state.step_s + instead_s;
}

}  // namespace

DecodeState decode_state(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s) {
  const double steps = mean_answer_steps(pool, workload);
  const double kv = workload.mean.kv_per_output_token + static_cast<double>(pool.block_tokens) / 2 +
                    static_cast<double>(pool.kv_tokens_per_sequence);
  const auto places = static_cast<double>(pool.batching.max_sequences);
  const double by_kv = 0.99 * static_cast<double>(pool.kv_tokens) / kv;
  const double most = std::min(places, by_kv);
  const auto times = [&](double n) { return step_times(pool, workload, rate_per_s, n + 1); };
  DecodeState state;
  const double room = steps > 0 ? most / (steps * times(most).mean_s) : 2 * rate_per_s;  // requests/s that it takes
  if (room < rate_per_s) {
    state.refused = by_kv < places ? LoadLimit::KvMemory : LoadLimit::Places;
    state.sequences = most;
  } else if (steps > 0) {
    state.sequences = fixed_point(most, rate_per_s, [&](double n) { return n / (steps * times(n).mean_s); });
  }
  const Steps at = times(state.sequences);
  state.alone_s = at.alone_s;
  state.step_s = at.mean_s;
  state.prompt_s = at.prompt_s;
  state.prompt_share = 1 - at.alone_s / at.mean_s;
  state.kv_share = std::min(1.0, state.sequences * kv / static_cast<double>(pool.kv_tokens));
  state.busy_rest_s = busy_rest_s(pool, workload, rate_per_s, state);
  for (const double m : workload.tokens_after)
    state.tpot_s += answer_s(state, mean_steps(pool.mtp, m)) / m / static_cast<double>(workload.tokens_after.size());
  const double more = std::max(1.0, std::round(0.1 * (state.sequences + 1)));
  state.step_slope_s = (times(state.sequences + more).mean_s - at.mean_s) / more;
  state.feedback = std::clamp(rate_per_s * steps * state.step_slope_s, 0.0, 0.98);
  const double variance = state.sequences / (1 - state.feedback);
  if (rate_per_s * at.prompt_s > 0.95) state.refused = LoadLimit::Compute;
  if (state.refused != LoadLimit::None) return state;
  if (state.sequences + kDeviations * std::sqrt(variance) > places) state.refused = LoadLimit::Places;
  const double kv_deviation = std::sqrt(state.sequences * (workload.kv_variation - 1) + variance);
  if (state.sequences + kDeviations * kv_deviation > by_kv) state.refused = LoadLimit::KvMemory;
  return state;
}

double tpot_quantile_s(const PoolConfig& pool, const WorkloadSample& workload, double rate_per_s, const DecodeState& state,
                       double p) {
  if (workload.tokens_after.empty()) return 0;
  const double per_step = tokens_a_step(pool.mtp), variance = Speculation(pool.mtp).variance();
  const double slope_s = state.step_slope_s;
  const double batch_variance = state.sequences / (1 - state.feedback);
  const double relaxation = workload.mean.mean_output / (1 - state.feedback);  // tokens over which the batch forgets
  const double prompts_s2 = rate_per_s * state.prompt_s * state.prompt_s * workload.computed_variation;
  struct Stratum {
    double mean_s, deviation_s;
  };
  std::vector<Stratum> strata;
  for (const double m : workload.tokens_after) {
    const double life_s = answer_s(state, mean_steps(pool.mtp, m));
    const double of_rest = std::pow(life_s / m - mean_steps(pool.mtp, m) * state.step_s / m, 2);
    const double memory = 2 * relaxation / (2 * relaxation + m);
    const double of_prompts = life_s * prompts_s2 / (m * m);
    const double of_drafts = state.step_s * state.step_s * variance / (per_step * per_step * per_step * m);
    const double of_batch = slope_s * slope_s * batch_variance * memory / (per_step * per_step);
    strata.push_back({life_s / m, std::sqrt(of_rest + of_prompts + of_drafts + of_batch) + 1e-12});
  }
  const auto below = [&](double x) {
    double sum = 0;
    for (const Stratum& s : strata) sum += 0.5 * std::erfc(-(x - s.mean_s) / (s.deviation_s * std::sqrt(2.0)));
    return sum / static_cast<double>(strata.size());
  };
  double low = 0, high = 4 * state.tpot_s + 1e-9;
  for (int i = 0; i < 24; ++i) {
    const double middle = (low + high) / 2;
    (below(middle) < p ? low : high) = middle;
  }
  return high;
}

}  // namespace tokenomics
