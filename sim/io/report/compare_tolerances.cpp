#include <nlohmann/json.hpp>

#include "../scenario/document.hpp"
#include "../scenario/reporter.hpp"
#include "tokenomics/report/compare_report.hpp"

namespace tokenomics {
namespace {

Tolerance tolerance_from(const nlohmann::json& file) {
  const Tolerance otherwise;
  return {file.value("relative", otherwise.relative), file.value("absolute", otherwise.absolute)};
}

}  // namespace

CompareRules read_tolerances(const std::string& path, const Catalogue& catalogue) {
  const Document document = read_document(path);
  std::vector<Problem> problems = document.problems;
  const bool is_parsed = problems.empty() || !document.value.is_null();
  if (is_parsed) Reporter(document, problems).add_beneath(catalogue.check("tolerances", document.value));
  if (!problems.empty()) throw ScenarioError(problems);
  CompareRules rules;
  const nlohmann::json& file = document.value;
  if (file.contains("default")) rules.otherwise = tolerance_from(file["default"]);
  if (file.contains("metrics")) {
    for (const auto& [pattern, tolerance] : file["metrics"].items())
      rules.metrics.push_back({{pattern, path}, tolerance_from(tolerance)});
  }
  if (file.contains("ignore")) {
    for (const nlohmann::json& pattern : file["ignore"]) rules.ignore.push_back({pattern.get<std::string>(), path});
  }
  return rules;
}

}  // namespace tokenomics
