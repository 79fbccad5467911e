#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/study/benchmark_set.hpp"

namespace tokenomics {

/// Signed relative errors of one point: predicted / measured - 1. Nothing where the row has no such measurement.
struct PointErrors {
  std::optional<double> tok_s_per_gpu;
  std::optional<double> tpot;
  std::optional<double> ttft;
};

/// A point and what was predicted. What cannot be run has errors of -1 (100%) and a reason; what is no sound measurement
/// has a reason and no errors.
struct ValidatedPoint {
  std::size_t point = 0;  ///< place in the set
  std::optional<Prediction> prediction;
  PointErrors errors;
  std::string reason;
  bool invalid = false;     ///< the row itself says nothing
  std::string calibration;  ///< that it was predicted with
  bool relabelled = false;  ///< taken as a run with drafts, against its label
};

/// Absolute errors of many points: their median and 90th percentile, and the median of the signed ones. No points: zeros.
struct ErrorStatistics {
  std::size_t points = 0;
  double median = 0;
  double p90 = 0;
  double bias = 0;
};
ErrorStatistics statistics_of_errors(std::vector<double> errors);

/// What rows of a group have in common.
struct GroupKey {
  std::string model, gpu, engine, precision;
  bool drafts = false;
  bool disaggregated = false;
  auto operator<=>(const GroupKey&) const = default;
};
GroupKey group_of(const MeasuredPoint& point);

struct GroupErrors {
  GroupKey key;
  std::size_t points = 0;      ///< sound rows
  std::size_t infeasible = 0;  ///< of them, that could not be run
  std::size_t skipped = 0;     ///< rows that are no sound measurement
  ErrorStatistics tok_s_per_gpu, tpot, ttft;
  ErrorStatistics tok_s_per_gpu_derived;  ///< throughput that the export computed from latencies
};

/// Errors of groups, of everything pooled, of DeepSeek's networks alone, and the mean over GPU x engine x network of their
/// medians and 90th percentiles.
struct Validation {
  std::vector<ValidatedPoint> points;
  std::vector<GroupErrors> groups;
  GroupErrors all, deepseek;
  ErrorStatistics macro_tok_s_per_gpu, macro_tpot, macro_ttft;  ///< `points`: groups
};

/// The calibration that a point is predicted with.
using CalibrationOf = std::function<const Calibration*(std::size_t point)>;

/// Predicts every point of the set.
Validation validate(const BenchmarkSet& set, const CalibrationOf& calibration_of, unsigned jobs,
                    const std::function<void(double)>& progress = {});

/// Groups and totals of points that were predicted elsewhere (cross-validation).
Validation summed_up(const BenchmarkSet& set, std::vector<ValidatedPoint> points);

/// Errors of one answer.
ValidatedPoint compared(const BenchmarkSet& set, std::size_t point, const BenchmarkSet::Answer& answer,
                        const std::string& calibration);

}  // namespace tokenomics
