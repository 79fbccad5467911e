#include "tokenomics/roofline/step_model.hpp"

#include <algorithm>
#include <cmath>

#include "tokenomics/roofline/plan_check.hpp"
#include "tokenomics/roofline/step_tables.hpp"

namespace tokenomics {
namespace {

InstancePlan sound(InstancePlan plan) {
  require_sound(plan);
  return plan;
}

}  // namespace

DecodeCores::DecodeCores(const InstancePlan& plan, const KernelTimer& timer, int queries)
    : core_(timer, decode_core(plan, timer, queries)), windows_(attention_cap(plan.network) > 0 && !plan.network.sparse) {
  if (plan.network.sparse) indexer_.emplace(timer, decode_indexer(plan, timer, queries));
}

CoreLines DecodeCores::at(double sequences, double context, double capped, double context_growth,
                          double capped_growth) const {
  CoreLines lines;
  if (sequences <= 0) return lines;
  if (!indexer_) {
    lines.full = core_.at(sequences, context, context_growth);
    if (windows_) lines.windowed = core_.at(sequences, capped, capped_growth);
    return lines;
  }
  lines.full = core_.at(sequences, capped, capped_growth);
  lines.full += indexer_->at(sequences, context, context_growth);
  return lines;
}

PromptWork prompt_work(const RankLoad& load, double micro_batches) {
  return {load.prompt_tokens / micro_batches, load.attended / micro_batches, load.capped_attended / micro_batches,
          load.reexpanded / micro_batches, std::max(1.0, load.prompts / micro_batches)};
}

StepModel::Tables::Tables(InstancePlan plan_in, Calibration calibration_in)
    : plan(sound(std::move(plan_in))),
      calibration(std::move(calibration_in)),
      balance(plan),
      operators(plan, calibration),
      draft_operators(operators),
      cores(plan, operators.timer(), 1 + plan.draft_tokens),
      draft_cores(plan, operators.timer(), 1),
      head([this](double tokens) { return operators.seconds(operators.head("lm_head", tokens)); }),
      draft_projection([this](double tokens) { return operators.seconds(draft_operators.get().draft_projection(tokens)); }),
      pipeline([this](double tokens) { return operators.seconds(operators.pipeline_transfer(tokens)); }),
      host_gap_s(calibration.decode_host_gap_ms.value * 1e-3),
      prefill_floor_s(calibration.prefill_host_floor_ms.value * 1e-3),
      prefill_kernel_s(calibration.prefill_host_us_per_kernel.value * 1e-6) {}

const OverlapSchedule& StepModel::Tables::schedule(Phase phase) const {
  if (phase == Phase::Decode) return plan.decode_schedule;
  return phase == Phase::Prefill ? plan.prefill_schedule : no_overlap;
}

const StepModel::Tables::Programs& StepModel::Tables::programs(Phase phase) const {
  const auto i = static_cast<std::size_t>(phase);
  if (!made_[i].load(std::memory_order_acquire)) {
    std::call_once(once_[i], [&] {
      programs_[i] = make(phase);
      made_[i].store(true, std::memory_order_release);
    });
  }
  return programs_[i];
}

StepModel::Tables::Programs StepModel::Tables::make(Phase phase) const {
  Programs programs;
  programs.layers = std::make_unique<LayerProgram>(operators, phase, schedule(phase), main_layers(plan.network));
  if (plan.draft_tokens > 0) {
    programs.draft =
        std::make_unique<LayerProgram>(draft_operators.get(), phase, no_overlap, std::vector{draft_layer(plan.network)});
  }
  return programs;
}

CoreLines StepModel::Tables::core_lines(const RankLoad& load, double micro_batches, const DecodeGrowth& growth) const {
  const double share = load.context_share / micro_batches;
  CoreLines lines = cores.at(load.sequences / micro_batches, load.context / micro_batches, load.capped / micro_batches,
                             growth.context_tokens * share, growth.capped_tokens * share);
  if (load.phase == Phase::Decode) return lines;
  const PromptWork prompt = prompt_work(load, micro_batches);
  for (const Operator& op : operators.prompt_core(false, prompt)) lines.full.value += operators.seconds(op);
  if (attention_cap(plan.network) > 0 && !plan.network.sparse) {
    for (const Operator& op : operators.prompt_core(true, prompt)) lines.windowed.value += operators.seconds(op);
  }
  if (load.phase != Phase::Mixed) return lines;
  for (const Operator& op : operators.mixed_extras(load.decode_tokens / micro_batches, prompt.tokens)) {
    lines.full.value += operators.seconds(op);
    lines.windowed.value += operators.seconds(op);
  }
  return lines;
}

StepLine StepModel::Tables::drafts(const RankLoad& load, const DecodeGrowth& growth) const {
  if (plan.draft_tokens == 0) return {};
  const double overhead_s = plan.draft_module.overhead_us * 1e-6;
  // The first draft runs its module over all tokens of the step (their states are needed), the others over one a sequence.
  const LayerProgram& module = *programs(load.phase).draft;
  StepLine total = module.at(load.rank_tokens, load.group_tokens, core_lines(load, 1, growth));
  total.value += draft_projection.at(load.rank_tokens) + head.at(load.sequences) + overhead_s;
  total.value += plan.draft_module.host_us_per_sequence * 1e-6 * load.sequences;
  if (plan.draft_tokens == 1 || load.sequences <= 0) return total;
  const LayerProgram& later = *programs(Phase::Decode).draft;
  const double group = later_draft_load(load, plan.draft_tokens).group_tokens;
  StepLine next =
      later.at(load.sequences, group,
               draft_cores.at(load.sequences, load.context, load.capped, growth.context_tokens * load.context_share,
                              growth.capped_tokens * load.context_share));
  next.value += draft_projection.at(load.sequences) + head.at(load.sequences) + overhead_s;
  total += (plan.draft_tokens - 1.0) * next;
  return total;
}

StepLine StepModel::Tables::time(const DecodeLoad& decode, const PrefillLoad& prefill, const DecodeGrowth& growth) const {
  const RankLoad load = rank_load(plan, balance, decode, prefill);
  const double micro_batches = schedule(load.phase).micro_batches;
  StepLine total = programs(load.phase)
                       .layers->at(load.rank_tokens / micro_batches, load.group_tokens / micro_batches,
                                   core_lines(load, micro_batches, growth));
  total += drafts(load, growth);
  total.value += head.at(load.head_tokens);
  if (plan.parallelism.pp > 1) total.value += pipeline.at(load.rank_tokens);
  if (load.sequences > 0) total = with_host(plan.launch, total, host_gap_s);
  if (load.phase != Phase::Decode) {
    const double launches_s = programs(load.phase).layers->kernels() * prefill_kernel_s;
    total.value = std::max(total.value, std::max(prefill_floor_s, launches_s));
  }
  return total;
}

StepModel::StepModel(InstancePlan plan, Calibration calibration)
    : tables_(std::make_unique<Tables>(std::move(plan), std::move(calibration))) {}

StepModel::~StepModel() = default;

Seconds StepModel::step(const DecodeLoad& decode, const PrefillLoad& prefill) const {
  return Seconds{tables_->time(decode, prefill, {}).value};
}

LinearRun StepModel::run(const DecodeLoad& decode, const DecodeGrowth& growth) const {
  const StepLine line = tables_->time(decode, {}, growth);
  return {line.value, line.slope, std::floor(line.span) + 1};
}

std::int64_t StepModel::context_cap() const { return attention_cap(tables_->plan.network); }

const InstancePlan& StepModel::plan() const { return tables_->plan; }

}  // namespace tokenomics
