#include "tokenomics/roofline/layer_operators.hpp"

#include <algorithm>
#include <cmath>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

constexpr double kBf16 = 2.0;  // bytes

double divided(int count, int over) { return static_cast<double>((count + over - 1) / over); }

std::vector<WeightMatrix> gated_ffn(std::string_view gate_up, std::string_view down, LayerPart part, double hidden,
                                    double intermediate, Precision stored) {
  return {{gate_up, part, hidden, 2 * intermediate, stored}, {down, part, intermediate, hidden, stored}};
}

void add_mla(std::vector<WeightMatrix>& out, const MlaAttention& mla, const InstancePlan& plan) {
  const double hidden = plan.network.hidden;
  const double heads = divided(mla.heads, plan.parallelism.attention_tp);
  const double query = heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim);
  const double latent = mla.kv_lora_rank + mla.qk_rope_head_dim;
  const Precision stored = plan.precisions.attention_weights();
  if (mla.q_lora_rank > 0) {
    out.push_back({"q_down_projection", LayerPart::AttentionIn, hidden, static_cast<double>(mla.q_lora_rank), stored});
    out.push_back({"q_up_projection", LayerPart::AttentionIn, static_cast<double>(mla.q_lora_rank), query, stored});
  } else {
    out.push_back({"q_projection", LayerPart::AttentionIn, hidden, query, stored});
  }
  out.push_back({"kv_down_projection", LayerPart::AttentionIn, hidden, latent, stored});
  out.push_back({"output_projection", LayerPart::AttentionOut, heads * mla.v_head_dim, hidden, stored});
}

WeightMatrix kv_up_matrix(const MlaAttention& mla, const InstancePlan& plan) {
  const double heads = divided(mla.heads, plan.parallelism.attention_tp);
  return {"kv_up_projection", LayerPart::AttentionIn, static_cast<double>(mla.kv_lora_rank),
          heads * (mla.qk_nope_head_dim + mla.v_head_dim), plan.precisions.attention_weights()};
}

void add_gqa(std::vector<WeightMatrix>& out, const GqaAttention& gqa, const InstancePlan& plan) {
  const double hidden = plan.network.hidden;
  const double heads = divided(gqa.heads, plan.parallelism.attention_tp);
  const double kv_heads = divided(gqa.kv_heads, plan.parallelism.attention_tp);
  out.push_back({"qkv_projection", LayerPart::AttentionIn, hidden, (heads + 2 * kv_heads) * gqa.head_dim,
                 plan.precisions.attention_weights()});
  out.push_back(
      {"output_projection", LayerPart::AttentionOut, heads * gqa.head_dim, hidden, plan.precisions.attention_weights()});
}

/// Queries, key and head weights of the indexer in one matrix: replicated over tp.
WeightMatrix indexer_matrix(const SparseIndexer& indexer, const InstancePlan& plan) {
  const auto* mla = std::get_if<MlaAttention>(&plan.network.attention);
  const double hidden = plan.network.hidden;
  const double query_from = mla != nullptr && mla->q_lora_rank > 0 ? mla->q_lora_rank : hidden;
  const double elements = query_from * indexer.heads * indexer.head_dim + hidden * (indexer.head_dim + indexer.heads);
  return {"indexer_projections", LayerPart::AttentionIn, hidden, elements / hidden, plan.precisions.weights};
}

}  // namespace

std::vector<WeightMatrix> attention_matrices(const InstancePlan& plan) {
  std::vector<WeightMatrix> out;
  if (plan.network.sparse) out.push_back(indexer_matrix(*plan.network.sparse, plan));
  if (const auto* mla = std::get_if<MlaAttention>(&plan.network.attention)) {
    add_mla(out, *mla, plan);
    out.push_back(kv_up_matrix(*mla, plan));
  } else {
    add_gqa(out, std::get<GqaAttention>(plan.network.attention), plan);
  }
  return out;
}

std::vector<WeightMatrix> dense_ffn_matrices(const InstancePlan& plan, const DenseFfn& ffn) {
  return gated_ffn("dense_ffn_gate_up", "dense_ffn_down", LayerPart::DenseFfn, plan.network.hidden,
                   divided(ffn.intermediate, plan.parallelism.attention_tp), plan.precisions.weights);
}

std::vector<WeightMatrix> shared_expert_matrices(const InstancePlan& plan, const MoeFfn& moe) {
  if (moe.shared_intermediate <= 0) return {};
  return gated_ffn("shared_expert_gate_up", "shared_expert_down", LayerPart::SharedExpert, plan.network.hidden,
                   divided(moe.shared_intermediate, plan.parallelism.attention_tp), plan.precisions.weights);
}

std::vector<WeightMatrix> expert_matrices(const InstancePlan& plan, const MoeFfn& moe) {
  return gated_ffn("expert_gate_up", "expert_down", LayerPart::Experts, plan.network.hidden,
                   divided(moe.intermediate, plan.parallelism.moe_tp), plan.precisions.experts);
}

LayerOperators::LayerOperators(const InstancePlan& plan, const Calibration& calibration)
    : plan_(&plan), calibration_(&calibration), timer_(plan.gpu, calibration), balance_(plan) {
  const Parallelism& p = plan.parallelism;
  const int stage_gpus = p.stage_gpus();
  tp_link_ = link_of(plan.gpu, calibration.all_reduce, p.attention_tp);
  // Without expert parallelism the ranks gather all tokens instead: the all-reduce kernels' efficiencies.
  const LinkEfficiency& all_to_all =
      p.ep == 1
          ? calibration.all_reduce
          : (plan.all_to_all == AllToAll::LowLatency ? calibration.all_to_all_low_latency : calibration.all_to_all_normal);
  if (plan.network.moe() != nullptr) {
    ep_link_ = link_of(plan.gpu, all_to_all, tokens_replicated() ? 1 : stage_gpus);
    experts_.emplace_back(*plan.network.moe(), plan.routing, p.ep);
  }
  if (p.cp > 1) {
    cp_link_ = link_of(plan.gpu, calibration.all_reduce, p.attention_tp * p.cp);
    cp_link_.domain = std::max(1, cp_link_.domain / p.attention_tp);  // groups of attention_tp in a scale-up domain
  }
  pp_link_ = link_of(plan.gpu, calibration.all_reduce, p.pp > 1 ? p.gpus() : 1);
}

double LayerOperators::sm_hold_s() const {
  if (plan_->parallelism.ep == 1 || tokens_replicated()) return 0;
  return 1e-6 * (plan_->all_to_all == AllToAll::LowLatency ? calibration_->all_to_all_low_latency.sm_hold_us.value
                                                           : calibration_->all_to_all_normal.sm_hold_us.value);
}

double LayerOperators::seconds(const Operator& op, double compute_share) const {
  return op.network ? op.link_s : timer_.time(op.work, compute_share);
}

void LayerOperators::scale(KernelWork& work, Precision stored) const {
  const auto found = calibration_->formats.find(stored);
  if (found == calibration_->formats.end()) return;
  work.compute_scale = found->second.compute.value;
  work.memory_scale = found->second.memory.value;
  work.launch_scale = found->second.launch.value;
}

Operator LayerOperators::gemm(const WeightMatrix& weight, double tokens) const {
  // flops = 2 m K N; bytes = K N b_w + m K b_a + m N 2 B (16-bit output)
  Operator op{weight.name, weight.part, {}, false, 0, 0};
  op.work.family = KernelFamily::DenseGemm;
  op.work.arithmetic = wider(plan_->precisions.activations, weight.stored);
  scale(op.work, weight.stored);
  op.work.flops = 2 * tokens * weight.rows * weight.columns;
  op.work.padded_flops = op.work.flops * timer_.padded_rows(KernelFamily::DenseGemm, tokens) / tokens;
  op.work.bytes = weight.rows * weight.columns * bytes_per_element(weight.stored) +
                  tokens * weight.rows * wire_bytes_per_element(plan_->precisions.activations) +
                  tokens * weight.columns * kBf16;
  return op;
}

Operator LayerOperators::batched(std::string_view name, LayerPart part, double tokens, double rows, double columns) const {
  const auto& mla = std::get<MlaAttention>(plan_->network.attention);
  const double heads = divided(mla.heads, plan_->parallelism.attention_tp);
  const double element = bytes_per_element(plan_->precisions.attention);
  Operator op{name, part, {}, false, 0, 0};
  op.work.family = KernelFamily::BatchedGemm;
  op.work.arithmetic = plan_->precisions.attention;
  op.work.flops = 2 * tokens * heads * rows * columns;
  op.work.padded_flops = op.work.flops * timer_.padded_rows(KernelFamily::BatchedGemm, tokens) / tokens;
  op.work.bytes = heads * (rows * columns * element + tokens * (rows + columns) * kBf16);
  return op;
}

Operator LayerOperators::elementwise(std::string_view name, LayerPart part, double bytes) const {
  return {name, part, {KernelFamily::Elementwise, Precision::Bf16, 0, 0, bytes, 1}, false, 0, 0};
}

Operator LayerOperators::tp_all_reduce(std::string_view name, LayerPart part, double tokens) const {
  const int tp = plan_->parallelism.attention_tp;
  const double bytes = tokens * plan_->network.hidden * kBf16;
  return {name,
          part,
          {KernelFamily::Elementwise, Precision::Bf16, 0, 0, 0, 1},
          true,
          2.0 * (tp - 1) / tp * bytes,
          all_reduce(tp_link_, tp, Bytes{bytes}).value()};
}

void LayerOperators::add_attention(std::vector<Operator>& out, Phase phase, double tokens) const {
  const auto* mla = std::get_if<MlaAttention>(&plan_->network.attention);
  const double hidden = plan_->network.hidden;
  const double activation = wire_bytes_per_element(plan_->precisions.activations);
  // Norm with residual: read both, write the residual and the quantized input.
  out.push_back(elementwise("attention_norm_quantize", LayerPart::AttentionIn, tokens * hidden * (3 * kBf16 + activation)));
  // Sparse attention stays absorbed for prompts too: every query reads its own choice of tokens.
  const bool absorbed = mla != nullptr && (phase == Phase::Decode || (phase == Phase::Prefill && plan_->network.sparse));
  for (const WeightMatrix& weight : attention_matrices(*plan_)) {
    const bool expands_kv = weight.name == "kv_up_projection";
    if (expands_kv && (absorbed || phase == Phase::Mixed)) continue;
    // Parts of a prompt send each other latents; every one expands them all.
    out.push_back(gemm(weight, expands_kv ? tokens * plan_->parallelism.cp : tokens));
  }
  add_attention_elementwise(out, phase, tokens, absorbed);
  if (absorbed) {
    out.push_back(
        batched("absorbed_query_product", LayerPart::AttentionIn, tokens, mla->qk_nope_head_dim, mla->kv_lora_rank));
    out.push_back(batched("absorbed_value_product", LayerPart::AttentionOut, tokens, mla->kv_lora_rank, mla->v_head_dim));
  }
  if (plan_->parallelism.attention_tp > 1) {
    out.push_back(tp_all_reduce("attention_all_reduce", LayerPart::AttentionOut, tokens));
  }
}

void LayerOperators::add_attention_elementwise(std::vector<Operator>& out, Phase phase, double tokens, bool absorbed) const {
  const int tp = plan_->parallelism.attention_tp;
  const double activation = wire_bytes_per_element(plan_->precisions.activations);
  double rotated = 0;  // elements a token that are read and written once, in 16 bit
  double cached = 0;   // elements a token written to the KV cache
  double output = 0;   // width of the attention output
  if (const auto* mla = std::get_if<MlaAttention>(&plan_->network.attention)) {
    const double heads = divided(mla->heads, tp);
    cached = mla->kv_lora_rank + mla->qk_rope_head_dim;
    // Norms of both latents and the rotary part of every head; expanded keys are put together head by head.
    rotated = mla->q_lora_rank + cached + heads * mla->qk_rope_head_dim;
    if (!absorbed && phase == Phase::Prefill) rotated += heads * (mla->qk_nope_head_dim + mla->qk_rope_head_dim);
    output = heads * mla->v_head_dim;
  } else {
    const auto& gqa = std::get<GqaAttention>(plan_->network.attention);
    const double kv_heads = divided(gqa.kv_heads, tp);
    rotated = (divided(gqa.heads, tp) + kv_heads) * gqa.head_dim;
    cached = 2 * kv_heads * gqa.head_dim;
    output = divided(gqa.heads, tp) * gqa.head_dim;
  }
  const double bytes = tokens * (2 * kBf16 * rotated + cached * bytes_per_element(plan_->precisions.kv));
  out.push_back(elementwise("rope_and_kv_write", LayerPart::AttentionIn, bytes));
  if (plan_->precisions.activations != Precision::Bf16) {
    out.push_back(elementwise("attention_output_quantize", LayerPart::AttentionOut, tokens * output * (kBf16 + activation)));
  }
}

Operator LayerOperators::expert_transfer(std::string_view name, LayerPart part, const MoeFfn& moe, double tokens,
                                         Precision precision) const {
  const Parallelism& p = plan_->parallelism;
  const double element = wire_bytes_per_element(precision);
  Operator op{name, part, {KernelFamily::Elementwise, Precision::Bf16, 0, 0, 0, 1}, true, 0, 0};
  if (p.ep == 1) {  // all-gather to every rank, reduce-scatter back; 16 bit or the given format
    const int gpus = p.stage_gpus();
    const Bytes all{tokens * p.token_ranks() * plan_->network.hidden * element};
    op.link_bytes = (gpus - 1.0) / gpus * all.value();
    op.link_s = all_gather(ep_link_, gpus, all).value();
    return op;
  }
  // The tp GPUs of a rank send a tp-th of its tokens each; moe_tp GPUs share an expert and need the token each.
  const double sent = tokens / p.attention_tp * p.moe_tp;
  const Bytes token_bytes{plan_->network.hidden * element};
  if (plan_->all_to_all == AllToAll::LowLatency) {
    op.link_bytes = low_latency_bytes(ep_link_, p.ep, sent, moe.experts_per_token, token_bytes).value();
    op.link_s = low_latency_all_to_all(ep_link_, p.ep, sent, moe.experts_per_token, token_bytes).value();
  } else {
    op.link_bytes = normal_bytes(ep_link_, moe, p.ep, sent, token_bytes).value();
    op.link_s = normal_all_to_all(ep_link_, moe, p.ep, sent, token_bytes).value();
  }
  return op;
}

void LayerOperators::add_expert_transfers(std::vector<Operator>& out, const MoeFfn& moe, double tokens) const {
  const Parallelism& p = plan_->parallelism;
  if (p.stage_gpus() == 1) return;
  if (tokens_replicated()) {  // partial sums of all ranks are added up instead of sending tokens
    out.push_back(tp_all_reduce("expert_all_reduce", LayerPart::Combine, tokens));
    return;
  }
  // The slowest end is the attention rank that has most, or the expert rank that receives and answers most.
  const double uneven =
      balance_.sequences_of_slowest(tokens * plan_->decode_schedule.micro_batches / (1 + plan_->draft_tokens));
  const double slowest =
      p.ep == 1 ? 1.0 : std::max(1.0, experts_.front().max_over_mean(tokens * p.token_ranks() / uneven) / uneven);
  out.push_back(expert_transfer("dispatch", LayerPart::Dispatch, moe, tokens * slowest, plan_->precisions.dispatch));
  out.push_back(expert_transfer("combine", LayerPart::Combine, moe, tokens * slowest, plan_->precisions.combine));
}

void LayerOperators::add_moe(std::vector<Operator>& out, const MoeFfn& moe, double tokens) const {
  const double hidden = plan_->network.hidden;
  const double activation = wire_bytes_per_element(plan_->precisions.activations);
  out.push_back(elementwise("router_norm_quantize", LayerPart::Router, tokens * hidden * (3 * kBf16 + activation)));
  Operator router =
      gemm({"router", LayerPart::Router, hidden, static_cast<double>(moe.routed_experts), Precision::Bf16}, tokens);
  router.work.arithmetic = Precision::Bf16;
  out.push_back(std::move(router));
  const auto shared = shared_expert_matrices(*plan_, moe);
  for (const WeightMatrix& weight : shared) out.push_back(gemm(weight, tokens));
  if (!shared.empty()) {  // gate * up: read both, write one quantized
    out.push_back(elementwise("shared_expert_activation", LayerPart::SharedExpert,
                              tokens * shared.back().rows * (2 * kBf16 + activation)));
  }
  add_expert_transfers(out, moe, tokens);
}

std::vector<Operator> LayerOperators::rank_operators(const LayerGroup& group, Phase phase, double tokens) const {
  std::vector<Operator> out;
  out.reserve(20);
  add_attention(out, phase, tokens);
  if (const auto* moe = std::get_if<MoeFfn>(&group.ffn)) {
    add_moe(out, *moe, tokens);
    return out;
  }
  const double activation = wire_bytes_per_element(plan_->precisions.activations);
  const auto matrices = dense_ffn_matrices(*plan_, std::get<DenseFfn>(group.ffn));
  out.push_back(elementwise("dense_ffn_norm_quantize", LayerPart::DenseFfn,
                            tokens * plan_->network.hidden * (3 * kBf16 + activation)));
  for (const WeightMatrix& weight : matrices) out.push_back(gemm(weight, tokens));
  out.push_back(
      elementwise("dense_ffn_activation", LayerPart::DenseFfn, tokens * matrices.back().rows * (2 * kBf16 + activation)));
  if (plan_->parallelism.attention_tp > 1) out.push_back(tp_all_reduce("dense_ffn_all_reduce", LayerPart::DenseFfn, tokens));
  return out;
}

std::vector<Operator> LayerOperators::expert_operators(double group_tokens) const {
  const MoeFfn& moe = *plan_->network.moe();
  const ExpertLoad::Rank load = experts_.front().at(group_tokens);
  const double rows = load.tokens_max;
  const double padded =
      std::max(rows, experts_.front().padded_rows(rows, load.touched_max, timer_.tile(KernelFamily::GroupedGemm)));
  const double activation = wire_bytes_per_element(plan_->precisions.activations);
  std::vector<Operator> out;
  for (const WeightMatrix& weight : expert_matrices(*plan_, moe)) {
    Operator op{weight.name, weight.part, {}, false, 0, 0};
    op.work.family = KernelFamily::GroupedGemm;
    op.work.arithmetic = plan_->precisions.activations;
    scale(op.work, weight.stored);
    op.work.flops = 2 * rows * weight.rows * weight.columns;
    op.work.padded_flops = 2 * padded * weight.rows * weight.columns;
    op.work.bytes = load.touched_max * weight.rows * weight.columns * bytes_per_element(weight.stored) +
                    rows * weight.rows * activation + rows * weight.columns * kBf16;
    out.push_back(std::move(op));
  }
  out.push_back(elementwise("expert_activation", LayerPart::Experts,
                            rows * divided(moe.intermediate, plan_->parallelism.moe_tp) * (2 * kBf16 + activation)));
  add_row_moves(out, moe, rows);
  return out;
}

void LayerOperators::add_row_moves(std::vector<Operator>& out, const MoeFfn& moe, double rows) const {
  // Low-latency kernels deliver rows in expert order and add up the answers themselves.
  const Parallelism& p = plan_->parallelism;
  const bool travels = !tokens_replicated() && p.ep > 1;
  if (travels && plan_->all_to_all == AllToAll::LowLatency) return;
  const double hidden = plan_->network.hidden;
  const double activation = wire_bytes_per_element(plan_->precisions.activations);
  const double arrived = rows * expected_parts_touched(moe, p.ep) / moe.experts_per_token;  // a token once per rank
  if (travels) out.push_back(elementwise("expert_permute", LayerPart::Experts, (arrived + rows) * hidden * activation));
  out.push_back(elementwise("expert_weighted_sum", LayerPart::Experts, (arrived + rows) * hidden * kBf16));
}

Operator LayerOperators::kv_exchange(double context) const {
  const int cp = plan_->parallelism.cp;
  // What one token holds in the cache, and the indexer's key of it.
  double token_bytes = decode_core(*plan_, timer_, 1).bytes_per_context;
  if (plan_->network.sparse) token_bytes += decode_indexer(*plan_, timer_, 1).bytes_per_context;
  Operator op{"context_parallel_kv_gather", LayerPart::AttentionCore, {}, true, 0, 0};
  op.work.family = KernelFamily::Elementwise;
  op.link_bytes = (cp - 1.0) / cp * context * token_bytes;
  op.link_s = all_gather(cp_link_, cp, Bytes{context * token_bytes}).value();
  return op;
}

FewOperators LayerOperators::prompt_core(bool windowed, const PromptWork& prompt) const {
  FewOperators out;
  if (prompt.tokens <= 0) return out;
  const auto* mla = std::get_if<MlaAttention>(&plan_->network.attention);
  const double attended = windowed || plan_->network.sparse ? prompt.capped_attended : prompt.attended;
  // A chunk of c tokens after a cached ones attends to a + (c+1)/2 on average and reads a + c: (c-1)/2 more. With a part
  // of the chunk's queries a GPU still reads all of its keys.
  const double beyond_mean = 0.5 * std::max(0.0, prompt.tokens * plan_->parallelism.cp - prompt.sequences);
  const double cached_and_new = prompt.sequences * attended / prompt.tokens + beyond_mean;
  if (plan_->network.sparse) {
    const CoreCost scores = decode_indexer(*plan_, timer_, 1);
    KernelWork work = scores.work(prompt.tokens, prompt.attended);
    work.bytes = scores.bytes_per_context * (prompt.sequences * prompt.attended / prompt.tokens + beyond_mean) +
                 scores.bytes_per_sequence * prompt.tokens;
    out.push_back({"indexer_scores", LayerPart::AttentionCore, work, false, 0, 0});
  }
  KernelWork core;
  core.family = KernelFamily::AttentionPrefill;
  core.arithmetic = plan_->precisions.attention;
  if (mla != nullptr && !plan_->network.sparse) {
    // 2 n_h (d_nope + d_rope + d_v) FLOPs per query and attended token; expanded keys and values are 16 bit.
    const double heads = divided(mla->heads, plan_->parallelism.attention_tp);
    const double width = mla->qk_nope_head_dim + mla->qk_rope_head_dim + mla->v_head_dim;
    core.flops = 2 * heads * width * attended;
    core.bytes = heads * width * kBf16 * (cached_and_new + prompt.tokens);  // keys and values; queries and outputs
  } else {
    const CoreCost decode = decode_core(*plan_, timer_, 1);
    core.flops = decode.flops_per_context * attended;
    core.bytes = decode.bytes_per_context * cached_and_new + decode.bytes_per_sequence * prompt.tokens;
  }
  core.padded_flops = core.flops;
  out.push_back({"attention_core", LayerPart::AttentionCore, core, false, 0, 0});
  if (mla != nullptr && !plan_->network.sparse && prompt.reexpanded > 0) {
    Operator again = gemm(kv_up_matrix(*mla, *plan_), prompt.reexpanded);
    again.name = "kv_reexpansion";
    again.part = LayerPart::AttentionCore;
    out.push_back(again);
  }
  if (plan_->parallelism.cp > 1) out.push_back(kv_exchange(cached_and_new));
  return out;
}

FewOperators LayerOperators::mixed_extras(double decode_tokens, double prompt_tokens) const {
  FewOperators out;
  const auto* mla = std::get_if<MlaAttention>(&plan_->network.attention);
  if (mla == nullptr) return out;
  const double absorbed = plan_->network.sparse ? decode_tokens + prompt_tokens : decode_tokens;
  if (absorbed > 0) {
    out.push_back(
        batched("absorbed_query_product", LayerPart::AttentionCore, absorbed, mla->qk_nope_head_dim, mla->kv_lora_rank));
    out.push_back(batched("absorbed_value_product", LayerPart::AttentionCore, absorbed, mla->kv_lora_rank, mla->v_head_dim));
  }
  if (prompt_tokens > 0 && !plan_->network.sparse) {
    Operator expansion = gemm(kv_up_matrix(*mla, *plan_), prompt_tokens * plan_->parallelism.cp);
    expansion.part = LayerPart::AttentionCore;
    out.push_back(expansion);
  }
  return out;
}

Operator LayerOperators::head(std::string_view name, double tokens) const {
  const double vocab = divided(plan_->network.vocab, plan_->parallelism.attention_tp);
  Operator op =
      gemm({name, LayerPart::AttentionOut, static_cast<double>(plan_->network.hidden), vocab, Precision::Bf16}, tokens);
  op.work.arithmetic = Precision::Bf16;
  // Sampling reads the logits once more, in 32 bit.
  op.work.bytes += 4.0 * tokens * vocab;
  return op;
}

Operator LayerOperators::draft_projection(double tokens) const {
  const double hidden = plan_->network.hidden;
  return gemm({"mtp_projection", LayerPart::AttentionIn, 2 * hidden, hidden, plan_->precisions.weights}, tokens);
}

Operator LayerOperators::pipeline_transfer(double tokens) const {
  const Parallelism& p = plan_->parallelism;
  const double bytes = tokens * plan_->network.hidden * kBf16 / p.attention_tp;
  const bool outside = p.gpus() > pp_link_.domain;
  const double hop = p.pp > 1 ? transfer_time(pp_link_, Bytes{bytes}, outside ? 0 : 1, outside ? 1 : 0).value() : 0;
  return {
      "pipeline_send_recv", LayerPart::AttentionIn, {KernelFamily::Elementwise, Precision::Bf16, 0, 0, 0, p.pp - 1.0}, true,
      bytes * (p.pp - 1),   hop * (p.pp - 1)};
}

}  // namespace tokenomics
