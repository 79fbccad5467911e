#include "tokenomics/study/validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "tokenomics/base/statistics.hpp"

namespace tokenomics {
namespace {

bool is_deepseek(const MeasuredPoint& m) { return m.model.starts_with("DeepSeek") || m.model.starts_with("deepseek"); }

double relative(double predicted, double measured) { return predicted / measured - 1; }

PointErrors errors_of(const MeasuredPoint& m, const std::optional<Prediction>& p) {
  PointErrors errors;
  if (m.tok_s_per_gpu) errors.tok_s_per_gpu = p ? relative(p->tok_s_per_gpu, *m.tok_s_per_gpu) : -1;
  if (m.tpot_ms) errors.tpot = p ? relative(m.tpot_is_mean ? p->tpot_ms_mean : p->tpot_ms_median, *m.tpot_ms) : -1;
  if (m.ttft_s) errors.ttft = p ? relative(m.ttft_is_mean ? p->ttft_s_mean : p->ttft_s_median, *m.ttft_s) : -1;
  return errors;
}

/// Errors of a group, before they are summed up.
struct Errors {
  std::size_t points = 0, infeasible = 0, skipped = 0;
  std::vector<double> tok_s_per_gpu, derived, tpot, ttft;

  void add(const MeasuredPoint& m, const ValidatedPoint& v) {
    if (v.invalid) {
      ++skipped;
      return;
    }
    ++points;
    if (!v.prediction) ++infeasible;
    auto& throughput = m.throughput == ThroughputKind::Measured ? tok_s_per_gpu : derived;
    if (v.errors.tok_s_per_gpu) throughput.push_back(*v.errors.tok_s_per_gpu);
    if (v.errors.tpot) tpot.push_back(*v.errors.tpot);
    if (v.errors.ttft) ttft.push_back(*v.errors.ttft);
  }
  [[nodiscard]] GroupErrors summed(const GroupKey& key) const {
    return {key,
            points,
            infeasible,
            skipped,
            statistics_of_errors(tok_s_per_gpu),
            statistics_of_errors(tpot),
            statistics_of_errors(ttft),
            statistics_of_errors(derived)};
  }
};

/// Mean over groups that have points.
class Macro {
 public:
  void add(const ErrorStatistics& group) {
    if (group.points == 0) return;
    ++sum_.points;
    sum_.median += group.median;
    sum_.p90 += group.p90;
    sum_.bias += group.bias;
  }
  [[nodiscard]] ErrorStatistics mean() const {
    if (sum_.points == 0) return {};
    const auto n = static_cast<double>(sum_.points);
    return {sum_.points, sum_.median / n, sum_.p90 / n, sum_.bias / n};
  }

 private:
  ErrorStatistics sum_;
};

}  // namespace

ErrorStatistics statistics_of_errors(std::vector<double> errors) {
  if (errors.empty()) return {};
  std::vector<double> absolute;
  for (const double error : errors) absolute.push_back(std::abs(error));
  return {errors.size(), quantile_of(absolute, 0.5), quantile_of(absolute, 0.9), quantile_of(errors, 0.5)};
}

GroupKey group_of(const MeasuredPoint& point) {
  return {point.model, point.gpu, point.engine(), point.precision, point.drafts, point.disaggregated()};
}

ValidatedPoint compared(const BenchmarkSet& set, std::size_t point, const BenchmarkSet::Answer& answer,
                        const std::string& calibration) {
  const MeasuredPoint& m = *set.points()[point].measured;
  ValidatedPoint v;
  v.point = point;
  v.reason = answer.reason;
  v.calibration = calibration;
  v.relabelled = m.relabelled;
  v.invalid = !m.invalid.empty();
  if (v.invalid) return v;
  v.prediction = answer.prediction;
  v.errors = errors_of(m, answer.prediction);
  return v;
}

Validation summed_up(const BenchmarkSet& set, std::vector<ValidatedPoint> points) {
  std::map<GroupKey, Errors> groups;
  std::map<std::tuple<std::string, std::string, std::string>, Errors> broad;  // GPU, engine, network
  Errors all, deepseek;
  for (const ValidatedPoint& v : points) {
    const MeasuredPoint& m = *set.points()[v.point].measured;
    groups[group_of(m)].add(m, v);
    const std::string& network = set.points()[v.point].network;
    broad[{m.gpu, m.engine(), network.empty() ? m.model : network}].add(m, v);
    all.add(m, v);
    if (is_deepseek(m)) deepseek.add(m, v);
  }
  Validation result;
  result.points = std::move(points);
  for (const auto& [key, errors] : groups) result.groups.push_back(errors.summed(key));
  result.all = all.summed({});
  result.deepseek = deepseek.summed({});
  Macro tok, tpot, ttft;
  for (const auto& [key, errors] : broad) {
    const GroupErrors sums = errors.summed({});
    tok.add(sums.tok_s_per_gpu);
    tpot.add(sums.tpot);
    ttft.add(sums.ttft);
  }
  result.macro_tok_s_per_gpu = tok.mean();
  result.macro_tpot = tpot.mean();
  result.macro_ttft = ttft.mean();
  return result;
}

Validation validate(const BenchmarkSet& set, const CalibrationOf& calibration_of, unsigned jobs,
                    const std::function<void(double)>& progress) {
  std::vector<BenchmarkSet::Task> tasks;
  for (std::size_t i = 0; i < set.points().size(); ++i) tasks.push_back({i, calibration_of(i)});
  const auto answers = set.predict(tasks, jobs, progress);
  std::vector<ValidatedPoint> points;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    points.push_back(compared(set, i, answers[i], tasks[i].calibration != nullptr ? tasks[i].calibration->name : ""));
  }
  return summed_up(set, std::move(points));
}

}  // namespace tokenomics
