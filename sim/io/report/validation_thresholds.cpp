#include <nlohmann/json.hpp>

#include "../scenario/document.hpp"
#include "../scenario/reporter.hpp"
#include "tokenomics/report/validation_report.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

template <typename T>
std::optional<T> optional_at(const json& object, const char* key) {
  return object.contains(key) ? std::optional(object[key].get<T>()) : std::nullopt;
}

GroupFilter filter_from(const json& where) {
  return {optional_at<std::string>(where, "model"),  optional_at<std::string>(where, "gpu"),
          optional_at<std::string>(where, "engine"), optional_at<std::string>(where, "precision"),
          optional_at<bool>(where, "drafts"),        optional_at<bool>(where, "disaggregated")};
}

ErrorGate gate_from(const json& file) {
  ErrorGate gate;
  if (file.contains("where")) gate.where = filter_from(file["where"]);
  for (const std::string& quantity : kErrorQuantities) {
    if (!file.contains(quantity)) continue;
    ErrorLimit limit{quantity, file[quantity]["median"].get<double>() / 100, optional_at<double>(file[quantity], "p90")};
    if (limit.p90) *limit.p90 /= 100;
    gate.limits.push_back(limit);
  }
  return gate;
}

}  // namespace

std::vector<ErrorGate> read_thresholds(const std::string& path, const Catalogue& catalogue) {
  const Document document = read_document(path);
  std::vector<Problem> problems = document.problems;
  const bool is_parsed = problems.empty() || !document.value.is_null();
  if (is_parsed) Reporter(document, problems).add_beneath(catalogue.check("thresholds", document.value));
  if (!problems.empty()) throw ScenarioError(problems);
  std::vector<ErrorGate> gates;
  for (const json& gate : document.value["gates"]) gates.push_back(gate_from(gate));
  return gates;
}

}  // namespace tokenomics
