#include "point_files.hpp"

#include <iterator>

namespace tokenomics::cli {

ValidationInputs point_inputs(const Options& options) {
  return {options.arguments(), options.texts("flags"), options.text("calibration").value_or("")};
}

std::vector<MeasuredPoint> measured_points(const ValidationInputs& inputs) {
  std::vector<MeasuredPoint> points;
  for (const std::string& file : inputs.points) {
    std::vector<MeasuredPoint> more = read_measured_points(file);
    std::move(more.begin(), more.end(), std::back_inserter(points));
  }
  relabel_drafts(points);
  for (const std::string& file : inputs.flags) join_flags(points, file);
  return points;
}

BenchmarkSet benchmark_set(const std::vector<MeasuredPoint>& measured, const Catalogue& catalogue) {
  const BenchmarkRules rules;
  std::vector<BenchmarkPoint> points;
  for (const MeasuredPoint& point : measured) points.push_back(benchmark_point(point, catalogue, rules));
  return {std::move(points), rules};
}

}  // namespace tokenomics::cli
