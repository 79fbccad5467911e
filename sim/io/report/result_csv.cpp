#include <fmt/format.h>
#include <fmt/ranges.h>

#include "csv.hpp"
#include "tokenomics/report/run_report.hpp"

namespace tokenomics {

std::string result_csv(const RunResult& result, const ReportOptions& options) {
  ReportOptions without_scenario = options;
  without_scenario.with_scenario = false;
  nlohmann::ordered_json file = result_json(result, without_scenario);
  for (const char* list : {"binding_details", "windows", "published", "notes"}) file.erase(list);
  file["binding"] = fmt::format("{}", fmt::join(file["binding"].get<std::vector<std::string>>(), ";"));
  std::vector<std::string> names, values;
  for (const FlatValue& flat : flattened(file)) {
    names.push_back(flat.name);
    values.push_back(csv_value(flat.value));
  }
  return csv_line(names) + csv_line(values);
}

}  // namespace tokenomics
