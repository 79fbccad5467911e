#include "tokenomics/roofline/rank_load.hpp"

#include <algorithm>
#include <string>

#include "tokenomics/base/error.hpp"
#include "tokenomics/roofline/engine_launch.hpp"

namespace tokenomics {
namespace {

/// Share of `count` indivisible things that the fullest of `parts` ranks has.
double slowest_share(double max_over_mean, double parts, double count) {
  return std::min(1.0, std::max(max_over_mean / parts, 1.0 / count));
}

/// Tokens of places that a captured graph has and nobody takes; the ranks of a stage fill up alike. Contexts stay.
void fill_up(RankLoad& load, const InstancePlan& plan) {
  const double filled = filled_batch(plan.launch, load.sequences);
  if (filled <= load.sequences) return;
  load.sequences = filled;
  load.decode_tokens = filled * (1 + plan.draft_tokens);
  load.group_decode_tokens = load.decode_tokens * plan.parallelism.token_ranks();
}

void add_decode(RankLoad& load, const InstancePlan& plan, const DecodeBalance& balance, const DecodeLoad& decode,
                bool alone) {
  if (decode.sequences <= 0) return;
  const double count = static_cast<double>(decode.sequences);
  const double parts = static_cast<double>(plan.parallelism.token_ranks()) * plan.parallelism.pp;
  const double share = slowest_share(parts > 1 ? balance.sequences(count / parts) : 1.0, parts, count);
  load.context_share = slowest_share(parts > 1 ? balance.context(count / parts) : 1.0, parts, count);
  load.sequences = count * share;
  load.context = decode.context_tokens * load.context_share;
  load.capped = decode.capped_tokens * load.context_share;
  load.decode_tokens = load.sequences * (1 + plan.draft_tokens);
  load.group_decode_tokens = std::max(1.0, count / plan.parallelism.pp) * (1 + plan.draft_tokens);
  if (alone) fill_up(load, plan);
  load.rank_tokens += load.decode_tokens;
  load.head_tokens += load.decode_tokens;
  load.group_tokens += load.group_decode_tokens;
}

void add_prompts(RankLoad& load, const InstancePlan& plan, const PrefillLoad& prefill) {
  if (prefill.tokens <= 0) return;
  const double dp = plan.parallelism.attention_dp;
  const double prompts = static_cast<double>(std::max<std::int64_t>(1, prefill.sequences));
  // Computed balance is that of decode; prompts nobody placed are as even as whole ones can be.
  const double balance = dp > 1 ? std::max(1.0, plan.balance.sequences_max_over_mean) : 1.0;
  const double cp = plan.parallelism.cp;
  // Prompts are whole on a rank, but their chunks may follow each other through pipeline stages.
  const double even = slowest_share(balance, dp, prompts);
  const bool known = prefill.fullest_rank_tokens > 0;
  const double tokens_share =
      (known ? std::min(1.0, prefill.fullest_rank_tokens / prefill.tokens) : even) / plan.parallelism.pp;
  const bool attention_known = known && prefill.attended_tokens > 0;
  const double attended_share =
      attention_known ? std::min(1.0, prefill.fullest_rank_attention / prefill.attended_tokens) / plan.parallelism.pp
                      : tokens_share;
  // Zig-zag parts: each of cp GPUs has an early and a late piece of every prompt, so attention is even too.
  load.prompt_tokens = prefill.tokens * tokens_share / cp;
  load.attended = prefill.attended_tokens * attended_share / cp;
  load.capped_attended = prefill.capped_attended_tokens * attended_share / cp;
  load.reexpanded = prefill.reexpanded_tokens * tokens_share;
  load.prompts = std::max(1.0, prompts * tokens_share);
  load.rank_tokens += load.prompt_tokens;
  load.group_tokens += prefill.tokens / plan.parallelism.pp;
  const double finishing = static_cast<double>(prefill.finishing);
  if (finishing > 0) load.head_tokens += finishing * slowest_share(balance, dp, finishing);
}

}  // namespace

RankLoad later_draft_load(const RankLoad& load, int draft_tokens) {
  RankLoad later = load;
  later.phase = Phase::Decode;
  later.group_tokens = load.group_decode_tokens / (1.0 + draft_tokens);
  later.rank_tokens = later.decode_tokens = load.sequences;
  return later;
}

RankLoad rank_load(const InstancePlan& plan, const DecodeBalance& balance, const DecodeLoad& decode,
                   const PrefillLoad& prefill) {
  TOKENOMICS_CHECK(decode.sequences > 0 || prefill.tokens > 0, "a step without load");
  RankLoad load;
  add_decode(load, plan, balance, decode, prefill.tokens <= 0);
  add_prompts(load, plan, prefill);
  const bool decoding = decode.sequences > 0;
  load.phase = prefill.tokens <= 0 ? Phase::Decode : (decoding ? Phase::Mixed : Phase::Prefill);
  return load;
}

}  // namespace tokenomics
