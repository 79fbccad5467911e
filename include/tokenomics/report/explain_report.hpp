#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics {

/// One step of a pool's instance, operator by operator.
struct PoolExplanation {
  PoolSpec pool;
  ExplainLoad load;
  StepExplanation step;
};

/// "tokenomics.explanation/1": per pool the operators with FLOPs, bytes, time, share, bound, speed of light and source.
nlohmann::ordered_json explanation_json(const Scenario& scenario, const std::vector<PoolExplanation>& pools,
                                        const ReportOptions& options = {});
/// One line an operator.
std::string explanation_csv(const std::vector<PoolExplanation>& pools);
std::string explanation_table(const Scenario& scenario, const std::vector<PoolExplanation>& pools,
                              const ReportOptions& options = {});

}  // namespace tokenomics
