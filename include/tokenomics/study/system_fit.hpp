#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tokenomics/base/least_squares.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/study/system_parameters.hpp"
#include "tokenomics/study/validation.hpp"

namespace tokenomics {

struct FitSettings {
  double ttft_weight = 0.35;    ///< of a first token's error beside those of speed and throughput, which repeat better
  double soft = 0.05;           ///< log errors beyond it count by size, not by square
  double gpu_spread = 0.5;      ///< how far a GPU under an engine lies from its family, in spreads of the parameters
  double version_spread = 0.4;  ///< how far a version lies from its GPU and engine
  int most_iterations = 8;
  std::size_t most_points = 100;  ///< of different runs in one fit; more are thinned out evenly
  unsigned jobs = 1;
  std::function<void(const std::string& what)> progress;  ///< told each fit as it begins
};

enum class FitLevel { Family, Gpu, Version, Few };
std::string_view name_of(FitLevel level);

/// The nine numbers of one place in the hierarchy.
struct SystemFit {
  FitLevel level = FitLevel::Family;
  std::string key;  ///< "Hopper sglang", "h200-sxm sglang", "h200-sxm sglang 2026-03-07"
  std::vector<std::size_t> points;
  FitResult numbers;  ///< in the order of system_parameters()
  Calibration calibration;
  ErrorStatistics tok_s_per_gpu, tpot, ttft;  ///< of these points, with these numbers
};

/// Fits of all families, GPUs and versions that points speak for, each with its parent's numbers as prior.
struct HierarchyFit {
  std::vector<SystemFit> fits;
  /// The nearest calibration to a point: its version, GPU and engine, family and engine; null where there is none.
  [[nodiscard]] const SystemFit* nearest(const BenchmarkPoint& point) const;
};

/// Where a point stands in the hierarchy. The version is the run of days without a gap of three weeks that its date lies
/// in, over all points of the set of its GPU and engine; empty without a date.
struct FitPlace {
  std::string family, gpu, version;  ///< keys as in SystemFit
};

class SystemFitter {
 public:
  SystemFitter(const BenchmarkSet& set, const Catalogue& catalogue, FitSettings settings);

  /// Fits on those points; others are not looked at.
  [[nodiscard]] HierarchyFit fit(const std::vector<std::size_t>& points) const;
  /// One fit of few points of one GPU and engine: the catalogue's calibration is the prior, the noise of a measurement is
  /// taken as known (5%), so that two points move what they speak for.
  [[nodiscard]] SystemFit fit_few(const std::vector<std::size_t>& points) const;
  [[nodiscard]] const FitPlace& place(std::size_t point) const { return places_[point]; }
  /// Points that may be fitted: sound, measured, runnable, and not a queue in front of a saturated prefill pool.
  [[nodiscard]] std::vector<std::size_t> usable() const;

 private:
  struct Prior {
    const Calibration* calibration = nullptr;  ///< null: the parameters' guesses
    double spread = 1;
    double noise_rows = 20;
  };
  [[nodiscard]] SystemFit fit_one(FitLevel level, const std::string& key, const std::vector<std::size_t>& points,
                                  const Calibration& base, const Prior& prior) const;
  [[nodiscard]] std::vector<std::size_t> thinned(const std::vector<std::size_t>& points) const;

  const BenchmarkSet& set_;
  const Catalogue& catalogue_;
  FitSettings settings_;
  std::vector<FitPlace> places_;
};

/// Whole folds that a cross-validation leaves out.
enum class FoldKind { Shape, Network, Gpu };
/// Predicts each point of `tested` with fits that never saw its fold: all points of its shape (input and output length),
/// network or GPU are left out, in whichever file they stand.
Validation cross_validate(const BenchmarkSet& set, const SystemFitter& fitter, FoldKind kind,
                          const std::vector<std::size_t>& points, unsigned jobs);

}  // namespace tokenomics
