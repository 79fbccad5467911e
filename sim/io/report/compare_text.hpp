#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokenomics/study/compare.hpp"

namespace tokenomics {

/// A finding's parts, ready to be written.
struct FindingParts {
  const char* kind;                  ///< "moved", "missing_point" ...
  std::vector<std::string> axes;     ///< values in the order of the axes; empty for a column
  std::string metric;                ///< empty for a point that is missing or extra
  nlohmann::ordered_json base, now;  ///< number, text or null
  std::optional<double> change;      ///< (new - base) / |base|
};
FindingParts parts_of(const Comparison& comparison, const Finding& finding);

/// What a point of a frontier was asked: context, interactivity, TTFT; nothing for other results.
struct AskedPoint {
  double context, interactivity, ttft;
};
std::optional<AskedPoint> asked_point(const Comparison& comparison, const Finding& finding);

/// "isl=1024, hardware=h100-sxm"; "the run" where there are no axes.
std::string curve_name(const Comparison& comparison, const ComparedCurve& curve);
/// "concurrency=4": where on its curve a finding lies; empty where a curve is one point.
std::string place_on_curve(const Comparison& comparison, const Finding& finding);
/// "concurrency=4: latency.ttft_s.p90 0.3 -> 0.35, +16.7% (allowed 1%)", without the curve.
std::string sentence(const Comparison& comparison, const Finding& finding);

/// For people: four digits, "-" for null.
std::string value_text(const nlohmann::ordered_json& value);
/// "+16.7%"; "-" for nothing.
std::string change_text(const std::optional<double>& change);
/// "1%", "1% + 0.5", "0.5".
std::string tolerance_text(const Tolerance& tolerance);

/// The curve's findings are findings[first] to findings[first + count - 1].
struct FindingRange {
  std::size_t first = 0, count = 0;
};
/// Those of columns, which stand first.
FindingRange column_findings(const Comparison& comparison);
/// Sentences of a range, each on its line, at most `most`; then how many more.
std::string sentences(const Comparison& comparison, const FindingRange& range, std::size_t most);

inline constexpr std::size_t kMostFindingsShown = 40;
inline constexpr const char* kColumnsName = "columns";  ///< stands for a curve where columns are missing or extra

}  // namespace tokenomics
