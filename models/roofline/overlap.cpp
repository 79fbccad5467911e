#include "tokenomics/roofline/overlap.hpp"

namespace tokenomics {
namespace {

constexpr std::array<std::string_view, kLayerParts> kNames{"attention_in", "attention_core", "attention_out",
                                                           "router",       "dispatch",       "experts",
                                                           "combine",      "shared_expert",  "dense_ffn"};

constexpr std::array kMoeParts{LayerPart::AttentionIn, LayerPart::AttentionCore, LayerPart::AttentionOut,
                               LayerPart::Router,      LayerPart::Dispatch,      LayerPart::Experts,
                               LayerPart::Combine,     LayerPart::SharedExpert};

LayerLayout one_after_the_other(const OverlapSchedule& schedule) {
  LayerLayout::Lane lane;
  lane.count.fill(1);
  return {{{static_cast<double>(schedule.micro_batches), {lane}}}};
}

LayerLayout::Stage spelled_out(const OverlapSchedule::Stage& stage, double compute_share) {
  LayerLayout::Stage out{static_cast<double>(stage.times), {}};
  double transfers = 0;
  for (const auto& written : stage.lanes) {
    LayerLayout::Lane lane;
    for (const LayerPart part : written.parts) {
      lane.count[static_cast<std::size_t>(part)] += 1;
      if (is_transfer(part)) {
        lane.transfers_beside -= 1;  // its own do not hold it up
        transfers += 1;
      }
    }
    out.lanes.push_back(lane);
  }
  for (auto& lane : out.lanes) {
    lane.transfers_beside += transfers;
    lane.slowed = lane.transfers_beside > 0 && compute_share < 1;
  }
  return out;
}

}  // namespace

std::string_view name_of(LayerPart part) { return kNames[static_cast<std::size_t>(part)]; }

std::optional<LayerPart> layer_part_named(std::string_view name) {
  for (std::size_t i = 0; i < kLayerParts; ++i) {
    if (kNames[i] == name) return static_cast<LayerPart>(i);
  }
  return std::nullopt;
}

std::vector<Problem> check_schedule(const OverlapSchedule& schedule, const std::string& file) {
  std::vector<Problem> problems;
  if (schedule.micro_batches < 1) {
    problems.push_back({file, "/micro_batches", std::to_string(schedule.micro_batches), "at least 1", ""});
  }
  if (!(schedule.compute_share > 0 && schedule.compute_share <= 1)) {
    problems.push_back({file, "/compute_share", std::to_string(schedule.compute_share), "a share in (0, 1]", ""});
  }
  if (schedule.stages.empty()) return problems;
  std::array<int, kLayerParts> count{};
  for (const auto& stage : schedule.stages) {
    for (const auto& lane : stage.lanes) {
      for (const LayerPart part : lane.parts) count[static_cast<std::size_t>(part)] += stage.times;
    }
  }
  for (const LayerPart part : kMoeParts) {
    const int found = count[static_cast<std::size_t>(part)];
    if (found == schedule.micro_batches) continue;
    problems.push_back({file, "/stages", std::string(name_of(part)) + " " + std::to_string(found) + " times",
                        "each part once per micro-batch: " + std::to_string(schedule.micro_batches) + " times", ""});
  }
  if (count[static_cast<std::size_t>(LayerPart::DenseFfn)] != 0) {
    problems.push_back({file, "/stages", "dense_ffn", "no dense_ffn: layers without experts do not overlap", ""});
  }
  return problems;
}

LayerLayout layout_of(const OverlapSchedule& schedule, bool has_experts) {
  if (!has_experts || schedule.stages.empty()) return one_after_the_other(schedule);
  LayerLayout layout;
  for (const auto& stage : schedule.stages) layout.stages.push_back(spelled_out(stage, schedule.compute_share));
  return layout;
}

double lane_time(const LayerLayout::Lane& lane, const PartTimes& parts, double sm_hold_s) {
  const auto& times = lane.slowed ? parts.slowed : parts.alone;
  double t = 2 * sm_hold_s * lane.transfers_beside;
  for (std::size_t i = 0; i < kLayerParts; ++i) {
    if (lane.count[i] > 0) t += lane.count[i] * times[i];
  }
  return t;
}

}  // namespace tokenomics
