#include <array>
#include <map>

#include "parts.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<const char*, LayerPart>, 9> kParts{{{"attention_in", LayerPart::AttentionIn},
                                                                   {"attention_core", LayerPart::AttentionCore},
                                                                   {"attention_out", LayerPart::AttentionOut},
                                                                   {"router", LayerPart::Router},
                                                                   {"dispatch", LayerPart::Dispatch},
                                                                   {"experts", LayerPart::Experts},
                                                                   {"combine", LayerPart::Combine},
                                                                   {"shared_expert", LayerPart::SharedExpert},
                                                                   {"dense_ffn", LayerPart::DenseFfn}}};

LayerPart part_named(const std::string& name) {
  for (const auto& [known, part] : kParts) {
    if (name == known) return part;
  }
  TOKENOMICS_CHECK(false, "layer part " + name + " passed the schema");
}

const char* name_of_part(LayerPart part) {
  for (const auto& [name, known] : kParts) {
    if (part == known) return name;
  }
  TOKENOMICS_CHECK(false, "unnamed layer part");
}

/// Each part of each micro-batch stands exactly once: otherwise its time would be lost or counted twice. Only the FFN of
/// dense layers may be left out: those layers have no experts to overlap with and run one part after the other.
void check_parts(const OverlapSchedule& schedule, const Reporter& report) {
  if (schedule.stages.empty()) return;
  std::map<LayerPart, int> placed;
  for (const auto& stage : schedule.stages) {
    for (const auto& lane : stage.lanes) {
      for (const LayerPart part : lane.parts) placed[part] += stage.times;
    }
  }
  for (const auto& [name, part] : kParts) {
    const bool is_optional = part == LayerPart::DenseFfn && placed[part] == 0;
    if (is_optional || placed[part] == schedule.micro_batches) continue;
    report.at("stages").add(std::string(name) + " stands " + std::to_string(placed[part]) + " times",
                            "each part once for each of the " + std::to_string(schedule.micro_batches) + " micro-batches");
  }
}

}  // namespace

OverlapSchedule overlap_from(const json& file, const Reporter& report) {
  OverlapSchedule schedule;
  schedule.name = file["name"];
  schedule.micro_batches = file.value("micro_batches", 1);
  schedule.compute_share = file.value("compute_share", 1.0);
  for (const json& stage_file : file["stages"]) {
    OverlapSchedule::Stage stage;
    stage.times = stage_file.value("times", 1);
    for (const json& lane_file : stage_file["lanes"]) {
      OverlapSchedule::Lane lane;
      for (const json& part : lane_file) lane.parts.push_back(part_named(part.get<std::string>()));
      stage.lanes.push_back(lane);
    }
    schedule.stages.push_back(stage);
  }
  check_parts(schedule, report);
  return schedule;
}

json json_of(const OverlapSchedule& schedule) {
  json stages = json::array();
  for (const auto& stage : schedule.stages) {
    json lanes = json::array();
    for (const auto& lane : stage.lanes) {
      json parts = json::array();
      for (const LayerPart part : lane.parts) parts.push_back(name_of_part(part));
      lanes.push_back(parts);
    }
    stages.push_back({{"times", stage.times}, {"lanes", lanes}});
  }
  return {{"name", schedule.name},
          {"micro_batches", schedule.micro_batches},
          {"compute_share", schedule.compute_share},
          {"stages", stages}};
}

}  // namespace tokenomics
