#include "tokenomics/roofline/layer_program.hpp"

#include <algorithm>

namespace tokenomics {
namespace {

constexpr double kRatio = 1.06;
constexpr int kDense = 16;
constexpr double kTile = 64;
constexpr double kLastTile = 1024;
constexpr double kLargestRankTokens = 131072;  // of one micro-batch; linear beyond

bool alike(const LayerGroup& a, const LayerGroup& b) {
  if ((a.window_tokens > 0) != (b.window_tokens > 0) || a.ffn.index() != b.ffn.index()) return false;
  const auto* dense = std::get_if<DenseFfn>(&a.ffn);
  return dense == nullptr || dense->intermediate == std::get<DenseFfn>(b.ffn).intermediate;
}

}  // namespace

std::vector<LayerClass> main_layers(const Network& network) {
  std::vector<LayerClass> classes;
  for (const LayerGroup& group : network.layers) {
    const auto same = std::find_if(classes.begin(), classes.end(), [&](const LayerClass& c) { return alike(c.group, group); });
    if (same == classes.end()) {
      classes.push_back({group, static_cast<double>(group.count)});
    } else {
      same->count += group.count;
    }
  }
  return classes;
}

LayerClass draft_layer(const Network& network) {
  LayerClass found{network.layers.back(), 1};
  for (const LayerGroup& group : network.layers) {
    if (std::holds_alternative<MoeFfn>(group.ffn)) found.group = group;
  }
  return found;
}

PartTimes sum_by_part(const LayerOperators& operators, const std::vector<Operator>& list, double compute_share) {
  PartTimes times;
  for (const Operator& op : list) {
    const auto part = static_cast<std::size_t>(op.part);
    times.alone[part] += operators.seconds(op);
    times.slowed[part] += operators.seconds(op, compute_share);
  }
  return times;
}

TokenNodes::TokenNodes(double largest) {
  for (int i = 1; i <= kDense; ++i) values_.push_back(i);
  double next_tile = kTile;
  while (values_.back() < largest) {
    double next = values_.back() * kRatio;
    if (next_tile <= kLastTile && next >= next_tile) next = next_tile;
    if (next == next_tile) next_tile += kTile;
    values_.push_back(next);
  }
  for (std::size_t i = 0; i + 1 < values_.size(); ++i) inverse_gap_.push_back(1.0 / (values_[i + 1] - values_[i]));
  std::size_t row = 0;
  const std::size_t buckets = bucket_of(values_.back()) + 1;
  for (std::size_t b = 0; b < buckets; ++b) {
    const double low = std::bit_cast<double>((b + kBucketOfOne) << 47);
    while (row + 2 < values_.size() && values_[row + 1] <= low) ++row;
    first_in_bucket_.push_back(row);
  }
}

LayerProgram::LayerProgram(const LayerOperators& operators, Phase phase, const OverlapSchedule& schedule,
                           std::vector<LayerClass> classes)
    : rank_nodes_(kLargestRankTokens), group_nodes_(kLargestRankTokens * operators.plan().parallelism.attention_dp) {
  std::vector<LayerLayout> layouts;
  lay_out(schedule, classes, layouts);
  tabulate(operators, phase, schedule.compute_share, classes, layouts);
  for (const LayerClass& c : classes) constant_s_ += c.count * operators.calibration().layer_overhead_us.value * 1e-6;
}

void LayerProgram::lay_out(const OverlapSchedule& schedule, const std::vector<LayerClass>& classes, std::vector<LayerLayout>& layouts) {
  for (const LayerClass& c : classes) {
    layouts.push_back(layout_of(schedule, c.has_experts()));
    for (const auto& stage : layouts.back().stages) {
      stages_.push_back({c.count * stage.times, lanes_.size(), stage.lanes.size()});
      for (const auto& lane : stage.lanes) {
        const double cores = lane.count[static_cast<std::size_t>(LayerPart::AttentionCore)];
        lanes_.push_back({lane.slowed ? cores / schedule.compute_share : cores, c.windowed()});
      }
    }
  }
}

void LayerProgram::tabulate(const LayerOperators& operators, Phase phase, double compute_share, const std::vector<LayerClass>& classes,
                            const std::vector<LayerLayout>& layouts) {
  const double hold = operators.sm_hold_s();
  for (const double m : rank_nodes_.values()) {
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const PartTimes parts = sum_by_part(operators, operators.rank_operators(classes[c].group, phase, m), compute_share);
      for (const auto& stage : layouts[c].stages) {
        for (const auto& lane : stage.lanes) rank_rows_.push_back(lane_time(lane, parts, hold));
      }
    }
  }
  if (operators.experts() == nullptr) return;
  for (const double t : group_nodes_.values()) {
    const PartTimes parts = sum_by_part(operators, operators.expert_operators(t), compute_share);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      for (const auto& stage : layouts[c].stages) {
        for (const auto& lane : stage.lanes) {
          group_rows_.push_back(classes[c].has_experts() ? lane_time(lane, parts, 0) : 0.0);
        }
      }
    }
  }
}

StepLine LayerProgram::stage_at(const Stage& stage, TokenNodes::Position m, TokenNodes::Position t, const CoreLines& core) const {
  const std::size_t width = lanes_.size();
  const double* rank = rank_rows_.data() + m.row * width;
  const double* group = group_rows_.empty() ? nullptr : group_rows_.data() + t.row * width;
  StepLine slowest{-1, 0};
  for (std::size_t i = stage.first_lane; i < stage.first_lane + stage.lanes; ++i) {
    StepLine lane = lanes_[i].core * (lanes_[i].windowed ? core.windowed : core.full);
    lane.value += rank[i] + m.share * (rank[i + width] - rank[i]);
    if (group != nullptr) lane.value += group[i] + t.share * (group[i + width] - group[i]);
    if (slowest.value < 0) {
      slowest = lane;
      continue;
    }
    // The slower lane now; the run ends where the other one overtakes it.
    const bool other = lane.value > slowest.value || (lane.value == slowest.value && lane.slope > slowest.slope);
    const StepLine& up = other ? lane : slowest;
    const StepLine& low = other ? slowest : lane;
    double span = std::min(up.span, low.span);
    if (low.slope > up.slope) span = std::min(span, (up.value - low.value) / (low.slope - up.slope));
    slowest = {up.value, up.slope, span};
  }
  return stage.weight * slowest;
}

StepLine LayerProgram::at(double rank_tokens, double group_tokens, const CoreLines& core) const {
  const TokenNodes::Position m = rank_nodes_.find(std::max(1.0, rank_tokens));
  const TokenNodes::Position t = group_rows_.empty() ? TokenNodes::Position{} : group_nodes_.find(std::max(1.0, group_tokens));
  StepLine total{constant_s_, 0};
  for (const Stage& stage : stages_) total += stage_at(stage, m, t, core);
  return total;
}

}  // namespace tokenomics
