#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "tokenomics/roofline/attention_core.hpp"
#include "tokenomics/roofline/layer_operators.hpp"
#include "tokenomics/roofline/overlap.hpp"

namespace tokenomics {

/// Layers that cost the same: a group of the network, or an MTP module.
struct LayerClass {
  LayerGroup group;
  double count = 0;
  [[nodiscard]] bool windowed() const { return group.window_tokens > 0; }
  [[nodiscard]] bool has_experts() const { return std::holds_alternative<MoeFfn>(group.ffn); }
};

/// The network's layers, alike ones together.
std::vector<LayerClass> main_layers(const Network& network);

/// Seconds of the operators of one micro-batch, summed by part.
PartTimes sum_by_part(const LayerOperators& operators, const std::vector<Operator>& list, double compute_share);

/// Time that one layer's attention core takes, for full and for windowed layers.
struct CoreLines {
  StepLine full;
  StepLine windowed;
};

/// Token counts at which times are tabulated: 1 to 16, then a ratio of 1.06 or less, the first 16 multiples of `tile`
/// among them: kernels fill tiles of rows there and jump behind.
class TokenNodes {
 public:
  struct Position {
    std::size_t row = 0;
    double share = 0;  ///< of the way to the next row; above 1 beyond the last
  };
  explicit TokenNodes(double largest, double tile = 64);
  /// tokens at least 1
  [[nodiscard]] Position find(double tokens) const {
    // Sign, exponent and five bits of the mantissa of the double number the bucket: no logarithm.
    const std::size_t bucket = bucket_of(tokens);
    std::size_t row = bucket < first_in_bucket_.size() ? first_in_bucket_[bucket] : values_.size() - 2;
    while (row + 2 < values_.size() && values_[row + 1] <= tokens) ++row;
    return {row, (tokens - values_[row]) * inverse_gap_[row]};
  }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }

 private:
  static std::size_t bucket_of(double tokens) { return (std::bit_cast<std::uint64_t>(tokens) >> 47) - kBucketOfOne; }
  static constexpr std::uint64_t kBucketOfOne = std::bit_cast<std::uint64_t>(1.0) >> 47;
  std::vector<double> values_;
  std::vector<double> inverse_gap_;
  std::vector<std::size_t> first_in_bucket_;  ///< last row at or below the bucket's lower end
};

/// Seconds of something outside the layers, as a function of tokens: exact at the nodes, linear between.
class TokenTable {
 public:
  template <class SecondsOfTokens>
  explicit TokenTable(SecondsOfTokens seconds) : nodes_(131072) {
    for (const double tokens : nodes_.values()) seconds_.push_back(seconds(tokens));
  }
  /// 0 without tokens; else of one at least.
  [[nodiscard]] double at(double tokens) const {
    if (tokens <= 0) return 0;
    const auto at = nodes_.find(tokens > 1 ? tokens : 1);
    return seconds_[at.row] + at.share * (seconds_[at.row + 1] - seconds_[at.row]);
  }

 private:
  TokenNodes nodes_;
  std::vector<double> seconds_;
};

/// Layers of a step under an overlap schedule, tabulated:
///   F = sum over stages of times * max over lanes of (a_lane(m) + b_lane(T) + c_lane * x)
/// with m tokens of the slowest rank and T tokens of the expert group in one micro-batch, x the core's time. a and b are
/// exact at their nodes and linear between (1..16, then a ratio of 1.06); F is exact and piecewise linear in x.
class LayerProgram {
 public:
  LayerProgram(const LayerOperators& operators, Phase phase, const OverlapSchedule& schedule,
               std::vector<LayerClass> classes);

  /// Seconds of all layers; m, T at least 1.
  [[nodiscard]] StepLine at(double rank_tokens, double group_tokens, const CoreLines& core) const;
  /// Kernels of all layers: what the host launches.
  [[nodiscard]] double kernels() const { return kernels_; }

 private:
  /// Times of a lane, in units of the step: already multiplied with layers and repetitions.
  struct Lane {
    double full = 0;      ///< how often the core of a full layer runs in it, more where SMs are given away
    double windowed = 0;  ///< ... of a windowed layer
  };
  /// Lanes first .. end of which the slowest counts.
  struct Race {
    std::size_t first = 0;
    std::size_t end = 0;
  };
  /// Which lane of the table a lane of a layout goes to.
  struct Target {
    std::size_t lane = 0;
    double weight = 1;
  };
  static double kernels_of(const LayerOperators& operators, Phase phase, const LayerClass& c);
  void lay_out(const LayerClass& c, const LayerLayout& layout, double compute_share);
  void tabulate(const LayerOperators& operators, Phase phase, double compute_share, const std::vector<LayerClass>& classes,
                const std::vector<LayerLayout>& layouts);
  void add_lanes(double* row, std::size_t& target, const LayerLayout& layout, const PartTimes& parts,
                 double sm_hold_s) const;

  std::vector<Lane> lanes_{1};  ///< the first: all stages that have one lane only, summed
  std::vector<Race> races_;
  std::vector<Target> targets_;  ///< in the order of classes, stages, lanes
  TokenNodes rank_nodes_;
  TokenNodes group_nodes_;
  std::vector<double> rank_rows_;   ///< [node][lane] seconds
  std::vector<double> group_rows_;  ///< [node][lane] seconds
  double constant_s_ = 0;
  double kernels_ = 0;
};

}  // namespace tokenomics
