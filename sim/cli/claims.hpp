#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics::cli {

/// One check of a claim: a figure of ours, and where it has to lie.
struct CheckOutcome {
  std::string what;
  std::optional<double> ours;  ///< absent: a run had no such figure, or no answer
  std::optional<double> low, high;
  bool holds = false;
};

struct ClaimOutcome {
  std::string id, text, figure, source, kind;  ///< kind: "data", "outcome" or "context"
  std::vector<CheckOutcome> checks;
  bool holds = false;
  std::string removed;  ///< the mechanism that is taken away; empty for data and context
  std::vector<CheckOutcome> checks_without;
  bool fails_without = false;
};

/// Evaluates a file of claims (claims.schema.json): each run it names is made once, with the program's own commands.
class Claims {
 public:
  Claims(nlohmann::json file, const Catalogue& catalogue, unsigned jobs);
  /// `progress` is told the share that is done.
  std::vector<ClaimOutcome> evaluate(const std::function<void(double)>& progress);

 private:
  using Sets = std::map<std::string, std::vector<std::string>>;
  struct World {
    Sets sets;                                ///< more overrides, by run
    std::map<std::string, double> constants;  ///< instead of the file's
  };

  ClaimOutcome outcome_of(const nlohmann::json& claim);
  std::vector<CheckOutcome> checks_of(const nlohmann::json& claim, const World& world);
  std::optional<double> value_of(const nlohmann::json& expression, const World& world);
  const nlohmann::json& result_of(const std::string& run, const World& world);
  [[nodiscard]] nlohmann::json make(const nlohmann::json& run, const std::vector<std::string>& sets) const;

  nlohmann::json file_;
  const Catalogue& catalogue_;
  unsigned jobs_;
  std::map<std::string, nlohmann::json> results_;  ///< by command, file and overrides
};

nlohmann::ordered_json claims_json(const std::vector<ClaimOutcome>& claims, const ReportOptions& options);
std::string claims_table(const std::vector<ClaimOutcome>& claims, const ReportOptions& options);

}  // namespace tokenomics::cli
