#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tokenomics/study/system_fit.hpp"

namespace tokenomics {
namespace {

std::string fold_of(const BenchmarkPoint& point, FoldKind kind) {
  const MeasuredPoint& m = *point.measured;
  if (kind == FoldKind::Gpu) return point.hardware;
  return kind == FoldKind::Network ? point.network : fmt::format("{}/{}", m.input_tokens, m.output_tokens);
}

}  // namespace

Validation cross_validate(const BenchmarkSet& set, const SystemFitter& fitter, FoldKind kind,
                          const std::vector<std::size_t>& points, unsigned jobs) {
  std::map<std::string, std::vector<std::size_t>> folds;
  for (const std::size_t i : points) folds[fold_of(set.points()[i], kind)].push_back(i);
  const std::vector<std::size_t> usable = fitter.usable();
  std::vector<ValidatedPoint> validated;
  for (const auto& [fold, left_out] : folds) {
    std::vector<std::size_t> others;
    for (const std::size_t i : points) {
      const bool may_be_fitted = std::binary_search(usable.begin(), usable.end(), i);
      if (may_be_fitted && fold_of(set.points()[i], kind) != fold) others.push_back(i);
    }
    const HierarchyFit fit = fitter.fit(others);
    std::vector<BenchmarkSet::Task> tasks;
    std::vector<const SystemFit*> with;
    for (const std::size_t i : left_out) {
      const SystemFit* nearest = fit.nearest(set.points()[i]);
      with.push_back(nearest);
      if (nearest != nullptr) tasks.push_back({i, &nearest->calibration});
    }
    const auto answers = set.predict(tasks, jobs);
    for (std::size_t k = 0, t = 0; k < left_out.size(); ++k) {
      const bool has_calibration = with[k] != nullptr;
      const BenchmarkSet::Answer none{std::nullopt, "no other point of this family and engine"};
      validated.push_back(compared(set, left_out[k], has_calibration ? answers[t++] : none,
                                   has_calibration ? with[k]->calibration.name : ""));
    }
  }
  return summed_up(set, std::move(validated));
}

}  // namespace tokenomics
