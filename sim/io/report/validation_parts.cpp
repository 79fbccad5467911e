#include "validation_parts.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "number_format.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

std::string in_one_line(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, "; ");
  return text;
}

/// The text with every free-standing number replaced by one sign: "12 requests do not fit" and "7 requests do not fit" are
/// one reason, Qwen3-8B and Qwen3-32B are not.
std::string without_numbers(const std::string& text) {
  std::string kept, word;
  for (const char c : text + ' ') {
    if (c != ' ') {
      word += c;
      continue;
    }
    kept += word.find_first_not_of("0123456789.,") == std::string::npos ? "#" : word;
    kept += ' ';
    word.clear();
  }
  return kept;
}

constexpr const char* kRelabelled = "taken as run with drafts: the same run or day of another export has them";

ordered_json percent_of(const std::optional<double>& share) { return share ? tidy(100 * *share) : ordered_json(nullptr); }

struct Predicted {
  std::optional<double> tok_s_per_gpu, tpot_ms, ttft_s;
};

/// Medians or means, as was measured.
Predicted predicted_of(const MeasuredPoint& m, const std::optional<Prediction>& p) {
  if (!p) return {};
  return {p->tok_s_per_gpu, m.tpot_is_mean ? p->tpot_ms_mean : p->tpot_ms_median,
          m.ttft_is_mean ? p->ttft_s_mean : p->ttft_s_median};
}

}  // namespace

std::string outcome_of(const ValidatedPoint& point) {
  if (point.invalid) return "invalid";
  if (!point.prediction) return "infeasible";
  return point.relabelled ? "relabelled" : "predicted";
}

std::string nearness_of(const BenchmarkPoint& point, const ValidationInputs& inputs) {
  if (point.calibration.name.empty()) return "";
  return inputs.calibration.empty() ? std::string(name_of(point.calibration.fit)) : "given";
}

std::vector<ReasonCount> reasons_of(const BenchmarkSet& set, const Validation& validation) {
  std::vector<ReasonCount> reasons;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const ValidatedPoint& v : validation.points) {
    const std::string outcome = outcome_of(v);
    if (outcome == "predicted") continue;
    const std::string reason = outcome == "relabelled" ? kRelabelled : in_one_line(v.reason);
    const auto [place, is_new] = places.try_emplace({outcome, without_numbers(reason)}, reasons.size());
    const MeasuredPoint& m = *set.points()[v.point].measured;
    if (is_new) reasons.push_back({outcome, reason, 0, fmt::format("{}:{}", m.file, m.line)});
    ++reasons[place->second].points;
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const ReasonCount& a, const ReasonCount& b) { return a.points > b.points; });
  return reasons;
}

std::vector<CalibrationUse> calibrations_of(const BenchmarkSet& set, const Validation& validation,
                                            const ValidationInputs& inputs) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::size_t> counts;
  for (const ValidatedPoint& v : validation.points) {
    const BenchmarkPoint& point = set.points()[v.point];
    const std::string nearness = nearness_of(point, inputs);
    if (nearness.empty() || !v.prediction) continue;
    ++counts[{point.measured->gpu, point.measured->engine(), v.calibration, nearness}];
  }
  std::vector<CalibrationUse> uses;
  for (const auto& [key, points] : counts)
    uses.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key), points});
  return uses;
}

ordered_json prediction_row(const BenchmarkSet& set, const ValidatedPoint& v, const ValidationInputs& inputs) {
  const BenchmarkPoint& point = set.points()[v.point];
  const MeasuredPoint& m = *point.measured;
  const Predicted predicted = predicted_of(m, v.prediction);
  return {{"file", m.file},
          {"line", m.line},
          {"model", m.model},
          {"gpu", m.gpu},
          {"framework", m.framework},
          {"precision", m.precision},
          {"drafts", m.drafts},
          {"disaggregated", m.disaggregated()},
          {"isl", m.input_tokens},
          {"osl", m.output_tokens},
          {"concurrency", m.concurrency},
          {"num_gpus", m.gpus},
          {"date", m.date},
          {"measured_tok_s_per_gpu", tidy(m.tok_s_per_gpu)},
          {"predicted_tok_s_per_gpu", tidy(predicted.tok_s_per_gpu)},
          {"error_tok_s_per_gpu_percent", percent_of(v.errors.tok_s_per_gpu)},
          {"tok_s_per_gpu_is_derived", m.throughput == ThroughputKind::DerivedFromLatency},
          {"measured_tpot_ms", tidy(m.tpot_ms)},
          {"predicted_tpot_ms", tidy(predicted.tpot_ms)},
          {"error_tpot_percent", percent_of(v.errors.tpot)},
          {"measured_ttft_s", tidy(m.ttft_s)},
          {"predicted_ttft_s", tidy(predicted.ttft_s)},
          {"error_ttft_percent", percent_of(v.errors.ttft)},
          {"calibration", v.calibration},
          {"calibration_fit", nearness_of(point, inputs)},
          {"outcome", outcome_of(v)},
          {"reason", in_one_line(v.reason)}};
}

}  // namespace tokenomics
