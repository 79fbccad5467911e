#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenomics/base/error.hpp"
#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

inline constexpr std::size_t kLayerParts = 9;

/// "attention_in", "attention_core" ... as overlap files write them.
std::string_view name_of(LayerPart part);
std::optional<LayerPart> layer_part_named(std::string_view name);

constexpr bool is_transfer(LayerPart part) { return part == LayerPart::Dispatch || part == LayerPart::Combine; }

/// Everything wrong with a schedule for MoE layers: each part but dense_ffn must stand in exactly one lane per
/// micro-batch (a stage that runs n times counts n). An empty list of stages is right.
std::vector<Problem> check_schedule(const OverlapSchedule& schedule, const std::string& file);

/// A schedule spelled out for one kind of layer. A stage lasts as long as its slowest lane.
struct LayerLayout {
  struct Lane {
    std::array<double, kLayerParts> count{};  ///< how often each part runs in this lane
    double transfers_beside = 0;              ///< communication kernels of the other lanes: each holds the SMs at both ends
    bool slowed = false;                      ///< computes on compute_share of the SMs
    [[nodiscard]] bool has(LayerPart part) const { return count[static_cast<std::size_t>(part)] > 0; }
  };
  struct Stage {
    double times = 1;
    std::vector<Lane> lanes;
  };
  std::vector<Stage> stages;
};

/// Layers without experts run one part after the other, each micro-batch on its own: there is nothing to hide.
LayerLayout layout_of(const OverlapSchedule& schedule, bool has_experts);

/// Seconds of each part of one micro-batch of one layer, with all SMs and with the schedule's share of them.
struct PartTimes {
  std::array<double, kLayerParts> alone{};
  std::array<double, kLayerParts> slowed{};
};

/// A lane's time from those of its parts: sum, plus twice the hold for every transfer beside it.
double lane_time(const LayerLayout::Lane& lane, const PartTimes& parts, double sm_hold_s);

}  // namespace tokenomics
