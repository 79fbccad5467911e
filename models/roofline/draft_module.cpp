#include "tokenomics/roofline/draft_module.hpp"

namespace tokenomics {

LayerClass draft_layer(const Network& network) {
  LayerClass found{network.layers.back(), 1};
  for (const LayerGroup& group : network.layers) {
    if (std::holds_alternative<MoeFfn>(group.ffn)) found.group = group;
  }
  return found;
}

InstancePlan draft_plan(const InstancePlan& plan) {
  InstancePlan own = plan;
  if (!plan.draft_module.weights) return own;
  own.precisions.weights = own.precisions.experts = *plan.draft_module.weights;
  own.precisions.projections.reset();
  const bool computes_as_stored =
      *plan.draft_module.weights == Precision::Bf16 || *plan.draft_module.weights == Precision::Fp8;
  if (computes_as_stored) own.precisions.activations = *plan.draft_module.weights;
  return own;
}

DraftOperators::DraftOperators(const LayerOperators& instance) : instance_(&instance) {
  if (!instance.plan().draft_module.weights || instance.plan().draft_tokens == 0) return;
  plan_ = std::make_unique<const InstancePlan>(draft_plan(instance.plan()));
  own_ = std::make_unique<const LayerOperators>(*plan_, instance.calibration());
}

}  // namespace tokenomics
