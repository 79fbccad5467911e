#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tokenomics/base/error.hpp"
#include "tokenomics/llm/counts.hpp"
#include "tokenomics/roofline/draft_module.hpp"
#include "tokenomics/roofline/plan_check.hpp"
#include "tokenomics/roofline/step_model.hpp"

namespace tokenomics {
namespace {

/// KV is given out in blocks; a plan must hold one of the usual size.
constexpr double kSmallestBlockTokens = 64;
/// Windowed layers keep their window only: their share of a token's bytes is that of a sequence of this length.
constexpr double kReferenceContext = 8192;

Bytes bytes_of(const std::vector<WeightMatrix>& matrices) {
  double bytes = 0;
  for (const WeightMatrix& m : matrices) bytes += m.rows * m.columns * bytes_per_element(m.stored);
  return Bytes{bytes};
}

/// Embedding and head in 16 bit, divided over tp; over a pipeline the first stage has one and the last the other.
Bytes embedding_bytes(const InstancePlan& plan) {
  const double vocab = std::ceil(static_cast<double>(plan.network.vocab) / plan.parallelism.attention_tp);
  const double matrix = vocab * plan.network.hidden * bytes_per_element(Precision::Bf16);
  const bool both_here = !plan.network.tied_embeddings && plan.parallelism.pp == 1;
  return Bytes{both_here ? 2 * matrix : matrix};
}

struct FfnBytes {
  Bytes dense{0}, experts{0}, shared{0};
};

FfnBytes ffn_of_layer(const InstancePlan& plan, const LayerGroup& group) {
  if (const auto* dense = std::get_if<DenseFfn>(&group.ffn))
    return {bytes_of(dense_ffn_matrices(plan, *dense)), Bytes{0}, Bytes{0}};
  const auto& moe = std::get<MoeFfn>(group.ffn);
  const double slots = static_cast<double>(moe.routed_experts + plan.routing.redundant_experts) / plan.parallelism.ep;
  const Bytes router{static_cast<double>(plan.network.hidden) * moe.routed_experts * bytes_per_element(Precision::Bf16)};
  return {router, bytes_of(expert_matrices(plan, moe)) * slots, bytes_of(shared_expert_matrices(plan, moe))};
}

/// The fullest stage has ceil(layers / pp) layers.
double stage_share(const InstancePlan& plan) {
  const double layers = plan.network.layer_count();
  return std::ceil(layers / plan.parallelism.pp) / layers;
}

void add_weights(MemoryPlan& memory, const InstancePlan& plan) {
  const Bytes attention = bytes_of(attention_matrices(plan));
  const double share = stage_share(plan);
  for (const LayerGroup& group : plan.network.layers) {
    const FfnBytes ffn = ffn_of_layer(plan, group);
    const double count = group.count * share;
    memory.attention_weights += attention * count;
    memory.dense_weights += ffn.dense * count;
    memory.expert_weights += ffn.experts * count;
    memory.shared_expert_weights += ffn.shared * count;
  }
  memory.embedding_weights = embedding_bytes(plan);
  if (plan.draft_tokens == 0) return;
  const LayerGroup module = draft_layer(plan.network).group;
  const InstancePlan stored = draft_plan(plan);
  const FfnBytes ffn = ffn_of_layer(stored, module);
  const double hidden = plan.network.hidden;
  const Bytes projection{2 * hidden * hidden * bytes_per_element(stored.precisions.weights)};
  memory.mtp_weights = (bytes_of(attention_matrices(stored)) + ffn.dense + ffn.experts + ffn.shared + projection) *
                       plan.network.mtp_layers.value_or(1);
}

/// Per GPU: the latent of MLA is on every GPU of a tp group, KV heads are divided until there is one each.
double kv_bytes_per_gpu(const InstancePlan& plan) {
  const double context =
      std::min(kReferenceContext, static_cast<double>(std::max<std::int64_t>(1, plan.network.max_context_tokens)));
  double bytes = kv_bytes_of_sequence(plan.network, plan.precisions.kv, context).value() / context;
  if (const auto* gqa = std::get_if<GqaAttention>(&plan.network.attention)) {
    const int tp = plan.parallelism.attention_tp;
    bytes *= static_cast<double>((gqa->kv_heads + tp - 1) / tp) / gqa->kv_heads;
  }
  bytes *= stage_share(plan);
  // The MTP module's layer has a cache of its own.
  if (plan.draft_tokens > 0)
    bytes *= 1 + static_cast<double>(plan.network.mtp_layers.value_or(0)) / plan.network.layer_count();
  return bytes;
}

[[noreturn]] void refuse(const MemoryPlan& m, const InstancePlan& plan, double need_kv) {
  const auto gb = [](Bytes bytes) { return bytes.value() * 1e-9; };
  const double need = gb(m.weights() + m.reserved) + need_kv * 1e-9;
  throw Infeasible(
      fmt::format("{} on {} needs {:.1f} GB per GPU, has {:.1f} GB ({:.0f}% of {:.1f} GB): attention {:.1f}, dense FFN and "
                  "routers {:.1f}, "
                  "experts {:.1f}, shared experts {:.1f}, embedding and head {:.1f}, MTP {:.1f}, reserved {:.1f}, one block "
                  "of KV {:.3f}",
                  plan.network.name, plan.gpu.name, need, gb(m.capacity), plan.hbm_utilization * 100,
                  gb(plan.gpu.require_hbm_capacity()), gb(m.attention_weights), gb(m.dense_weights), gb(m.expert_weights),
                  gb(m.shared_expert_weights), gb(m.embedding_weights), gb(m.mtp_weights), gb(m.reserved), need_kv * 1e-9));
}

}  // namespace

Bytes MemoryPlan::weights() const {
  return attention_weights + dense_weights + expert_weights + shared_expert_weights + embedding_weights + mtp_weights;
}

MemoryPlan plan_memory(const InstancePlan& plan) {
  require_sound(plan);
  MemoryPlan memory;
  memory.capacity = plan.gpu.require_hbm_capacity() * plan.hbm_utilization;
  memory.reserved = plan.reserved_per_gpu;
  add_weights(memory, plan);
  memory.kv_bytes_per_token = kv_bytes_per_gpu(plan);
  memory.kv_budget = memory.capacity - memory.weights() - memory.reserved;
  const double need_kv = kSmallestBlockTokens * memory.kv_bytes_per_token;
  if (memory.kv_budget.value() < need_kv) refuse(memory, plan, need_kv);
  const double tokens_per_rank = std::floor(memory.kv_budget.value() / memory.kv_bytes_per_token);
  memory.kv_tokens_per_instance = static_cast<std::int64_t>(tokens_per_rank) * plan.parallelism.token_ranks();
  return memory;
}

}  // namespace tokenomics
