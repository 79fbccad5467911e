#pragma once

#include "tokenomics/roofline/plan.hpp"
#include "tokenomics/roofline/rank_imbalance.hpp"
#include "tokenomics/roofline/step_model.hpp"

namespace tokenomics {

/// A step's load as its slowest data-parallel rank sees it, in one pass through the pipeline.
///
/// Of B sequences a rank has B * max(balance / (dp * pp), 1 / B): its share times max over mean, and one whole sequence
/// at least. A prompt's tokens and its attention are divided over cp GPUs; in decode these have sequences of their own, as
/// data-parallel ranks have. With pp stages the batch is cut into pp parts that follow each other through a full pipeline,
/// so that a step of all of them lasts as long as the pass of one. A step that only decodes is filled up to a captured graph
/// (EngineLaunch).
struct RankLoad {
  Phase phase = Phase::Decode;
  double sequences = 0;  ///< in decode
  double context = 0;    ///< their summed contexts
  double capped = 0;
  double context_share = 0;  ///< of the instance's contexts (and of their growth) that this rank has
  double decode_tokens = 0;  ///< sequences * (1 + drafts)
  double prompt_tokens = 0;
  double attended = 0;
  double capped_attended = 0;
  double reexpanded = 0;
  double prompts = 0;
  double rank_tokens = 0;          ///< decode and prompt tokens of the slowest rank
  double group_tokens = 0;         ///< of all ranks together: what the experts see
  double group_decode_tokens = 0;  ///< of them, of sequences in decode
  double head_tokens = 0;          ///< through the LM head
};

/// The load of drafts after the first: one token a sequence.
RankLoad later_draft_load(const RankLoad& load, int draft_tokens);

/// `balance`: of the same plan.
RankLoad rank_load(const InstancePlan& plan, const DecodeBalance& balance, const DecodeLoad& decode,
                   const PrefillLoad& prefill);

}  // namespace tokenomics
