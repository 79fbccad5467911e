#pragma once

#include <memory>

#include "tokenomics/roofline/layer_operators.hpp"
#include "tokenomics/roofline/layer_program.hpp"

namespace tokenomics {

/// The layer of the network's MTP module: as its expert layers, or as its last ones where it has none.
LayerClass draft_layer(const Network& network);

/// The plan that the module's operators are counted with: where it is stored in a format of its own, that format for
/// every matrix, and arithmetic in it (16 bit stays 16 bit). An NVFP4 checkpoint of DeepSeek leaves the module in BF16
/// (NVIDIA/TensorRT-LLM, _torch/models/modeling_deepseekv3.py: "the MTP layer in the nvfp4 checkpoint is unquantized").
InstancePlan draft_plan(const InstancePlan& plan);

/// Operators of the MTP module: the instance's own, or others where the module is stored in a format of its own. Refers
/// to the instance's operators and their calibration.
class DraftOperators {
 public:
  explicit DraftOperators(const LayerOperators& instance);
  [[nodiscard]] const LayerOperators& get() const { return own_ ? *own_ : *instance_; }

 private:
  const LayerOperators* instance_;
  std::unique_ptr<const InstancePlan> plan_;
  std::unique_ptr<const LayerOperators> own_;
};

}  // namespace tokenomics
