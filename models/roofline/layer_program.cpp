#include "tokenomics/roofline/layer_program.hpp"

#include <algorithm>
#include <cmath>

namespace tokenomics {
namespace {

constexpr double kRatio = 1.06;
constexpr int kDense = 16;
constexpr int kTiles = 16;
constexpr double kLargestRankTokens = 131072;  // of one micro-batch; linear beyond

bool alike(const LayerGroup& a, const LayerGroup& b) {
  if ((a.window_tokens > 0) != (b.window_tokens > 0) || a.ffn.index() != b.ffn.index()) return false;
  const auto* dense = std::get_if<DenseFfn>(&a.ffn);
  return dense == nullptr || dense->intermediate == std::get<DenseFfn>(b.ffn).intermediate;
}

/// Tokens of the group that give every expert one more tile of rows.
double group_tile(const LayerOperators& operators) {
  const MoeFfn* moe = operators.plan().network.moe();
  const double tile = operators.timer().tile(KernelFamily::GroupedGemm);
  return moe == nullptr ? tile : tile * moe->routed_experts / moe->experts_per_token;
}

}  // namespace

std::vector<LayerClass> main_layers(const Network& network) {
  std::vector<LayerClass> classes;
  for (const LayerGroup& group : network.layers) {
    const auto same =
        std::find_if(classes.begin(), classes.end(), [&](const LayerClass& c) { return alike(c.group, group); });
    if (same == classes.end()) {
      classes.push_back({group, static_cast<double>(group.count)});
    } else {
      same->count += group.count;
    }
  }
  return classes;
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

TokenNodes::TokenNodes(double largest, double tile) {
  for (int i = 1; i <= kDense; ++i) values_.push_back(i);
  const double last_tile = kTiles * tile;
  double next_tile = tile;
  while (values_.back() < largest) {
    double next = values_.back() * kRatio;
    while (next_tile <= std::min(values_.back(), last_tile)) next_tile += tile;
    if (next_tile <= last_tile) next = std::min(next, next_tile);
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
    : rank_nodes_(kLargestRankTokens),
      group_nodes_(kLargestRankTokens * operators.plan().parallelism.token_ranks(), group_tile(operators)) {
  std::vector<LayerLayout> layouts;
  for (const LayerClass& c : classes) {
    layouts.push_back(layout_of(schedule, c.has_experts()));
    lay_out(c, layouts.back(), schedule.compute_share);
    constant_s_ += c.count * operators.calibration().layer_overhead_us.value * 1e-6;
    kernels_ += c.count * kernels_of(operators, phase, c);
  }
  tabulate(operators, phase, schedule.compute_share, classes, layouts);
}

double LayerProgram::kernels_of(const LayerOperators& operators, Phase phase, const LayerClass& c) {
  const auto count = [](const auto& list) {
    double kernels = 0;
    for (const Operator& op : list) kernels += op.work.kernels;
    return kernels;
  };
  double kernels = count(operators.rank_operators(c.group, phase, 1));
  if (c.has_experts()) kernels += count(operators.expert_operators(1));
  if (phase != Phase::Prefill) ++kernels;  // the core of decode
  if (phase != Phase::Decode) kernels += count(operators.prompt_core(c.windowed(), {1, 1, 1, 0, 1}));
  return kernels;
}

void LayerProgram::lay_out(const LayerClass& c, const LayerLayout& layout, double compute_share) {
  for (const auto& stage : layout.stages) {
    const bool race = stage.lanes.size() > 1;
    if (race) races_.push_back({lanes_.size(), lanes_.size() + stage.lanes.size()});
    for (const auto& lane : stage.lanes) {
      const double weight = c.count * stage.times;
      if (race) lanes_.emplace_back();
      const std::size_t target = race ? lanes_.size() - 1 : 0;
      targets_.push_back({target, weight});
      const double cores = lane.count[static_cast<std::size_t>(LayerPart::AttentionCore)] * weight;
      (c.windowed() ? lanes_[target].windowed : lanes_[target].full) += lane.slowed ? cores / compute_share : cores;
    }
  }
}

void LayerProgram::add_lanes(double* row, std::size_t& target, const LayerLayout& layout, const PartTimes& parts,
                             double sm_hold_s) const {
  for (const auto& stage : layout.stages) {
    for (const auto& lane : stage.lanes) {
      const Target& to = targets_[target++];
      row[to.lane] += to.weight * lane_time(lane, parts, sm_hold_s);
    }
  }
}

void LayerProgram::tabulate(const LayerOperators& operators, Phase phase, double compute_share,
                            const std::vector<LayerClass>& classes, const std::vector<LayerLayout>& layouts) {
  rank_rows_.assign(rank_nodes_.values().size() * lanes_.size(), 0.0);
  double* row = rank_rows_.data();
  for (const double m : rank_nodes_.values()) {
    std::size_t target = 0;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const PartTimes parts = sum_by_part(operators, operators.rank_operators(classes[c].group, phase, m), compute_share);
      add_lanes(row, target, layouts[c], parts, operators.sm_hold_s());
    }
    row += lanes_.size();
  }
  if (operators.experts() == nullptr) return;
  group_rows_.assign(group_nodes_.values().size() * lanes_.size(), 0.0);
  row = group_rows_.data();
  for (const double t : group_nodes_.values()) {
    const PartTimes experts = sum_by_part(operators, operators.expert_operators(t), compute_share);
    std::size_t target = 0;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      add_lanes(row, target, layouts[c], classes[c].has_experts() ? experts : PartTimes{}, 0);
    }
    row += lanes_.size();
  }
}

StepLine LayerProgram::at(double rank_tokens, double group_tokens, const CoreLines& core) const {
  const std::size_t width = lanes_.size();
  const TokenNodes::Position m = rank_nodes_.find(rank_tokens > 1 ? rank_tokens : 1);
  const double* rank = rank_rows_.data() + m.row * width;
  const double* group = nullptr;
  TokenNodes::Position t;
  if (!group_rows_.empty()) {
    t = group_nodes_.find(group_tokens > 1 ? group_tokens : 1);
    group = group_rows_.data() + t.row * width;
  }
  const auto value_of = [&](std::size_t i) {
    double value = rank[i] + m.share * (rank[i + width] - rank[i]) + lanes_[i].full * core.full.value +
                   lanes_[i].windowed * core.windowed.value;
    if (group != nullptr) value += group[i] + t.share * (group[i + width] - group[i]);
    return value;
  };
  const auto slope_of = [&](std::size_t i) {
    return lanes_[i].full * core.full.slope + lanes_[i].windowed * core.windowed.slope;
  };

  StepLine total{constant_s_ + value_of(0), slope_of(0), std::min(core.full.span, core.windowed.span)};
  for (const Race& race : races_) {
    double value = value_of(race.first);
    double slope = slope_of(race.first);
    for (std::size_t i = race.first + 1; i < race.end; ++i) {
      const double other = value_of(i);
      const double other_slope = slope_of(i);
      const bool slower = other > value || (other == value && other_slope > slope);
      // The run ends where the lane that is faster now overtakes the other.
      const double gains = slower ? slope - other_slope : other_slope - slope;
      if (gains > 0) total.span = std::min(total.span, std::abs(other - value) / gains);
      if (slower) {
        value = other;
        slope = other_slope;
      }
    }
    total.value += value;
    total.slope += slope;
  }
  return total;
}

}  // namespace tokenomics
